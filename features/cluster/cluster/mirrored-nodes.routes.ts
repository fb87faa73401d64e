import type { ClusterState, Expression, Mirror, Page, Reader, Value } from '@quarterdeck/mirror'
import { wholeCores } from './capacity.rules.ts'
import type { Capacity, NodePage, NodeSummary } from './cluster.contract.ts'
import { NODE_KIND_LABEL, nodeKind } from './node.rules.ts'

/** What is asked of the mirror: no API server is asked to list its nodes or pods. */
export type MirroredClusters = Pick<Mirror, 'clusters' | 'list' | 'sums'>

/** Whoever may list clusters sees their nodes and how full they are. */
const READER: Reader = { key: '*', generation: 0, may: () => true, knows: () => true }
const PAGE = 1_000
const ALL = Number.MAX_SAFE_INTEGER

/** Pods that are on a node and hold what they asked for: those that have not ended. */
const HOLDING: Expression[] = [
  { field: 'phase', op: '!=', values: ['Succeeded', 'Failed'] },
  { field: 'node', op: '!=', values: [''] },
]
const READY: Expression = { field: 'status', op: '=', values: ['Ready', 'Ready,SchedulingDisabled'] }
const of = (cluster: string): Expression => ({ field: 'cluster', op: '=', values: [cluster] })

/** Kinds of a cluster that have been read, perhaps a while ago. */
const readKinds = ({ kinds }: ClusterState): Set<string> =>
  new Set(
    kinds
      .filter(({ state, objects }) => state === 'live' || (state === 'stale' && objects > 0))
      .map(({ resource }) => resource),
  )
const isRead = (state: ClusterState): boolean => {
  const read = readKinds(state)
  return read.has('nodes') && read.has('pods')
}

/** How full clusters are, by name: those whose nodes and pods have been read, all or the `only` one. */
export function clusterCapacities(mirror: MirroredClusters, only?: string): Map<string, Capacity> {
  const names = mirror
    .clusters()
    .filter((state) => (only === undefined || state.cluster === only) && isRead(state))
    .map(({ cluster }) => cluster)
  if (names.length === 0) return new Map()
  const byCluster = (resource: string, fields: string[], tests: Expression[] = []) => {
    const filter = { all: [...(only === undefined ? [] : [of(only)]), ...tests] }
    const sums = mirror.sums({ resource, by: 'cluster', fields, filter, limit: ALL }, READER)
    return new Map(sums.map((sum) => [sum.value, sum]))
  }
  const nodes = byCluster('nodes', ['cpu', 'memory', 'pods'])
  const ready = byCluster('nodes', [], [READY])
  const pods = byCluster('pods', ['cpuRequest', 'memoryRequest'], HOLDING)
  return new Map(
    names.map((name) => {
      const [cpu = 0, memory = 0, podLimit = 0] = nodes.get(name)?.sums ?? []
      const counts = { nodes: nodes.get(name)?.count ?? 0, readyNodes: ready.get(name)?.count ?? 0 }
      return [name, { ...counts, ...heldOf({ cpu, memory, podLimit }, pods.get(name)) }]
    }),
  )
}

/** The nodes of a cluster by name, with what pods ask for on each. */
export function mirroredNodes(mirror: MirroredClusters, cluster: string): NodePage {
  const state = mirror.clusters().find((one) => one.cluster === cluster)
  if (!state || !isRead(state)) return { items: [], total: 0, message: unread(cluster, state) }
  const filter = { all: [of(cluster), ...HOLDING] }
  const fields = ['cpuRequest', 'memoryRequest']
  const sums = mirror.sums({ resource: 'pods', by: 'node', fields, filter, limit: ALL }, READER)
  const held = new Map(sums.map((sum) => [sum.value, sum]))
  const items: NodeSummary[] = []
  for (let total = 1; items.length < total; ) {
    const page = mirror.list(
      { resource: 'nodes', filter: of(cluster), columns: [...COLUMNS], limit: PAGE, offset: items.length },
      READER,
    )
    total = page.total
    if (page.rows.length === 0) break
    for (const { values } of page.rows) items.push(nodeOf(columnsOf(page, values), held))
  }
  const message = state.state === 'live' ? '' : `The cluster is not up to date here: ${state.message}`
  return { items, total: items.length, message }
}

const unread = (cluster: string, state: ClusterState | undefined) =>
  `The nodes and pods of ${cluster} are being read; ask again in a moment.${state?.message ? ` ${state.message}` : ''}`

const COLUMNS = [
  'name',
  'status',
  'conditions',
  'roles',
  'labels',
  'provider',
  'address',
  'version',
  'runtime',
  'os',
  'architecture',
  'zone',
  'created',
  'cpu',
  'memory',
  'pods',
] as const
type Column = (typeof COLUMNS)[number]

function columnsOf({ columns }: Page, values: readonly Value[]) {
  const value = (name: Column) => values[columns.indexOf(name)]
  return {
    text: (name: Column) => String(value(name) ?? ''),
    number: (name: Column) => Number(value(name) ?? 0),
    list: (name: Column) => {
      const members = value(name)
      return Array.isArray(members) ? members : []
    },
  }
}

interface Held {
  count: number
  sums: number[]
}

function nodeOf({ text, number, list }: ReturnType<typeof columnsOf>, held: ReadonlyMap<string, Held>): NodeSummary {
  const [status, roles, zone] = [text('status'), list('roles'), text('zone')]
  const said = list('labels')
    .find((label) => label.startsWith(`${NODE_KIND_LABEL}=`))
    ?.slice(NODE_KIND_LABEL.length + 1)
  const given = { cpu: number('cpu'), memory: number('memory'), podLimit: number('pods') }
  return {
    name: text('name'),
    roles: roles.length > 0 ? roles : ['worker'],
    kind: nodeKind({ provider: text('provider'), runtime: text('runtime'), said }),
    ready: status === 'Ready' || status.startsWith('Ready,'),
    schedulable: !status.includes('SchedulingDisabled'),
    message: troubleOf(status, list('conditions')),
    address: text('address'),
    version: text('version'),
    runtime: text('runtime'),
    os: text('os'),
    architecture: text('architecture'),
    ...(zone === '' ? {} : { zone }),
    createTime: new Date(number('created') * 1_000).toISOString(),
    capacity: heldOf(given, held.get(text('name'))),
  }
}

/** Why a node takes no pods, or what troubles it; its own page says what the kubelet reported. */
function troubleOf(status: string, wrong: readonly string[]): string {
  const parts = wrong.map((condition) => (condition === 'NotReady' ? 'The kubelet is not ready.' : `${condition}.`))
  if (status.startsWith('Unknown')) parts.unshift('The kubelet has not reported yet.')
  if (status.includes('SchedulingDisabled')) parts.push('Cordoned: no new pods are placed here.')
  return parts.join(' ')
}

const heldOf = (given: { cpu: number; memory: number; podLimit: number }, held: Held | undefined) => ({
  pods: held?.count ?? 0,
  podLimit: given.podLimit,
  cpuCores: wholeCores(given.cpu),
  cpuRequestedCores: wholeCores(held?.sums[0] ?? 0),
  memoryBytes: Math.round(given.memory),
  memoryRequestedBytes: Math.round(held?.sums[1] ?? 0),
})
