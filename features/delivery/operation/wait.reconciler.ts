import { type KubeObject, type KubeRef, refText } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import type { RolloutOf } from './operation.contract.ts'
import { availableStep, awaited, goneStep, type Intent, type Result } from './operation.rules.ts'

/** What one wait has seen. */
export interface Seen {
  step: string
  done: boolean
  message: string
  /** Changes when it came nearer. */
  mark: string
  /** The cluster has given up, or the object is gone: waiting on is pointless. */
  hopeless: boolean
  /** Where to go on watching; absent when there is nothing to watch. */
  watch?: { ref: KubeRef; resourceVersion: string }
  /** To be remembered as the result's. */
  exceededBefore?: { ref: KubeRef; exceeded: string }
}

/** Kubernetes cuts its times to seconds. */
const CLOCK_SECONDS = 2

interface Waiting {
  intent: Intent
  results: Result[]
  /** Since the operation began. */
  waitedSeconds: number
}

/** Looks at everything that an operation waits for. */
export const lookAtAll = (
  cluster: Cluster,
  { intent, results, waitedSeconds }: Waiting,
  rolloutOf: RolloutOf,
): Promise<Seen[]> =>
  Promise.all([
    ...awaited(intent).map((ref) => {
      const exceededBefore = results.find((result) => refText(result.ref) === refText(ref))?.exceededBefore
      return lookAtWorkload(cluster, ref, rolloutOf, { exceededBefore, waitedSeconds })
    }),
    ...intent.removed.map((ref) => lookAtRemoved(cluster, ref)),
  ])

async function lookAtWorkload(
  cluster: Cluster,
  ref: KubeRef,
  rolloutOf: RolloutOf,
  { exceededBefore, waitedSeconds }: { exceededBefore: string | undefined; waitedSeconds: number },
): Promise<Seen> {
  const step = availableStep(ref)
  const workload = await cluster.get(ref)
  if (!workload) {
    const message = `${refText(ref)} was deleted by somebody else. Undo or repeat this operation.`
    return { step, done: false, message, mark: 'gone', hopeless: true }
  }
  const first = rolloutOf(workload, { pods: [], events: [] })
  const rollout = first.available ? first : rolloutOf(workload, await around(cluster, workload))
  const { available, message, mark, exceeded } = rollout
  const resourceVersion = workload.metadata.resourceVersion ?? ''
  const seen = { step, done: available, message, mark, watch: { ref, resourceVersion } }
  // Until the cluster has taken it up, whatever it has given up is the rollout before.
  const observed = (workload.status?.observedGeneration ?? 0) >= (workload.metadata.generation ?? 1)
  // It counts from when any rollout last came nearer, so it may give up one that has only begun.
  const { progressDeadlineSeconds = 600 }: { progressDeadlineSeconds?: number } = workload.spec ?? {}
  const early = waitedSeconds < progressDeadlineSeconds - CLOCK_SECONDS
  if ((!observed || early) && exceeded !== false) return { ...seen, hopeless: false, exceededBefore: { ref, exceeded } }
  return { ...seen, hopeless: exceeded !== false && exceeded !== exceededBefore }
}

/** Pods of a workload and what is said about them; only for explaining, so what cannot be read is left out. */
async function around(cluster: Cluster, workload: KubeObject): Promise<{ pods: KubeObject[]; events: KubeObject[] }> {
  const { namespace } = workload.metadata
  const labels: Record<string, string> = workload.spec?.selector?.matchLabels ?? {}
  const labelSelector = Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')
  const [pods, events] = await Promise.all([
    cluster.list({ apiVersion: 'v1', kind: 'Pod', namespace, labelSelector, limit: 200 }).then(({ items }) => items),
    cluster.list({ apiVersion: 'v1', kind: 'Event', namespace, fieldSelector: 'reason=Unhealthy', limit: 200 }).then(
      ({ items }) => items,
      () => [],
    ),
  ])
  return { pods, events }
}

async function lookAtRemoved(cluster: Cluster, { uid, ...ref }: KubeRef & { uid?: string }): Promise<Seen> {
  const step = goneStep(ref)
  const object = await cluster.get(ref)
  if (!object || (uid !== undefined && object.metadata.uid !== uid)) {
    return { step, done: true, message: '', mark: 'gone', hopeless: false }
  }
  const message = whyStill(object)
  const resourceVersion = object.metadata.resourceVersion ?? ''
  return {
    step,
    done: false,
    message,
    mark: `${message} ${resourceVersion}`,
    hopeless: false,
    watch: { ref, resourceVersion },
  }
}

function whyStill(object: KubeObject): string {
  const finalizers = object.metadata.finalizers ?? []
  if (finalizers.length > 0) return `It waits for ${finalizers.join(', ')} to let go of it.`
  const conditions: { status: string; message: string; type: string }[] = object.status?.conditions ?? []
  const remaining = conditions.find(({ type, status }) => /Remaining|Failure/.test(type) && status === 'True')
  if (remaining) return remaining.message
  return object.kind === 'Pod' ? 'The pod is given time to end its work.' : 'The cluster is deleting it.'
}
