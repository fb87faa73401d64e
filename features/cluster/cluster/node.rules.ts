import type { Condition, KubeObject } from '@quarterdeck/kernel'
import { isReady, nodeCapacity } from './capacity.rules.ts'
import type { NodeDetail, NodeSummary } from './cluster.contract.ts'

const ROLE_LABEL = 'node-role.kubernetes.io/'
const PRESSURES = new Set(['MemoryPressure', 'DiskPressure', 'PIDPressure', 'NetworkUnavailable'])

/** Where a node's kind is not known by itself, this label says it: physical or virtual. */
export const NODE_KIND_LABEL = 'quarterdeck.io/node-kind'

/** What the API server knows of a node and the pods on it. */
export type NodeFacts = Omit<NodeDetail, 'kubelet' | 'usage' | 'containers' | 'events'>

/** One node and the pods on it, as people want to see them. */
export function nodeFacts(node: KubeObject, pods: readonly KubeObject[]): NodeFacts {
  const { metadata, spec, status } = node
  const seen = (status?.nodeInfo ?? {}) as Record<string, string>
  const zone = metadata.labels?.['topology.kubernetes.io/zone']
  const addresses = (status?.addresses ?? []) as { type: string; address: string }[]
  const address = addresses.find(({ type }) => type === 'InternalIP') ?? addresses[0]
  return {
    name: metadata.name,
    roles: rolesOf(node),
    kind: kindOf(node),
    ready: isReady(node),
    schedulable: spec?.unschedulable !== true,
    message: messageOf(node),
    address: address?.address ?? '',
    version: seen.kubeletVersion ?? '',
    runtime: seen.containerRuntimeVersion ?? '',
    os: seen.osImage || seen.operatingSystem || '',
    architecture: seen.architecture ?? '',
    ...(zone === undefined ? {} : { zone }),
    createTime: metadata.creationTimestamp ?? '1970-01-01T00:00:00Z',
    capacity: nodeCapacity(node, pods),
    conditions: conditionsOf(node),
    podNames: pods.map((pod) => ({
      namespace: pod.metadata.namespace ?? '',
      name: pod.metadata.name,
      phase: pod.metadata.deletionTimestamp ? 'Terminating' : (pod.status?.phase ?? 'Unknown'),
    })),
  }
}

/** As labelled; a node without a role label is a worker. */
function rolesOf({ metadata }: KubeObject): string[] {
  const roles = Object.keys(metadata.labels ?? {})
    .filter((label) => label.startsWith(ROLE_LABEL) && label.length > ROLE_LABEL.length)
    .map((label) => label.slice(ROLE_LABEL.length))
  return roles.length > 0 ? roles.sort() : ['worker']
}

function kindOf({ metadata, spec, status }: KubeObject): NodeSummary['kind'] {
  const simulated = metadata.annotations?.['kwok.x-k8s.io/node'] !== undefined
  return nodeKind({
    provider: simulated ? 'kwok' : (/^[^:]+(?=:)/.exec(String(spec?.providerID ?? ''))?.[0] ?? ''),
    runtime: String(status?.nodeInfo?.containerRuntimeVersion ?? ''),
    said: metadata.labels?.[NODE_KIND_LABEL],
  })
}

const BARE_METAL = new Set(['metal3', 'baremetal', 'equinixmetal', 'packet'])
/** Providers whose machines may be of either kind. */
const ANY_MACHINE = new Set(['', 'kind', 'k3s'])

/** `provider` is the first part of its provider ID, `said` the label. */
export function nodeKind(node: { provider: string; runtime: string; said: string | undefined }): NodeSummary['kind'] {
  const { provider, runtime, said } = node
  if (provider === 'kwok' || runtime.startsWith('kwok')) return 'simulated'
  if (said === 'physical' || said === 'virtual') return said
  if (BARE_METAL.has(provider)) return 'physical'
  return ANY_MACHINE.has(provider) ? 'unknown' : 'virtual'
}

/** Why the node takes no pods, or what troubles it; empty when all is well. */
function messageOf(node: KubeObject): string {
  const conditions = conditionsOf(node)
  const ready = conditions.find(({ type }) => type === 'Ready')
  const parts: string[] = []
  if (ready === undefined) parts.push('The kubelet has not reported yet.')
  else if (ready.status === 'Unknown') parts.push(`The kubelet stopped reporting: ${ready.message}`)
  else if (ready.status === 'False') parts.push(`Not ready: ${ready.message}`)
  for (const { type, status, message } of conditions) {
    if (PRESSURES.has(type) && status === 'True') parts.push(`${type}: ${message}`)
  }
  if (node.spec?.unschedulable === true) parts.push('Cordoned: no new pods are placed here.')
  return parts.join(' ')
}

const conditionsOf = ({ status }: KubeObject): Condition[] =>
  ((status?.conditions ?? []) as Partial<Condition>[]).map((condition) => ({
    type: condition.type ?? '',
    status: condition.status ?? 'Unknown',
    reason: condition.reason ?? '',
    message: condition.message ?? '',
    lastTransitionTime: condition.lastTransitionTime ?? '1970-01-01T00:00:00Z',
  }))
