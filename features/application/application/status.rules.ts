import type { Condition, KubeObject } from '@quarterdeck/kernel'
import type { ApplicationState } from './application.contract.ts'
import type { KubeContainerStatus } from './pod.rules.ts'
import { conditionOf, rolloutOf, worstTrouble } from './rollout.rules.ts'

/** What the cluster holds of one application. */
export interface Observed {
  deployment?: KubeObject | undefined
  pods: KubeObject[]
  events: KubeObject[]
}

/** What the platform itself knows of it. */
export interface Known {
  /** True from the acceptance of its deletion until it is gone. */
  deleting: boolean
  /** True while an operation on it has not ended. */
  changing: boolean
}

/** The state in one word and, where it is not Healthy, why and what to do. */
export function stateOf(
  { deployment, pods, events }: Observed,
  known: Known,
): { state: ApplicationState; message: string } {
  if (known.deleting) return { state: 'Deleting', message: 'It is being deleted.' }
  if (!deployment) {
    return known.changing
      ? { state: 'Progressing', message: 'It is being made.' }
      : {
          state: 'Failed',
          message: 'Its Deployment is not in the cluster: somebody deleted it there. Deploy it again.',
        }
  }
  const wanted = deployment.spec?.replicas ?? 1
  const rollout = rolloutOf(deployment, { pods, events })
  if (rollout.available) {
    return wanted === 0
      ? { state: 'Stopped', message: 'It is scaled to 0. Scale it up to start it.' }
      : { state: 'Healthy', message: '' }
  }
  const available = deployment.status?.availableReplicas ?? 0
  const refused = conditionOf(deployment, 'ReplicaFailure')?.status === 'True'
  const stuck = worstTrouble(pods, events)?.stuck === true
  // While something is under way, what the cluster has given up may be the rollout before.
  if ((rollout.exceeded && !known.changing) || refused || stuck) {
    return { state: available > 0 ? 'Degraded' : 'Failed', message: rollout.message }
  }
  const rolled = (deployment.status?.updatedReplicas ?? 0) >= wanted && known.changing === false
  return { state: rolled && available > 0 && available < wanted ? 'Degraded' : 'Progressing', message: rollout.message }
}

/** Sum over all containers of all pods. */
export const restartsOf = (pods: KubeObject[]): number =>
  pods
    .flatMap((pod): KubeContainerStatus[] => pod.status?.containerStatuses ?? [])
    .reduce((sum, { restartCount }) => sum + restartCount, 0)

/** When the workload or its configuration last changed, as far as it tells. */
export const changeTimeOf = (deployment: KubeObject | undefined): string | undefined =>
  (deployment?.metadata.managedFields ?? [])
    .filter(({ subresource }) => subresource === undefined)
    .map(({ time }) => time)
    .concat(deployment?.metadata.creationTimestamp)
    .filter((time): time is string => time !== undefined)
    .toSorted()
    .at(-1)

/** The Deployment's conditions and whether the cluster still is what was declared. */
export function conditionsOf(deployment: KubeObject | undefined, drift: string[], now: string): Condition[] {
  const own: Condition[] = (deployment?.status?.conditions ?? []).map(
    (condition: { type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string }) => ({
      type: condition.type,
      status: condition.status === 'True' || condition.status === 'False' ? condition.status : 'Unknown',
      reason: condition.reason ?? '',
      message: condition.message ?? '',
      lastTransitionTime: condition.lastTransitionTime ?? now,
    }),
  )
  const changed = changeTimeOf(deployment) ?? now
  return [
    ...own,
    drift.length === 0
      ? { type: 'AsDeclared', status: 'True', reason: 'Same', message: '', lastTransitionTime: changed }
      : {
          type: 'AsDeclared',
          status: 'False',
          reason: 'ChangedElsewhere',
          message: `Changed outside Quarterdeck: ${drift.slice(0, 5).join('; ')}${drift.length > 5 ? ` and ${drift.length - 5} more` : ''}. Deploy it again to put it back.`,
          lastTransitionTime: changed,
        },
  ]
}
