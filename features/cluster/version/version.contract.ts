import { endpoint, Name, notFound, pageOf, Time } from '@quarterdeck/kernel'
import { z } from 'zod'

/** One recorded state of one object. */
export const ObjectVersion = z.object({
  number: z.int().describe('Counts from 1 for each object'),
  time: Time.describe('When Quarterdeck saw it'),
  change: z
    .enum(['listed', 'added', 'changed', 'deleted'])
    .describe('listed: it was there when recording began, or changed while nobody was looking'),
  generation: z.int(),
  revision: z.string().describe('Resource version'),
  manager: z.string().describe('Who wrote last, as the API server calls it; empty when it does not say'),
  managedTime: Time.optional().describe('When that was'),
  user: z.string().optional().describe('Who had it done, where operations or the audit trail tell it beyond doubt'),
  operation: z.string().optional().describe('Id of the operation that did it'),
})
export type ObjectVersion = z.infer<typeof ObjectVersion>

/** A version with the object it belongs to. */
export const ChangedObject = ObjectVersion.extend({
  cluster: z.string(),
  resource: z.string(),
  kind: z.string(),
  namespace: z.string(),
  name: z.string(),
  uid: z.string(),
})
export type ChangedObject = z.infer<typeof ChangedObject>

/** A field that differs. Absent `before`: it was not there; absent `after`: it is gone. */
export const VersionChange = z.object({
  path: z.string(),
  before: z.json().optional(),
  after: z.json().optional(),
})
export const VersionDetail = ChangedObject.extend({
  yaml: z.string().describe('The object without status and managed fields; values of Secrets are digests'),
  comparedWith: z.int().optional().describe('Number of the version that `changes` starts from; absent: from nothing'),
  changes: z.array(VersionChange),
})
export type VersionDetail = z.infer<typeof VersionDetail>

const Resource = z.string().min(1).max(300).describe('As in RBAC: deployments.apps')
const one = z.object({ cluster: Name, resource: Resource, name: z.string().min(1).max(253) })
const inNamespace = z.object({
  namespace: z.string().max(253).default('').describe('Empty for what belongs to no namespace'),
})
const path = '/clusters/:cluster/objects/:resource/:name'

export const listVersions = endpoint({
  id: 'version.list',
  method: 'GET',
  path: `${path}/versions`,
  permission: 'object.get',
  reach: 'anywhere',
  summary: 'Recorded versions of an object, newest first: who changed it and when',
  params: one,
  query: inNamespace.extend({
    limit: z.coerce.number().int().min(1).max(500).default(100),
    before: z.coerce.number().int().min(1).optional().describe('Only versions below this number'),
    uid: z
      .string()
      .max(253)
      .optional()
      .describe('Of an earlier object with the same name; absent: the one that was there last'),
  }),
  response: pageOf(ObjectVersion),
  problems: [notFound],
})
export const getVersion = endpoint({
  id: 'version.get',
  method: 'GET',
  path: `${path}/versions/:number`,
  permission: 'object.get',
  reach: 'anywhere',
  summary: 'One recorded version, and what it changed',
  params: one.extend({ number: z.coerce.number().int().min(1) }),
  query: inNamespace.extend({
    against: z.coerce.number().int().min(1).optional().describe('Compare with this version; absent: the one before'),
    uid: z.string().max(253).optional(),
  }),
  response: VersionDetail,
  problems: [notFound],
})
export const getStateAt = endpoint({
  id: 'version.at',
  method: 'GET',
  path: `${path}/state`,
  permission: 'object.get',
  reach: 'anywhere',
  summary: 'An object as it was at a time',
  params: one,
  query: inNamespace.extend({ time: Time.optional().describe('Absent: as it was seen last') }),
  response: VersionDetail,
  problems: [notFound],
})
export const listChanges = endpoint({
  id: 'version.changes',
  method: 'GET',
  path: '/changes',
  permission: 'object.list',
  reach: 'anywhere',
  summary: 'What was changed lately in the clusters, by whom, newest first',
  query: z.object({
    cluster: Name.optional(),
    namespace: z.string().max(253).optional(),
    resource: Resource.optional(),
    manager: z.string().max(200).optional().describe('Exactly this field manager: kubectl-edit, helm'),
    controllers: z.stringbool().default(true).describe("false: without what the cluster's own controllers changed"),
    since: Time.optional(),
    until: Time.optional(),
    limit: z.coerce.number().int().min(1).max(500).default(100),
  }),
  response: pageOf(ChangedObject),
})
