import { clusterForbidden, clusterUnreachable, endpoint, Name, notFound } from '@quarterdeck/kernel'
import { z } from 'zod'
import { unknownKind } from './object.contract.ts'

/** One line of a tree of objects; those that hang on it follow, one deeper. */
export const TreeLine = z.object({
  depth: z.int().describe('0 for the top'),
  resource: z.string().describe('Empty for an application, and for a kind that the cluster does not serve'),
  kind: z.string(),
  namespace: z.string(),
  name: z.string().describe('Empty on a line that stands for several'),
  because: z.string().describe('Where it is said: metadata.ownerReferences, spec.selector'),
  itself: z.literal(true).optional().describe('The object that was asked for'),
  found: z.boolean().describe('false: it is named but is not there'),
  optional: z.literal(true).optional().describe('It need not be there'),
  state: z.string().describe('Its status in a word, where the kind has one'),
  ready: z.string().describe('2/3, where the kind counts; else empty'),
  revision: z.int().optional().describe('Of a ReplicaSet: which version of its Deployment'),
  more: z
    .object({ count: z.int(), filter: z.string().describe('A filter text that lists all of them') })
    .optional()
    .describe('So many further objects of this kind hang there, which are not shown one by one'),
})
export type TreeLine = z.infer<typeof TreeLine>

export const ObjectTree = z.object({
  belongs: z.array(TreeLine).describe('Application and owners from the top, the object itself, and all it has made'),
  uses: z.array(TreeLine).describe('What the object names, and what hangs on that'),
  usedBy: z.array(TreeLine).describe('What names the object, and what names that'),
  message: z.string().describe('Empty when everything was looked for; else what could not be'),
})
export type ObjectTree = z.infer<typeof ObjectTree>

export const getObjectTree = endpoint({
  id: 'object.tree',
  method: 'GET',
  path: '/clusters/:cluster/objects/:resource/:name/tree',
  permission: 'object.get',
  reach: 'anywhere',
  summary: 'What an object belongs to, has made, uses and is used by, to the last level',
  params: z.object({ cluster: Name, resource: z.string().min(1).max(300), name: z.string().min(1).max(253) }),
  query: z.object({
    namespace: z.string().max(253).default('').describe('Empty for what belongs to no namespace'),
    limit: z.coerce.number().int().min(1).max(500).default(30).describe('Lines of one kind under one object'),
  }),
  response: ObjectTree,
  problems: [unknownKind, notFound, clusterUnreachable, clusterForbidden],
})
