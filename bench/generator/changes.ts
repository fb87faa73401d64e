import type { Generated, KubernetesObject } from './shape.ts'

interface ContainerStatus {
  restartCount: number
  ready: boolean
  state: object
}

/** A pod that has changed: its container was restarted for the n-th time, and now and then it crashes or runs again. */
export function changedPod({ key, object }: Generated, restarts: number, crashing: boolean): Generated {
  const status = object.status as { containerStatuses?: ContainerStatus[]; phase: string }
  const [first, ...others] = status.containerStatuses ?? []
  if (!first) return { key, object }
  const waiting = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s restarting failed container=app' } }
  const changed: KubernetesObject = {
    ...object,
    status: {
      ...status,
      phase: 'Running',
      // Others keep nothing, so that the sum that is shown is the number of this change.
      containerStatuses: [
        {
          ...first,
          restartCount: restarts,
          ready: !crashing,
          state: crashing ? waiting : { running: { startedAt: '2026-11-21T06:00:00Z' } },
        },
        ...others.map((other) => ({ ...other, restartCount: 0 })),
      ],
    },
  }
  return { key, object: changed }
}

/** Pods that can be changed so: those that have run. */
export const isChangeable = ({ object }: Generated): boolean =>
  object.kind === 'Pod' &&
  object.metadata.deletionTimestamp === undefined &&
  ((object.status as { containerStatuses?: unknown[]; phase: string }).containerStatuses?.length ?? 0) > 0 &&
  (object.status as { phase: string }).phase === 'Running'
