import type { KubeObject } from '@quarterdeck/kernel'
import type { ClusterDetail, ClusterSummary, NodeSummary } from './cluster.contract.ts'
import { nodeSummary } from './node.rules.ts'
import type { Observation } from './observation.rules.ts'

interface Registered {
  name: string
  title: string
  origin: 'local' | 'kubeconfig'
  simulated: boolean
  server: string
  observeTime: string | null
  observation: Observation | null
}

/** What the list shows of a cluster; Unknown until it has been looked at. */
export function clusterSummary(row: Registered, environments: number): ClusterSummary {
  const { observation, observeTime, ...registered } = row
  const { components: _c, warnings: _w, rights: _r, ...seen } = observation ?? NOT_SEEN
  return { ...registered, ...seen, ...(observeTime === null ? {} : { observeTime }), environments }
}

/** The same with the parts of the control plane, warnings and rights. */
export function clusterDetail(row: Registered, environments: number): ClusterDetail {
  const { components, warnings, rights } = row.observation ?? NOT_SEEN
  return { ...clusterSummary(row, environments), components, warnings, rights }
}

const NOT_SEEN: Observation = {
  state: 'Unknown',
  message: 'The cluster has not been looked at yet.',
  components: [],
  warnings: [],
  rights: [],
}

/** Every node with the pods on it, by name. */
export function nodeSummaries(nodes: readonly KubeObject[], pods: readonly KubeObject[]): NodeSummary[] {
  const byNode = Map.groupBy(pods, (pod) => String(pod.spec?.nodeName ?? ''))
  return nodes
    .map((node) => nodeSummary(node, byNode.get(node.metadata.name) ?? []))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
