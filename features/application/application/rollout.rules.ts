import type { KubeObject } from '@quarterdeck/kernel'
import type { Rollout } from '../../delivery/operation/operation.contract.ts'
import { isReady, type PodTrouble, podTrouble, sentence } from './pod.rules.ts'

interface Counts {
  wanted: number
  /** Of the newest template. */
  updated: number
  available: number
  ready: number
  /** All that are there, old ones included. */
  present: number
}

function countsOf({ kind, spec, status = {} }: KubeObject): Counts {
  if (kind === 'DaemonSet') {
    const wanted = status.desiredNumberScheduled ?? 0
    const present = status.currentNumberScheduled ?? 0
    const updated = status.updatedNumberScheduled ?? 0
    return { wanted, present, updated, available: status.numberAvailable ?? 0, ready: status.numberReady ?? 0 }
  }
  return {
    wanted: spec?.replicas ?? 1,
    updated: status.updatedReplicas ?? 0,
    available: status.availableReplicas ?? 0,
    ready: status.readyReplicas ?? 0,
    present: status.replicas ?? 0,
  }
}

const pods = (count: number) => (count === 1 ? '1 pod' : `${count} pods`)

/**
 * How far a Deployment, StatefulSet or DaemonSet is. Available means what `kubectl rollout status` means by it: all
 * pods are of the newest template and available, and no old one is left.
 */
export function rolloutOf(workload: KubeObject, around: { pods: KubeObject[]; events: KubeObject[] }): Rollout {
  const counts = countsOf(workload)
  const { wanted, updated, available, present, ready } = counts
  const observed = (workload.status?.observedGeneration ?? 0) >= (workload.metadata.generation ?? 1)
  const mark = `${observed} ${wanted} ${updated} ${ready} ${available} ${present}`
  const exceeded = exceededTime(workload)
  if (!observed) return { available: false, mark, exceeded, message: 'The cluster has not taken it up yet.' }
  if (updated === wanted && available === wanted && present === wanted) {
    const message =
      wanted === 0
        ? 'No pod is wanted and none runs.'
        : wanted === 1
          ? 'Its pod is ready.'
          : `All ${wanted} pods are ready.`
    return { available: true, mark, exceeded: false, message }
  }
  return {
    available: false,
    mark,
    exceeded,
    message: [state(counts), cause(workload, around)].filter(Boolean).join(' '),
  }
}

/** Kubernetes leaves this condition of the rollout before as it is when it returns to a ReplicaSet that is there. */
function exceededTime(workload: KubeObject): string | false {
  const condition = conditionOf(workload, 'Progressing')
  return condition?.reason === 'ProgressDeadlineExceeded' && (condition.lastUpdateTime ?? 'unknown')
}

const are = (count: number, of: number) => (count === 1 || of === 1 ? 'is' : 'are')

function state({ wanted, updated, available, present }: Counts): string {
  if (updated < wanted) return `${updated} of ${pods(wanted)} ${are(updated, wanted)} of the new version.`
  if (available < wanted) return `${available} of ${pods(wanted)} ${are(available, wanted)} ready.`
  const more = present - wanted
  return more > 0 ? `${pods(more)} more than wanted ${are(more, more)} still to end.` : ''
}

interface KubeCondition {
  type: string
  status: string
  reason?: string
  message?: string
  lastUpdateTime?: string
}

export const conditionOf = (object: KubeObject, type: string): KubeCondition | undefined =>
  (object.status?.conditions ?? []).find((condition: KubeCondition) => condition.type === type)

/** Why pods are missing: they cannot be made, or the newest of those that are not ready says it. */
function cause(workload: KubeObject, { pods: all, events }: { pods: KubeObject[]; events: KubeObject[] }): string {
  const failure = conditionOf(workload, 'ReplicaFailure')
  if (failure?.status === 'True') return creationSentence(failure.message ?? '')
  const worst = worstTrouble(all, events)
  return worst ? `${worst.pod}: ${worst.message}` : ''
}

/** The trouble of the newest pod that is stuck, else of the newest that is not ready. */
export function worstTrouble(all: KubeObject[], events: KubeObject[]): (PodTrouble & { pod: string }) | undefined {
  const found = all
    .filter((pod) => !isReady(pod))
    .toSorted((one, other) =>
      (other.metadata.creationTimestamp ?? '').localeCompare(one.metadata.creationTimestamp ?? ''),
    )
    .flatMap((pod) => {
      const trouble = podTrouble(pod, events)
      return trouble ? [{ ...trouble, pod: pod.metadata.name }] : []
    })
  return found.find(({ stuck }) => stuck) ?? found[0]
}

/** `pods "shop-1" is forbidden: exceeded quota: team, requested: pods=1, used: pods=3, limited: pods=3` */
function creationSentence(message: string): string {
  const quota = /exceeded quota: ([^,]+), requested: (.+?), used: (.+?), limited: (.+)$/.exec(message)
  if (!quota) return `Pods cannot be made: ${sentence(message)}`
  const [, name, requested, used, limited] = quota
  return `Pods cannot be made: quota ${name} allows ${limited}, ${used} is used and one more pod needs ${requested}. Scale something down or have the quota raised.`
}
