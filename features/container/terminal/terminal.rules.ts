import type { AuditEntry, KubeObject } from '@quarterdeck/kernel'

/** The container that is meant when none is named: the annotated one, else the first. As kubectl chooses. */
export function defaultContainer(pod: KubeObject): string | undefined {
  const annotated = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container']
  const names = containerNames(pod)
  return annotated !== undefined && names.includes(annotated) ? annotated : names[0]
}

type Named = { name: string }

/** Containers of the pod, the main ones first. */
export const containerNames = ({ spec }: KubeObject): string[] =>
  [spec?.containers, spec?.initContainers, spec?.ephemeralContainers].flatMap((list: Named[] | undefined) =>
    (list ?? []).map(({ name }) => name),
  )

interface ContainerStatus {
  name: string
  state?: { running?: object; waiting?: { reason?: string }; terminated?: { reason?: string } }
}

/** Why a container cannot be entered; undefined when it runs. */
export function whyNotRunning({ status }: KubeObject, container: string): string | undefined {
  const all: (ContainerStatus[] | undefined)[] = [
    status?.containerStatuses,
    status?.initContainerStatuses,
    status?.ephemeralContainerStatuses,
  ]
  const state = all.flatMap((list) => list ?? []).find(({ name }) => name === container)?.state
  if (state?.running) return undefined
  return state?.waiting?.reason ?? state?.terminated?.reason ?? `the pod is ${status?.phase ?? 'Pending'}`
}

/** First byte of a frame of a terminal without a tty. */
export const CHANNEL = { output: 1, error: 2 } as const

/** A terminal was opened or has ended. Of the command only the program: what follows may be secret. */
export interface TerminalEvent {
  kind: 'opened' | 'ended'
  /** RFC 3339. */
  time: string
  /** Name of the user. */
  subject: string
  /** Id of the terminal. */
  terminal: string
  environment: string
  cluster: string
  namespace: string
  pod: string
  container: string
  program: string
  /** Of an ended one; null when it did not end by itself. */
  exitCode?: number | null
}

/** A line of the audit trail for it. */
export function auditEntryOf(event: TerminalEvent): AuditEntry {
  const { kind, subject, terminal, environment, cluster, namespace, pod, container, program, exitCode } = event
  const where = `container ${container} of pod ${pod} in ${environment} (namespace ${namespace} of cluster ${cluster})`
  const how = exitCode == null ? 'ended from outside' : `ended with ${exitCode}`
  return {
    actor: subject,
    act: kind === 'opened' ? 'terminal.open' : 'terminal.end',
    what: `terminal ${terminal} in ${where}`,
    outcome: 'succeeded',
    environment,
    detail: kind === 'opened' ? `program ${program}` : `program ${program}, ${how}`,
  }
}
