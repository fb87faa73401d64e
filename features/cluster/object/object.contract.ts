import { clusterForbidden, clusterUnreachable, endpoint, Name, notFound, problemType, Time } from '@quarterdeck/kernel'
import { z } from 'zod'
import { changeEndpoint } from '../../delivery/operation/operation.contract.ts'

/** How a column is shown, sorted and filtered. */
export const ObjectColumn = z.object({
  name: z.string().describe('As filters and sorts name it'),
  title: z.string(),
  type: z.enum(['text', 'split', 'count', 'number', 'time', 'set']),
  unit: z.enum(['bytes', 'cores', 'seconds']).optional(),
  searched: z.literal(true).optional().describe('Free text finds it'),
  wide: z.literal(true).optional().describe('Shown only when asked for'),
  description: z.string().optional(),
})
export type ObjectColumn = z.infer<typeof ObjectColumn>

export const State = z.enum(['syncing', 'live', 'stale', 'unknown'])

/** How far to trust what is shown of one cluster. */
export const Freshness = z.object({
  cluster: z.string(),
  state: State.describe('syncing: not everything is there yet; stale: the cluster has not been heard of'),
  revision: z.string().describe('Resource version up to which it is complete'),
  ageSeconds: z.number().describe('Since the last sign of life'),
  percent: z.number().optional().describe('While syncing'),
  message: z.string().describe('Empty when live; else what is the matter'),
})
export type Freshness = z.infer<typeof Freshness>

export const ObjectKind = z.object({
  resource: z.string().describe('As in RBAC: pods, deployments.apps'),
  group: z.string(),
  version: z.string(),
  kind: z.string(),
  plural: z.string(),
  shortNames: z.array(z.string()),
  namespaced: z.boolean(),
  custom: z.boolean().describe('Defined by a CustomResourceDefinition or an aggregated API server'),
  columns: z.array(ObjectColumn),
  clusters: z.array(z.object({ cluster: z.string(), state: State, objects: z.int(), message: z.string() })),
})
export type ObjectKind = z.infer<typeof ObjectKind>

export const ObjectValue = z.union([z.string(), z.number(), z.array(z.string()), z.null()])
export const ObjectRow = z.object({
  id: z.int().describe('Stands for the object as long as it is there'),
  cluster: z.string(),
  uid: z.string(),
  revision: z.string(),
  values: z.array(ObjectValue).describe('In the order of columns. Times are seconds since 1970'),
})
export type ObjectRow = z.infer<typeof ObjectRow>

export const ObjectPage = z.object({
  resource: z.string(),
  columns: z.array(z.string()),
  total: z.int().describe('Exactly how many objects match'),
  offset: z.int(),
  rows: z.array(ObjectRow),
  freshness: z.array(Freshness),
})
export type ObjectPage = z.infer<typeof ObjectPage>

export const unknownKind = problemType('unknown-kind', 404, 'No cluster serves this kind, or you may not list it')

export const Resource = z.string().min(1).max(300).describe('pods, deployments.apps; also a kind or a short name')
const FilterText = z
  .string()
  .max(2_000)
  .describe('status:Running ns:shop restarts>3 age<10m label:tier=front -name:test (a OR b) "free text"')
const Fields = z
  .string()
  .max(1_000)
  .transform((text) => text.split(',').filter(Boolean))
const Columns = Fields.optional().describe('Names with commas; absent: all')
const Sort = z.string().max(300).optional().describe('Columns with commas, - before what descends: -restarts,name')
const Offset = z.coerce.number().int().min(0).default(0)
const Limit = z.coerce.number().int().min(1).max(1_000).default(50)

const Where = {
  cluster: Name.optional().describe('Only of this cluster; the same as cluster:NAME in the filter'),
  namespace: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .describe('Only of this namespace; the same as ns:NAME in the filter'),
}

const ofKind = z.object({ resource: Resource })
export const listKinds = endpoint({
  id: 'kind.list',
  method: 'GET',
  path: '/kinds',
  permission: 'object.list',
  reach: 'anywhere',
  summary: 'Every kind of object that some cluster serves, with its columns and how many there are',
  response: z.object({
    items: z.array(ObjectKind),
    clusters: z
      .array(Freshness.extend({ objects: z.int().describe('Over all kinds') }))
      .describe('How well each cluster is known'),
  }),
})
export const listObjects = endpoint({
  id: 'object.list',
  method: 'GET',
  path: '/objects/:resource',
  permission: 'object.list',
  reach: 'anywhere',
  summary: 'Objects of one kind over all clusters: filtered, sorted, any page, with the exact total',
  params: ofKind,
  query: z.object({
    ...Where,
    filter: FilterText.optional(),
    sort: Sort,
    offset: Offset,
    limit: Limit,
    columns: Columns,
  }),
  response: ObjectPage,
  problems: [unknownKind],
})
export const countObjects = endpoint({
  id: 'object.count',
  method: 'GET',
  path: '/objects/:resource/facets',
  permission: 'object.list',
  reach: 'anywhere',
  summary: 'How often each value of some fields occurs',
  params: ofKind,
  query: z.object({
    filter: FilterText.optional(),
    fields: Fields.default(['cluster', 'namespace']).describe('Names with commas: status,namespace,cluster,label:app'),
    limit: z.coerce.number().int().min(1).max(1_000).default(20).describe('Values a field'),
  }),
  response: z.object({
    items: z.array(
      z.object({
        field: z.string(),
        distinct: z.int(),
        values: z.array(z.object({ value: z.string(), count: z.int() })),
      }),
    ),
  }),
  problems: [unknownKind],
})
export const sumObjects = endpoint({
  id: 'object.sum',
  method: 'GET',
  path: '/objects/:resource/sums',
  permission: 'object.list',
  reach: 'anywhere',
  summary: 'Sums of number columns, for each value of a field: what pods ask for on each node',
  params: ofKind,
  query: z.object({
    filter: FilterText.optional(),
    by: z.string().min(1).max(300).optional().describe('A text column or cluster; absent: one sum of everything'),
    fields: Fields.default([]).describe('Number columns with commas: cpuRequest,memoryRequest'),
    limit: z.coerce.number().int().min(1).max(10_000).default(1_000).describe('Groups'),
  }),
  response: z.object({
    items: z.array(
      z.object({
        value: z.string().describe('Empty for objects that have none'),
        count: z.int(),
        sums: z.array(z.number()).describe('In the order of fields'),
      }),
    ),
  }),
  problems: [unknownKind],
})
export const completeFilter = endpoint({
  id: 'object.complete',
  method: 'GET',
  path: '/objects/:resource/completions',
  permission: 'object.list',
  reach: 'anywhere',
  summary: 'What may follow in a filter text',
  params: ofKind,
  query: z.object({
    text: FilterText.default(''),
    cursor: z.coerce.number().int().min(0).max(2_000).optional().describe('Absent: at the end'),
  }),
  response: z.object({
    items: z.array(z.object({ insert: z.string(), from: z.int(), to: z.int(), hint: z.string() })),
  }),
  problems: [unknownKind],
})
export const searchObjects = endpoint({
  id: 'object.search',
  method: 'GET',
  path: '/search',
  permission: 'object.list',
  reach: 'anywhere',
  summary: 'Free text over every kind of every cluster',
  query: z.object({
    text: z.string().min(1).max(200),
    cluster: Name.optional().describe('Absent: all'),
    limit: z.coerce.number().int().min(1).max(50).default(5).describe('Objects a kind'),
  }),
  response: z.object({
    total: z.int(),
    kinds: z.array(
      z.object({
        resource: z.string(),
        kind: z.string(),
        total: z.int(),
        columns: z.array(z.string()),
        rows: z.array(ObjectRow),
      }),
    ),
    freshness: z.array(Freshness),
  }),
})

export const OneObject = z.object({ cluster: Name, resource: Resource, name: z.string().min(1).max(253) })
export const InNamespace = z.object({
  namespace: z.string().max(253).default('').describe('Empty for what belongs to no namespace'),
})
/** Another object that this one names, or that names this one. */
export const Related = z.object({
  relation: z.enum(['owner', 'owned', 'uses', 'usedBy']),
  resource: z.string(),
  kind: z.string(),
  namespace: z.string(),
  name: z.string(),
  because: z.string().describe('Where it is said: spec.volumes[0].configMap'),
  found: z.boolean().describe('false: it is named but is not there'),
  optional: z.literal(true).optional().describe('It need not be there'),
  state: z.string().describe('Its status in a word, where the kind has one'),
})
export type Related = z.infer<typeof Related>
export const ObjectDetail = z.object({
  cluster: z.string(),
  resource: z.string(),
  kind: z.string(),
  yaml: z
    .string()
    .describe('As the API server has it now, without managed fields; of Secrets the sizes stand for the values'),
  object: z.looseObject({}).describe('The same as JSON'),
  row: ObjectRow.optional(),
  columns: z.array(z.string()),
  managers: z
    .array(
      z.object({
        manager: z.string(),
        operation: z.string(),
        time: z.string(),
        subresource: z.string().optional(),
        fields: z.int().describe('How many fields it manages'),
      }),
    )
    .describe('Who wrote to it, the last first'),
  related: z.array(Related),
  relatedMessage: z.string().describe('Empty when all related objects were looked for; else what could not be'),
})
export type ObjectDetail = z.infer<typeof ObjectDetail>
export const getObject = endpoint({
  id: 'object.get',
  method: 'GET',
  path: '/clusters/:cluster/objects/:resource/:name',
  permission: 'object.get',
  reach: 'anywhere',
  summary: 'One object, read live from its API server',
  params: OneObject,
  query: InNamespace,
  response: ObjectDetail,
  problems: [unknownKind, notFound, clusterUnreachable, clusterForbidden],
})

export const listObjectEvents = endpoint({
  id: 'object.events',
  method: 'GET',
  path: '/clusters/:cluster/objects/:resource/:name/events',
  permission: 'object.get',
  reach: 'anywhere',
  summary: 'Events about one object, the newest first',
  params: OneObject,
  query: InNamespace.extend({ limit: z.coerce.number().int().min(1).max(1_000).default(100) }),
  response: z.object({
    items: z.array(
      z.object({
        type: z.string().describe('Normal or Warning'),
        reason: z.string(),
        message: z.string(),
        count: z.int(),
        lastTime: Time.optional(),
        reporter: z.string().describe('Who says it: kubelet, deployment-controller'),
      }),
    ),
    total: z.int(),
    freshness: z.array(Freshness),
  }),
  problems: [unknownKind],
})

/** Objects that one change may delete. */
export const MOST_DELETED = 200
export const deleteObjects = changeEndpoint({
  id: 'object.delete',
  method: 'POST',
  path: '/clusters/:cluster/deletions',
  permission: 'object.delete',
  reach: 'anywhere',
  summary:
    'Delete chosen objects of one namespace; the plan names each, and undo makes them anew where that is possible',
  params: z.object({ cluster: Name }),
  body: z.strictObject({
    namespace: z.string().max(253).default('').describe('Empty for what belongs to no namespace'),
    objects: z
      .array(
        z.strictObject({
          resource: Resource,
          name: z.string().min(1).max(253),
          uid: z.string().max(253).optional().describe('Only this very object, not one made anew under its name'),
        }),
      )
      .min(1)
      .max(MOST_DELETED),
  }),
  problems: [unknownKind, clusterUnreachable, clusterForbidden],
})

/** What a client says on the live socket. `id` is the client's own number for the view. */
export const LiveRequest = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('open'),
    id: z.int().min(0).max(1e9),
    resource: Resource,
    ...Where,
    filter: FilterText.optional(),
    sort: Sort,
    offset: z.int().min(0).default(0),
    limit: z.int().min(1).max(1_000).default(50),
    columns: z.array(z.string()).max(100).optional(),
  }),
  z.strictObject({
    type: z.literal('move'),
    id: z.int().min(0).max(1e9),
    offset: z.int().min(0),
    limit: z.int().min(1).max(1_000),
  }),
  z.strictObject({ type: z.literal('close'), id: z.int().min(0).max(1e9) }),
])
export type LiveRequest = z.infer<typeof LiveRequest>

/** Views that one socket may have open. */
export const MOST_VIEWS = 100

/**
 * What comes back. `opened` tells which `view` belongs to the client's `id`, before the first frame of that view and
 * again whenever it is another one; frames carry the view's number, because the same bytes go to everybody who looks at
 * the same. Frames of a view count from its `whole` on: one whose number was seen already is passed over, and after a gap
 * a `move` to the same window brings a whole one.
 */
export const LiveFrame = z.discriminatedUnion('type', [
  z.object({ type: z.literal('opened'), id: z.int(), view: z.int() }),
  z.object({
    type: z.literal('refused'),
    id: z.int().optional().describe('Absent when the request said none that can be read'),
    pointer: z.string().optional().describe('JSON pointer to what is wrong in the request: /filter'),
    detail: z.string().describe('What is wrong and what to do'),
  }),
  z.object({ type: z.literal('whole'), view: z.int(), number: z.int(), page: ObjectPage }),
  z.object({
    type: z.literal('change'),
    view: z.int(),
    number: z.int(),
    total: z.int(),
    order: z.array(z.int()).optional().describe('Row ids of the window; absent: as before'),
    rows: z.array(ObjectRow).describe('New or changed'),
    freshness: z.array(Freshness).optional(),
  }),
  z.object({ type: z.literal('gone'), view: z.int(), message: z.string() }),
])
export type LiveFrame = z.infer<typeof LiveFrame>
export const watchObjects = endpoint({
  id: 'object.watch',
  method: 'GET',
  path: '/live',
  permission: 'object.list',
  reach: 'anywhere',
  summary: 'Live views of lists: send LiveRequest, get LiveFrame, at most ten times a second',
  transport: 'websocket',
  response: LiveFrame,
})
