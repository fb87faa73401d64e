import type { KubeObject } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import type { ContainerLog } from './containers.ts'

/** A line with where and when it was written, or a remark about what is read. */
export type LogFrame = { time: string; pod: string; container: string; text: string } | { note: string; pod?: string }

/** What of a cluster is needed to read logs. */
export type LogSource = Pick<Cluster, 'list' | 'watch' | 'logs'>

export interface PodLogsRequest {
  namespace: string
  /** Which pods, as kubectl's -l. */
  labelSelector: string
  /** Only this pod of them. */
  pod?: string | undefined
  /** Only containers of this name. */
  container?: string | undefined
  follow?: boolean | undefined
  /** The run before the last restart. */
  previous?: boolean | undefined
  /** The last lines of all logs together. Absent: all. With `search`: the last that hold it. */
  tailLines?: number | undefined
  sinceSeconds?: number | undefined
  search?: string | undefined
  signal: AbortSignal
}

export const wanted = ({ pod, container }: PodLogsRequest, log: ContainerLog): boolean =>
  (pod === undefined || log.pod === pod) && (container === undefined || log.container === container)

/** One run of one container. */
export const positionKey = ({ uid, container, runId }: ContainerLog): string => `${uid}/${container}/${runId ?? ''}`

const PODS = { apiVersion: 'v1', kind: 'Pod' }
export const podsOf = ({ namespace, labelSelector }: PodLogsRequest) => ({ ...PODS, namespace, labelSelector })

/** All pods, oldest first, and where a watch can go on. */
export async function listPods(
  cluster: LogSource,
  request: PodLogsRequest,
): Promise<{ items: KubeObject[]; resourceVersion: string }> {
  const items: KubeObject[] = []
  let page = await cluster.list(podsOf(request), { signal: request.signal })
  items.push(...page.items)
  while (page.continue !== undefined) {
    page = await cluster.list({ ...podsOf(request), continue: page.continue }, { signal: request.signal })
    items.push(...page.items)
  }
  const born = ({ metadata }: KubeObject) => metadata.creationTimestamp ?? ''
  items.sort((a, b) => born(a).localeCompare(born(b)) || a.metadata.name.localeCompare(b.metadata.name))
  return { items, resourceVersion: page.resourceVersion }
}
