import { clusterForbidden, clusterUnreachable, endpoint, notFound } from '@quarterdeck/kernel'
import { z } from 'zod'
import { changeEndpoint, FieldChange, planBlocked } from '../../delivery/operation/operation.contract.ts'
import { InNamespace, OneObject, unknownKind } from './object.contract.ts'

/** At most so much YAML of one object. */
export const MOST_YAML_CHARACTERS = 1024 * 1024

const Yaml = z.string().min(1).max(MOST_YAML_CHARACTERS, 'At most 1 MiB')
const Digest = z
  .string()
  .length(64)
  .describe('Of what is written in it: with it a change of the status alone is not in the way')
const Revision = z.string().min(1).max(128).describe('Resource version that it was read at')

/** An object as it is written by hand: what the cluster keeps of it for itself is left out. */
export const EditableObject = z.object({
  yaml: z.string(),
  resourceVersion: Revision,
  digest: Digest,
  application: z.string().optional().describe('Of which it is a part; its next deployment has its own say'),
})
export type EditableObject = z.infer<typeof EditableObject>

export const getEditable = endpoint({
  id: 'object.editable',
  method: 'GET',
  path: '/clusters/:cluster/objects/:resource/:name/editable',
  permission: 'object.get',
  reach: 'anywhere',
  summary: 'One object as it is written by hand, with the resource version that an edit names; not of Secrets',
  params: OneObject,
  query: InNamespace,
  response: EditableObject,
  problems: [unknownKind, notFound, planBlocked, clusterUnreachable, clusterForbidden],
})

export const editObject = changeEndpoint({
  id: 'object.edit',
  method: 'PUT',
  path: '/clusters/:cluster/objects/:resource/:name',
  permission: 'object.edit',
  reach: 'anywhere',
  summary: 'Change one object, custom ones too, to what its YAML says; refused when it was changed meanwhile',
  params: OneObject,
  body: z.strictObject({
    namespace: z.string().max(253).default('').describe('Empty for what belongs to no namespace'),
    yaml: Yaml.describe('The whole object; what the cluster keeps for itself may be left out'),
    resourceVersion: Revision,
    digest: Digest.optional(),
  }),
  problems: [unknownKind, notFound, clusterUnreachable, clusterForbidden],
})

export const rebaseEdit = endpoint({
  id: 'object.rebase',
  method: 'POST',
  path: '/clusters/:cluster/objects/:resource/:name/rebase',
  permission: 'object.get',
  reach: 'anywhere',
  summary: 'Bring an edit onto what the object is now; changes nothing',
  params: OneObject,
  body: z.strictObject({
    namespace: z.string().max(253).default('').describe('Empty for what belongs to no namespace'),
    base: Yaml.describe('The object as it was read'),
    yaml: Yaml.describe('The object as it was edited'),
  }),
  response: EditableObject.extend({
    base: z.string().describe('The object as it is now'),
    theirs: z.array(FieldChange).describe('What others have changed since it was read'),
    overlaps: z.array(z.string()).describe('Fields that both have changed; the edit has the last word in the YAML'),
  }),
  problems: [unknownKind, notFound, planBlocked, clusterUnreachable, clusterForbidden],
})
