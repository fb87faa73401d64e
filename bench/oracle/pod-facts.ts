import type { KubernetesObject } from '../generator/shape.ts'

/** What kubectl prints in its columns, worked out anew from what a pod says of itself. */
export interface PodFacts {
  phase: string
  status: string
  ready: string
  restarts: number
  node: string
  address: string
  images: string[]
}

interface ContainerState {
  waiting?: { reason?: string }
  terminated?: { reason?: string; exitCode?: number; signal?: number }
  running?: object
}
interface ContainerStatus {
  ready: boolean
  restartCount: number
  state?: ContainerState
}
interface PodStatus {
  phase?: string
  reason?: string
  podIP?: string
  containerStatuses?: ContainerStatus[]
  conditions?: { type: string; status: string }[]
}

/** Of a pod without init containers: the generator makes none. */
export function podFacts({ metadata, spec, status }: KubernetesObject): PodFacts {
  const { nodeName = '', containers } = spec as { nodeName?: string; containers: { image: string }[] }
  const { phase = '', podIP = '', containerStatuses = [] } = status as PodStatus
  return {
    phase,
    status: statusWord(metadata.deletionTimestamp !== undefined, status as PodStatus),
    ready: `${containerStatuses.filter((one) => one.ready && one.state?.running).length}/${containers.length}`,
    restarts: containerStatuses.reduce((sum, one) => sum + one.restartCount, 0),
    node: nodeName,
    address: podIP,
    images: containers.map(({ image }) => image),
  }
}

function statusWord(deleted: boolean, status: PodStatus): string {
  const { phase = '', reason, containerStatuses = [], conditions = [] } = status
  let word = reason || phase
  let running = false
  // The first container's word goes last, so it stays.
  for (const { state, ready } of containerStatuses.toReversed()) {
    if (state?.waiting?.reason) word = state.waiting.reason
    else if (state?.terminated) {
      const { reason: why, signal, exitCode } = state.terminated
      word = why || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`)
    } else if (ready && state?.running) running = true
  }
  if (word === 'Completed' && running) {
    word = conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True') ? 'Running' : 'NotReady'
  }
  if (!deleted) return word
  if (reason === 'NodeLost') return 'Unknown'
  return phase === 'Succeeded' || phase === 'Failed' ? word : 'Terminating'
}
