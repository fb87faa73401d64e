import { type KubeObject, quantityValue } from '@quarterdeck/kernel'
import type { NodeSummary } from './cluster.contract.ts'

/** Cores and bytes. */
export interface Requests {
  cpuCores: number
  memoryBytes: number
}
type Resources = Record<string, string> | undefined
interface Container {
  restartPolicy?: string
  resources?: { requests?: Resources }
}

/** Pods that hold what they asked for: those that have not ended. */
const holdsResources = (pod: KubeObject): boolean => pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed'

/**
 * What the scheduler counts for a pod: its containers and sidecars together, or its largest init container with the
 * sidecars that run beside it, whichever is more, and the overhead (scheduler's resource.PodRequests).
 */
export function podRequests(pod: KubeObject): Requests {
  const of = (resource: 'cpu' | 'memory') => {
    const whole = pod.spec?.resources?.requests?.[resource]
    const overhead = quantityValue(pod.spec?.overhead?.[resource])
    if (whole !== undefined) return quantityValue(whole) + overhead
    const request = (container: Container) => quantityValue(container.resources?.requests?.[resource])
    let sidecars = 0
    let starting = 0
    for (const container of (pod.spec?.initContainers ?? []) as Container[]) {
      if (container.restartPolicy === 'Always') sidecars += request(container)
      starting = Math.max(starting, sidecars + (container.restartPolicy === 'Always' ? 0 : request(container)))
    }
    const running = ((pod.spec?.containers ?? []) as Container[]).reduce((sum, one) => sum + request(one), sidecars)
    return Math.max(running, starting) + overhead
  }
  return { cpuCores: of('cpu'), memoryBytes: of('memory') }
}

const sum = (pods: readonly KubeObject[]): Requests =>
  pods
    .filter(holdsResources)
    .map(podRequests)
    .reduce((a, b) => ({ cpuCores: a.cpuCores + b.cpuCores, memoryBytes: a.memoryBytes + b.memoryBytes }), {
      cpuCores: 0,
      memoryBytes: 0,
    })

/** Thousandths of a core; adding hundreds of 0.1 leaves crumbs. */
export const wholeCores = (value: number) => Math.round(value * 1000) / 1000

/** What one node can give and what the pods on it have asked for. */
export function nodeCapacity(node: KubeObject, pods: readonly KubeObject[]): NodeSummary['capacity'] {
  const allocatable: Resources = node.status?.allocatable
  const requested = sum(pods)
  return {
    pods: pods.filter(holdsResources).length,
    podLimit: quantityValue(allocatable?.pods),
    cpuCores: wholeCores(quantityValue(allocatable?.cpu)),
    cpuRequestedCores: wholeCores(requested.cpuCores),
    memoryBytes: Math.round(quantityValue(allocatable?.memory)),
    memoryRequestedBytes: Math.round(requested.memoryBytes),
  }
}

/** The kubelet reports, and says that it is ready. */
export const isReady = (node: KubeObject): boolean =>
  ((node.status?.conditions ?? []) as { type: string; status: string }[]).some(
    ({ type, status }) => type === 'Ready' && status === 'True',
  )
