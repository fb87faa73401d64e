import { Name } from '@quarterdeck/kernel'
import { z } from 'zod'
import { changeEndpoint } from '../../delivery/operation/operation.contract.ts'

/** At most so much YAML at a time. */
export const MAX_YAML_CHARACTERS = 1024 * 1024

export const applyManifests = changeEndpoint({
  id: 'manifest.apply',
  method: 'PUT',
  path: '/environments/:environment/applications/:application/manifests',
  permission: 'manifest.apply',
  summary: 'Make an application from YAML, or bring one to it; what is no longer in the YAML is deleted',
  params: z.object({ environment: Name, application: Name }),
  body: z.strictObject({
    yaml: z
      .string()
      .min(1)
      .max(MAX_YAML_CHARACTERS, 'At most 1 MiB')
      .describe(
        'Kubernetes objects, documents apart by ---; namespaced kinds, without a namespace or with that of the environment',
      ),
  }),
})
