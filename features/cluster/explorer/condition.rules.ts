/** A condition of an object as it is shown. */
export interface ShownCondition {
  type: string
  status: string
  reason: string
  message: string
  time: string | undefined
  tone: 'good' | 'bad' | 'warn' | 'mute'
}

interface Condition {
  type?: string
  status?: string
  reason?: string
  message?: string
  lastTransitionTime?: string
}
interface ContainerState {
  waiting?: { reason?: string; message?: string }
  terminated?: { reason?: string; message?: string; exitCode?: number }
}
interface ContainerStatus {
  name?: string
  state?: ContainerState
  ready?: boolean
}
interface PodLike {
  status?: {
    phase?: string
    reason?: string
    message?: string
    conditions?: Condition[]
    initContainerStatuses?: ContainerStatus[]
    containerStatuses?: ContainerStatus[]
  }
}

/** Conditions that are good when they are False: something that is the matter. */
const ILL =
  /(Pressure|Unavailable|Failure|Failed|Degraded|Stalled|Dangling|Disruption|Terminating|Conflict|Violation|Suspended|Resizing)/

/** The conditions of any object that has them in the usual place. */
export function conditionsOf(object: object): ShownCondition[] {
  const conditions = (object as PodLike).status?.conditions
  if (!Array.isArray(conditions)) return []
  return conditions
    .filter(({ type }) => typeof type === 'string')
    .map(({ type = '', status = '', reason = '', message = '', lastTransitionTime }) => {
      const ill = ILL.test(type)
      const tone = status === 'Unknown' ? 'mute' : (status === 'True') !== ill ? 'good' : 'bad'
      return { type, status, reason, message, time: lastTransitionTime, tone }
    })
}

/** Why a pod does not run: what the scheduler says, and what each of its containers waits for. Empty when it runs. */
export function whyNotRunning(object: object): { what: string; why: string }[] {
  const { status = {} } = object as PodLike
  if (status.phase === 'Succeeded') return []
  const scheduled = status.conditions?.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False')
  const whole = [
    ...(scheduled ? [{ what: scheduled.reason ?? 'Unschedulable', why: scheduled.message ?? '' }] : []),
    ...(status.reason || (status.phase === 'Failed' && status.message)
      ? [{ what: status.reason ?? 'Failed', why: status.message ?? '' }]
      : []),
  ]
  const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]
  const containers = all.flatMap(({ name = '', state }) => {
    const { waiting, terminated } = state ?? {}
    if (waiting && waiting.reason !== 'PodInitializing' && waiting.reason !== 'ContainerCreating') {
      return [{ what: `${name}: ${waiting.reason ?? 'Waiting'}`, why: waiting.message ?? '' }]
    }
    if (terminated && terminated.exitCode !== 0) {
      return [
        {
          what: `${name}: ${terminated.reason ?? 'Error'} (${terminated.exitCode ?? '?'})`,
          why: terminated.message ?? '',
        },
      ]
    }
    return []
  })
  return [...whole, ...containers]
}
