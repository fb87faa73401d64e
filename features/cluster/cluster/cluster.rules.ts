import type { Capacity, ClusterDetail, ClusterSummary } from './cluster.contract.ts'
import type { Observation } from './observation.rules.ts'

interface Registered {
  name: string
  title: string
  origin: 'local' | 'kubeconfig'
  simulated: boolean
  server: string
  observeTime: string | null
  observation: Observation | null
  uid: string | null
  otherUid: string | null
}

/** What is known of a cluster besides its registration. */
interface Known {
  environments: number
  /** Absent: not read yet. */
  capacity: Capacity | undefined
}

/** What the list shows of a cluster; Unknown until it has been looked at. */
export function clusterSummary(row: Registered, { environments, capacity }: Known): ClusterSummary {
  const { observation, observeTime, uid: _uid, otherUid: _otherUid, ...registered } = row
  const { state, message, version, versionSupported } = observation ?? NOT_SEEN
  const trouble = state === 'Ready' || state === 'Degraded' ? troubleOf(capacity) : ''
  return {
    ...registered,
    state: trouble === '' ? state : 'Degraded',
    message: [message, trouble].filter(Boolean).join(' '),
    environments,
    ...(version === undefined ? {} : { version }),
    ...(versionSupported === undefined ? {} : { versionSupported }),
    ...(observeTime === null ? {} : { observeTime }),
    ...(capacity === undefined ? {} : { capacity }),
  }
}

/** The same with the parts of the control plane, warnings and rights. */
export function clusterDetail(row: Registered, known: Known): ClusterDetail {
  const { components, warnings, rights } = row.observation ?? NOT_SEEN
  return { ...clusterSummary(row, known), components, warnings, rights }
}

/** What is wrong with the nodes; empty when nothing is known to be. */
function troubleOf(capacity: Capacity | undefined): string {
  if (capacity === undefined) return ''
  const { nodes, readyNodes } = capacity
  if (nodes === 0) return 'The cluster has no node: nothing can run on it.'
  return readyNodes < nodes ? `${nodes - readyNodes} of ${nodes} nodes are not ready.` : ''
}

const NOT_SEEN: Observation = {
  state: 'Unknown',
  message: 'The cluster has not been looked at yet.',
  components: [],
  warnings: [],
  rights: [],
}
