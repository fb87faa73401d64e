import type { KubeObject } from '@quarterdeck/kernel'

/** Why a pod does not do its work. `stuck`: it will not by waiting alone. */
export interface PodTrouble {
  reason: string
  /** One sentence: cause, and what to do where that is known. */
  message: string
  stuck: boolean
}

interface Terminated {
  exitCode: number
  reason?: string
  message?: string
  signal?: number
  startedAt?: string
  finishedAt?: string
}

/** A container's status as the kubelet writes it. */
export interface KubeContainerStatus {
  name: string
  image: string
  ready: boolean
  restartCount: number
  state?: {
    waiting?: { reason?: string; message?: string }
    running?: { startedAt?: string }
    terminated?: Terminated
  }
  lastState?: { terminated?: Terminated }
}

interface PodCondition {
  type: string
  status: string
  reason?: string
  message?: string
}

const conditionsOf = (pod: KubeObject): PodCondition[] => pod.status?.conditions ?? []

export const isReady = (pod: KubeObject): boolean =>
  conditionsOf(pod).some(({ type, status }) => type === 'Ready' && status === 'True')

/** The first thing that keeps a pod from being ready; undefined when it is ready or on its way out. */
export function podTrouble(pod: KubeObject, events: KubeObject[] = []): PodTrouble | undefined {
  if (pod.metadata.deletionTimestamp || isReady(pod) || pod.status?.phase === 'Succeeded') return undefined
  const unscheduled = conditionsOf(pod).find(({ type, status }) => type === 'PodScheduled' && status === 'False')
  if (unscheduled) return unschedulable(unscheduled.message ?? '')
  if (pod.status?.phase === 'Failed') {
    const why = pod.status.message ?? pod.status.reason ?? 'it failed'
    return { reason: pod.status.reason ?? 'Failed', message: `The node ended the pod: ${sentence(why)}`, stuck: true }
  }
  const init: KubeContainerStatus[] = pod.status?.initContainerStatuses ?? []
  const main: KubeContainerStatus[] = pod.status?.containerStatuses ?? []
  for (const status of [...init, ...main]) {
    const found = containerTrouble(status)
    if (found) return found
  }
  if (main.some(({ state, ready }) => state?.running && !ready)) return notReady(pod, events)
  return waiting(pod)
}

function waiting(pod: KubeObject): PodTrouble {
  const node = pod.spec?.nodeName
  return node
    ? { reason: 'ContainerCreating', message: `Its containers are being started on ${node}.`, stuck: false }
    : { reason: 'Pending', message: 'It is waiting for a node.', stuck: false }
}

/** The scheduler's own words hold the taints and shortages of all nodes: `0/3 nodes are available: 3 Insufficient cpu.` */
function unschedulable(message: string): PodTrouble {
  const nodes = message.replace(/ (no new claims to deallocate,?|preemption:).*$/s, '').trim()
  const cures = [
    [/Insufficient (cpu|memory)/, 'Ask for less CPU or memory, or add nodes.'],
    [/untolerated taint/, 'Nodes with taints take only pods that tolerate them.'],
    [/node affinity|node selector/, 'No node has the labels that it asks for.'],
    [/Too many pods/, 'The nodes have as many pods as they take; add nodes.'],
    [/unschedulable/, 'Nodes are cordoned; uncordon one.'],
  ] as const
  const cure = cures.find(([form]) => form.test(nodes))?.[1]
  return {
    reason: 'Unschedulable',
    message: [`No node takes it: ${sentence(nodes || 'the scheduler does not say why')}`, cure]
      .filter(Boolean)
      .join(' '),
    stuck: true,
  }
}

const IMAGE_REASONS = new Set([
  'ImagePullBackOff',
  'ErrImagePull',
  'InvalidImageName',
  'ErrImageNeverPull',
  'RegistryUnavailable',
])
const CONFIG_REASONS = new Set([
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'PostStartHookError',
])

function containerTrouble(status: KubeContainerStatus): PodTrouble | undefined {
  const { reason = '', message = '' } = status.state?.waiting ?? {}
  if (IMAGE_REASONS.has(reason)) return { reason, message: pullSentence(status.image, message), stuck: true }
  if (CONFIG_REASONS.has(reason)) {
    return {
      reason,
      message: `Container ${status.name} cannot be started: ${sentence(message || reason)}`,
      stuck: true,
    }
  }
  const ended = status.state?.terminated ?? (reason === 'CrashLoopBackOff' ? status.lastState?.terminated : undefined)
  if (ended && (reason === 'CrashLoopBackOff' || status.restartCount > 0 || ended.exitCode !== 0)) {
    return { reason: reason || ended.reason || 'Error', message: endSentence(status.name, ended), stuck: true }
  }
  if (reason === 'CrashLoopBackOff') {
    const message = `Container ${status.name} ends again and again; see its log.`
    return { reason, message, stuck: true }
  }
  return undefined
}

function pullSentence(image: string, message: string): string {
  const said =
    /(not found|manifest unknown|unauthorized|denied|no such host|connection refused|i\/o timeout|x509[^"]*)/i.exec(
      message,
    )?.[1]
  const why: Record<string, string> = {
    'not found': 'the registry has no such image; check name and tag',
    'manifest unknown': 'the registry has no such tag; check it',
    unauthorized: 'the registry wants a sign-in',
    denied: 'the registry does not allow it',
    'no such host': "the node cannot look up the registry's name",
    'connection refused': 'nothing answers at the registry',
    'i/o timeout': 'the registry does not answer the node',
  }
  const told = said ? (why[said.toLowerCase()] ?? said) : message.replace(/^Back-off pulling image "[^"]*":?\s*/, '')
  return `The image ${image} cannot be pulled: ${sentence(told || 'the node tries again')}`
}

function endSentence(name: string, ended: Terminated): string {
  // The runtime's word for a program that never ran; its start time is then the year 1970.
  if (ended.reason === 'StartError' || ended.reason === 'ContainerCannotRun') {
    const why = /exec: ("[^"]*": .*)$/.exec(ended.message ?? '')?.[1] ?? ended.message ?? ''
    return `Container ${name} cannot be started: ${sentence(why)} Correct its command or its image.`
  }
  const after = secondsBetween(ended.startedAt, ended.finishedAt)
  const when = after === undefined ? '' : after < 1 ? ' at once after its start' : ` ${duration(after)} after its start`
  if (ended.reason === 'OOMKilled') {
    return `Container ${name} was killed${when} because it took more memory than its limit; raise memoryLimit or find what takes it.`
  }
  const how =
    ended.exitCode > 128
      ? `with code ${ended.exitCode} (signal ${ended.exitCode - 128})`
      : `with code ${ended.exitCode}`
  const said = ended.message ? ` It said: ${sentence(ended.message)}` : ''
  return `Container ${name} ends ${how}${when}; see its log.${said}`
}

const secondsBetween = (from: string | undefined, to: string | undefined): number | undefined =>
  from && to ? Math.max(0, (Date.parse(to) - Date.parse(from)) / 1_000) : undefined

const duration = (seconds: number): string => {
  if (seconds < 120) return `${Math.round(seconds)} s`
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`
}

/** The last probe that failed says why a running container is not ready. */
function notReady(pod: KubeObject, events: KubeObject[]): PodTrouble {
  const failed = events
    .filter(({ reason, involvedObject }) => reason === 'Unhealthy' && involvedObject?.uid === pod.metadata.uid)
    .toSorted((one, other) => String(other.lastTimestamp ?? '').localeCompare(String(one.lastTimestamp ?? '')))[0]
  if (!failed) return { reason: 'NotReady', message: 'It runs and is not ready yet.', stuck: false }
  const said = String(failed.message ?? '').replace(/^(Readiness|Liveness|Startup) probe failed:\s*/i, '')
  const which = /^(Liveness|Startup)/i.exec(String(failed.message ?? ''))?.[1]?.toLowerCase() ?? 'readiness'
  return { reason: 'Unhealthy', message: `Its ${which} probe fails: ${sentence(said)}`, stuck: false }
}

/** Ends in a full stop, on one line, at most 300 characters. */
export function sentence(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim().slice(0, 300)
  return /[.!?…]$/.test(line) ? line : `${line}.`
}
