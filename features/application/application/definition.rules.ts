import type { KubeObject } from '@quarterdeck/kernel'
import { z } from 'zod'
import { ApplicationSpec } from './application.contract.ts'

const Manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
})

/** What is remembered of an application: what was asked for, and the objects that it was made into. */
export const ApplicationDefinition = z.object({
  cluster: z.string(),
  namespace: z.string(),
  spec: ApplicationSpec,
  /** What the image's configuration said when it was deployed; absent: its registry did not answer. */
  image: z.object({ digest: z.string(), user: z.string(), volumes: z.array(z.string()) }).optional(),
  restartTime: z.string().optional(),
  /** `yaml`: somebody wrote the manifests, and `spec` is what can be read in them. Absent: they are made from `spec`. */
  source: z.literal('yaml').optional(),
  manifests: z.array(Manifest).transform((list) => list as unknown as KubeObject[]),
})
export type ApplicationDefinition = z.infer<typeof ApplicationDefinition>

/** `dev/shop` */
export const definitionKey = (environment: string, name: string): string => `${environment}/${name}`

export function fromKey(key: string): { environment: string; name: string } {
  const [environment = '', name = ''] = key.split('/')
  return { environment, name }
}
