import { clusterForbidden, isProblem, notFound } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import { Position, readBatches } from './container-reader.ts'
import { type ContainerLog, containerLogs } from './containers.ts'
import { followPods } from './follow.ts'
import type { TimedLine } from './line-scanner.ts'
import { frameOf, matcher } from './match.ts'
import { mergeByTime } from './merge.ts'
import { type LogFrame, type LogSource, listPods, type PodLogsRequest, positionKey, wanted } from './request.ts'
import { Tail } from './tail.ts'

// Pods of one application beyond this are not read together; a person picks one.
const CONTAINERS = 500
const OPEN_AT_ONCE = 16
const TAIL_SIZE = 64 * 2 ** 20

/**
 * The logs of all pods that the selector finds, in the order of time; then, with `follow`, what is written from there
 * on, none twice. Ends when the signal aborts. Throws notFound for a pod or container that is not there, and what
 * listing the pods throws; a single log that cannot be read is a remark.
 */
export async function* readPodLogs(
  cluster: LogSource,
  request: PodLogsRequest,
): AsyncGenerator<LogFrame, void, undefined> {
  const { items } = await listPods(cluster, request)
  const found = items.flatMap(containerLogs).filter((log) => wanted(request, log))
  if (found.length === 0) requireWanted(items.flatMap(containerLogs), request)
  const logs = found.slice(0, CONTAINERS)
  if (found.length > logs.length) {
    yield { note: `There are ${found.length} containers; the first ${CONTAINERS} are read. Pick a pod for the others.` }
  }
  if (found.length === 0) yield { note: 'There is no pod' }
  const positions = new Map<string, Position>()
  yield* backlog(cluster, request, logs, positions)
  if (request.follow && !request.previous && !request.signal.aborted) yield* followPods(cluster, request, positions)
}

function requireWanted(all: ContainerLog[], { pod, container }: PodLogsRequest): void {
  const ofPod = pod === undefined ? all : all.filter((log) => log.pod === pod)
  if (pod !== undefined && ofPod.length === 0) {
    const pods = [...new Set(all.map((log) => log.pod))]
    throw notFound({ detail: `The application has no pod ${pod}. It has ${listed(pods)}.` })
  }
  if (container !== undefined && ofPod.length > 0) {
    const names = [...new Set(ofPod.map((log) => log.container))]
    throw notFound({ detail: `There is no container ${container}. There is ${listed(names)}.` })
  }
}

const listed = (names: string[]) =>
  names.length === 0 ? 'none' : names.slice(0, 10).join(', ') + (names.length > 10 ? ' …' : '')

interface Opened {
  log: ContainerLog
  batches: AsyncGenerator<TimedLine[], void, undefined>
}

async function* backlog(
  cluster: LogSource,
  request: PodLogsRequest,
  logs: ContainerLog[],
  positions: Map<string, Position>,
): AsyncGenerator<LogFrame, void, undefined> {
  const { search, previous, tailLines } = request
  const notes: LogFrame[] = []
  const readable = logs.filter((log) => (previous ? log.hasPrevious : log.runId !== undefined))
  for (const log of logs) {
    if (!readable.includes(log)) notes.push(nothingOf(log, previous))
  }
  yield* notes.splice(0)
  if (tailLines === 0 && request.follow) return
  const opened = await openAll(cluster, request, readable, positions, notes)
  const tell = (source: number, line: TimedLine): LogFrame => frameOf((opened[source] as Opened).log, line)
  const merged = mergeByTime(opened.map(({ batches }) => batches))
  if (tailLines === undefined || (opened.length === 1 && !search)) {
    for await (const { source, line } of merged) {
      yield* notes.splice(0)
      yield tell(source, line)
    }
  } else {
    const tail = new Tail<{ source: number; line: TimedLine }>({
      limit: tailLines,
      limitSize: TAIL_SIZE,
      sizeOf: ({ line }) => line.text.length + 100,
    })
    for await (const entry of merged) tail.push(entry)
    if (tail.oversize > 0)
      yield { note: `${tail.oversize} lines before these are left out: together they are too large` }
    for (let entry = tail.shift(); entry; entry = tail.shift()) yield tell(entry.source, entry.line)
  }
  yield* notes
}

function nothingOf({ pod, container, why }: ContainerLog, previous: boolean | undefined): LogFrame {
  const note = previous ? `${container} has not been restarted` : `${container} has no log yet: ${why}`
  return { note, pod }
}

async function openAll(
  cluster: LogSource,
  request: PodLogsRequest,
  logs: ContainerLog[],
  positions: Map<string, Position>,
  notes: LogFrame[],
): Promise<Opened[]> {
  const opened: (Opened | undefined)[] = []
  let next = 0
  const work = async () => {
    while (next < logs.length) {
      const index = next++
      opened[index] = await open(cluster, request, logs[index] as ContainerLog, positions, notes)
    }
  }
  await Promise.all(Array.from({ length: OPEN_AT_ONCE }, work))
  return opened.filter((one) => one !== undefined)
}

async function open(
  cluster: LogSource,
  request: PodLogsRequest,
  log: ContainerLog,
  positions: Map<string, Position>,
  notes: LogFrame[],
): Promise<Opened | undefined> {
  const { namespace, previous, search, tailLines, sinceSeconds, signal } = request
  const { pod, container } = log
  const position = new Position()
  const failed = (error: unknown) => {
    signal.throwIfAborted()
    if (isProblem(error, clusterForbidden)) throw error
    notes.push({ note: `${container} cannot be read: ${(error as Error).message}`, pod })
  }
  try {
    const options: Parameters<Cluster['logs']>[0] = { namespace, pod, container, previous, timestamps: true, signal }
    // A search looks through the whole log and keeps the last lines that it finds.
    const bytes = await cluster.logs({ ...options, sinceSeconds, tailLines: search ? undefined : tailLines })
    position.complete = !log.running
    positions.set(positionKey(log), position)
    return { log, batches: matching(readBatches(bytes, position), search, failed) }
  } catch (error) {
    failed(error)
    return undefined
  }
}

async function* matching(
  batches: AsyncGenerator<TimedLine[], void, undefined>,
  search: string | undefined,
  failed: (error: unknown) => void,
): AsyncGenerator<TimedLine[], void, undefined> {
  const matches = matcher(search)
  try {
    for await (const batch of batches) yield matches ? batch.filter(matches) : batch
  } catch (error) {
    failed(error)
  }
}
