import type { ObjectRow } from '../object/object.contract.ts'

/** One node as the mirror knows it, with what the pods on it ask for. Cores and bytes. */
export interface NodeRow {
  name: string
  ready: boolean
  schedulable: boolean
  /** Conditions that should not be: MemoryPressure, NotReady. */
  wrong: string[]
  roles: string[]
  zone: string
  version: string
  /** Seconds since 1970. */
  created: number
  cpuCores: number
  cpuRequestedCores: number
  memoryBytes: number
  memoryRequestedBytes: number
  pods: number
  podLimit: number
}

/** Columns of `nodes` that make a row. */
export const NODE_COLUMNS = [
  'name',
  'status',
  'conditions',
  'roles',
  'zone',
  'version',
  'created',
  'cpu',
  'memory',
  'pods',
] as const

/** What pods ask for on one node: sums of cpuRequest and memoryRequest. */
export interface PodSum {
  value: string
  count: number
  sums: number[]
}

const text = (value: ObjectRow['values'][number] | undefined): string => (typeof value === 'string' ? value : '')
const number = (value: ObjectRow['values'][number] | undefined): number => (typeof value === 'number' ? value : 0)
const list = (value: ObjectRow['values'][number] | undefined): string[] => (Array.isArray(value) ? value : [])

/** Nodes with what is asked for on them; those that are not well first, then the fullest. */
export function nodeRows(columns: readonly string[], rows: readonly ObjectRow[], sums: readonly PodSum[]): NodeRow[] {
  const asked = new Map(sums.map((sum) => [sum.value, sum]))
  const all = rows.map((row): NodeRow => {
    const value = (name: (typeof NODE_COLUMNS)[number]) => row.values[columns.indexOf(name)]
    const name = text(value('name'))
    const status = text(value('status'))
    const roles = list(value('roles'))
    return {
      name,
      ready: status === 'Ready' || status.startsWith('Ready,'),
      schedulable: !status.includes('SchedulingDisabled'),
      wrong: list(value('conditions')),
      roles: roles.length > 0 ? roles : ['worker'],
      zone: text(value('zone')),
      version: text(value('version')),
      created: number(value('created')),
      cpuCores: number(value('cpu')),
      cpuRequestedCores: asked.get(name)?.sums[0] ?? 0,
      memoryBytes: number(value('memory')),
      memoryRequestedBytes: asked.get(name)?.sums[1] ?? 0,
      pods: asked.get(name)?.count ?? 0,
      podLimit: number(value('pods')),
    }
  })
  return all.sort(
    (one, other) => trouble(other) - trouble(one) || fullness(other) - fullness(one) || byName(one, other),
  )
}

const byName = (one: NodeRow, other: NodeRow) => (one.name < other.name ? -1 : 1)
const trouble = ({ ready, schedulable, wrong }: NodeRow): number =>
  (ready ? 0 : 4) + (wrong.length > 0 ? 2 : 0) + (schedulable ? 0 : 1)
const share = (used: number, all: number) => (all > 0 ? used / all : 0)
/** By tenths, so that the order does not change with every pod. */
const fullness = (node: NodeRow): number =>
  Math.round(
    Math.max(
      share(node.cpuRequestedCores, node.cpuCores),
      share(node.memoryRequestedBytes, node.memoryBytes),
      share(node.pods, node.podLimit),
    ) * 10,
  )

/** What the nodes of one zone have together. */
export interface Zone
  extends Omit<NodeRow, 'name' | 'ready' | 'schedulable' | 'wrong' | 'roles' | 'version' | 'created'> {
  nodes: number
  readyNodes: number
}

/** Nodes by zone, in the order of their names; '' holds those that say none. Empty when no node says one. */
export function zonesOf(nodes: readonly NodeRow[]): Zone[] {
  if (nodes.every(({ zone }) => zone === '')) return []
  const zones = new Map<string, Zone>()
  for (const node of nodes) {
    const zone = zones.get(node.zone) ?? {
      zone: node.zone,
      nodes: 0,
      readyNodes: 0,
      cpuCores: 0,
      cpuRequestedCores: 0,
      memoryBytes: 0,
      memoryRequestedBytes: 0,
      pods: 0,
      podLimit: 0,
    }
    zones.set(node.zone, {
      zone: node.zone,
      nodes: zone.nodes + 1,
      readyNodes: zone.readyNodes + (node.ready ? 1 : 0),
      cpuCores: zone.cpuCores + node.cpuCores,
      cpuRequestedCores: zone.cpuRequestedCores + node.cpuRequestedCores,
      memoryBytes: zone.memoryBytes + node.memoryBytes,
      memoryRequestedBytes: zone.memoryRequestedBytes + node.memoryRequestedBytes,
      pods: zone.pods + node.pods,
      podLimit: zone.podLimit + node.podLimit,
    })
  }
  return [...zones.values()].sort((one, other) => one.zone.localeCompare(other.zone))
}
