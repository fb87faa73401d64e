import type { KubeObject } from '@quarterdeck/kernel'

/** One container of one pod, with the run of it that has a log. */
export interface ContainerLog {
  pod: string
  /** Of the pod: a new pod of the same name is another one. */
  uid: string
  container: string
  /** The runtime's id of the present or last run; absent while there was none. */
  runId?: string
  running: boolean
  /** True when there was a run before this one. */
  hasPrevious: boolean
  restarts: number
  /** Why it does not run: `ImagePullBackOff: …`, `Completed`, `OOMKilled (exit code 137)`. Empty while it runs. */
  why: string
}

interface Terminated {
  containerID?: string
  reason?: string
  exitCode?: number
}
interface ContainerStatus {
  name: string
  containerID?: string
  restartCount?: number
  state?: { running?: object; terminated?: Terminated; waiting?: { reason?: string; message?: string } }
  lastState?: { terminated?: Terminated }
}

/** Every container of the pod, init containers first, in the pod's own order. */
export function containerLogs(pod: KubeObject): ContainerLog[] {
  const { spec, status, metadata } = pod
  const statuses = new Map(
    [status?.initContainerStatuses, status?.containerStatuses, status?.ephemeralContainerStatuses]
      .flatMap((list: ContainerStatus[] | undefined) => list ?? [])
      .map((one) => [one.name, one]),
  )
  const names = [spec?.initContainers, spec?.containers, spec?.ephemeralContainers].flatMap(
    (list: { name: string }[] | undefined) => (list ?? []).map(({ name }) => name),
  )
  return names.map((container) => {
    const one = statuses.get(container)
    const runId = runIdOf(one)
    return {
      pod: metadata.name,
      uid: metadata.uid ?? '',
      container,
      ...(runId ? { runId } : {}),
      running: one?.state?.running !== undefined,
      hasPrevious: Boolean(one?.lastState?.terminated?.containerID),
      restarts: one?.restartCount ?? 0,
      why: whyNot(one),
    }
  })
}

/** The kubelet's own choice: the present run, else the last one that ended (kubelet validateContainerLogStatus). */
function runIdOf(status: ContainerStatus | undefined): string | undefined {
  const { state, lastState, containerID } = status ?? {}
  if (state?.running) return containerID
  return state?.terminated?.containerID || lastState?.terminated?.containerID
}

function whyNot(status: ContainerStatus | undefined): string {
  const { running, waiting, terminated } = status?.state ?? {}
  if (running) return ''
  if (waiting) return [waiting.reason ?? 'waiting', waiting.message].filter(Boolean).join(': ')
  return terminated ? endOf(terminated) : 'not started'
}

const endOf = ({ reason, exitCode }: Terminated) =>
  exitCode ? `${reason ?? 'Error'} (exit code ${exitCode})` : (reason ?? 'Completed')
