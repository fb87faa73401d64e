import { setTimeout as delay } from 'node:timers/promises'
import { clusterForbidden, isProblem, type KubeObject } from '@quarterdeck/kernel'
import { watchExpired } from '@quarterdeck/kube'
import { Position, readBatches } from './container-reader.ts'
import { type ContainerLog, containerLogs } from './containers.ts'
import { FollowQueue } from './follow-queue.ts'
import { frameOf, matcher } from './match.ts'
import { type LogFrame, type LogSource, listPods, type PodLogsRequest, podsOf, positionKey, wanted } from './request.ts'

const RETRY_MS = 1_000
const RETRY_LIMIT_MS = 10_000

/**
 * What the pods write from `positions` on: of those that are there and of those that come, of restarted containers
 * from the start of their new run. A stream that breaks is taken up again where it was.
 */
export async function* followPods(
  cluster: LogSource,
  request: PodLogsRequest,
  positions: Map<string, Position>,
): AsyncGenerator<LogFrame, void, undefined> {
  const own = new AbortController()
  const signal = AbortSignal.any([request.signal, own.signal])
  const queue = new FollowQueue<ContainerLog>()
  signal.addEventListener('abort', () => queue.end(), { once: true })
  const follower = new Follower(cluster, { ...request, signal }, queue, positions)
  let failure: unknown
  const ended = follower
    .run()
    .catch((error: unknown) => {
      if (!signal.aborted) failure = error
    })
    .finally(() => queue.end())
  try {
    for await (const entry of queue.read()) {
      yield 'note' in entry ? entry : frameOf(entry.source, entry.line)
    }
    if (failure) throw failure
  } finally {
    own.abort()
    await ended
  }
}

class Follower {
  readonly #cluster: LogSource
  readonly #request: PodLogsRequest
  readonly #queue: FollowQueue<ContainerLog>
  readonly #positions: Map<string, Position>
  readonly #matches: ReturnType<typeof matcher>
  /** Runs that are being read, or have been to their end. */
  readonly #begun = new Set<string>()
  readonly #reading = new Map<string, Promise<void>>()
  /** What is known of each container, by pod and name. */
  readonly #known = new Map<string, ContainerLog>()
  /** Names of the pods that are there, by uid. */
  readonly #pods = new Map<string, string>()
  #first = true

  constructor(
    cluster: LogSource,
    request: PodLogsRequest,
    queue: FollowQueue<ContainerLog>,
    positions: Map<string, Position>,
  ) {
    this.#cluster = cluster
    this.#request = request
    this.#queue = queue
    this.#positions = positions
    this.#matches = matcher(request.search)
  }

  /** Ends when the signal aborts, or when the one pod that was asked for is gone. */
  async run(): Promise<void> {
    const { signal } = this.#request
    let failures = 0
    while (!signal.aborted) {
      try {
        const { items, resourceVersion } = await listPods(this.#cluster, this.#request)
        if (failures > 0) this.#queue.note('The cluster answers again')
        failures = 0
        this.#seeAll(items)
        if (!this.#over) await this.#watch(resourceVersion)
        if (this.#over) return void (await Promise.all(this.#reading.values()))
      } catch (error) {
        if (signal.aborted || isProblem(error, clusterForbidden)) throw error
        if (isProblem(error, watchExpired)) continue
        if (failures === 0) this.#queue.note(`New pods are not seen at the moment: ${(error as Error).message}`)
        failures += 1
        await this.#pause(failures)
      }
    }
  }

  /** True when only one pod was asked for and it is gone. */
  get #over(): boolean {
    const { pod } = this.#request
    return pod !== undefined && ![...this.#pods.values()].includes(pod)
  }

  async #watch(resourceVersion: string): Promise<void> {
    const { signal } = this.#request
    let from = resourceVersion
    while (!signal.aborted) {
      const watched = { ...podsOf(this.#request), resourceVersion: from }
      for await (const { type, object } of this.#cluster.watch(watched, { signal })) {
        from = object.metadata.resourceVersion ?? from
        if (type === 'DELETED') this.#gone(object.metadata.uid ?? '')
        else if (type !== 'BOOKMARK') this.#see(object)
        if (this.#over) return
      }
    }
  }

  #seeAll(pods: KubeObject[]): void {
    const there = new Set(pods.map(({ metadata }) => metadata.uid ?? ''))
    for (const uid of this.#pods.keys()) if (!there.has(uid)) this.#gone(uid)
    for (const pod of pods) this.#see(pod)
    this.#first = false
  }

  #see(pod: KubeObject): void {
    const logs = containerLogs(pod).filter((log) => wanted(this.#request, log))
    if (logs.length === 0) return
    const uid = pod.metadata.uid ?? ''
    if (!this.#pods.has(uid)) {
      this.#pods.set(uid, pod.metadata.name)
      if (!this.#first) this.#queue.note('The pod is new', pod.metadata.name)
    }
    for (const log of logs) this.#seeContainer(log)
  }

  #seeContainer(log: ContainerLog): void {
    const name = `${log.uid}/${log.container}`
    const before = this.#known.get(name)
    this.#known.set(name, log)
    if (before && log.restarts > before.restarts) {
      this.#queue.note(
        `${log.container} has been restarted ${log.restarts === 1 ? 'once' : `${log.restarts} times`}`,
        log.pod,
      )
    }
    if (before && log.why !== before.why && worthTelling(log)) this.#queue.note(`${log.container}: ${log.why}`, log.pod)
    const key = positionKey(log)
    if (log.runId === undefined || this.#begun.has(key)) return
    this.#begun.add(key)
    if (this.#positions.get(key)?.complete) return
    const reading = this.#read(log, key).finally(() => this.#reading.delete(key))
    this.#reading.set(key, reading)
  }

  #gone(uid: string): void {
    const pod = this.#pods.get(uid)
    if (pod === undefined) return
    this.#pods.delete(uid)
    for (const [name, log] of this.#known) if (log.uid === uid) this.#known.delete(name)
    this.#queue.note('The pod is gone', pod)
  }

  /** Reads one run to its end. */
  async #read(log: ContainerLog, key: string): Promise<void> {
    const { namespace, signal, tailLines } = this.#request
    const { pod, container } = log
    const position = this.#positions.get(key) ?? new Position()
    this.#positions.delete(key)
    // Nothing of what was written before was asked for.
    let atEnd = this.#first && tailLines === 0
    let failures = 0
    while (!signal.aborted) {
      try {
        const since = position.begun ? { sinceTime: position.sinceTime } : atEnd ? { tailLines: 0 } : {}
        const bytes = await this.#cluster.logs({
          namespace,
          pod,
          container,
          follow: true,
          timestamps: true,
          signal,
          ...since,
        })
        for await (const batch of readBatches(bytes, position)) {
          failures = 0
          const lines = this.#matches ? batch.filter(this.#matches) : batch
          await this.#queue.push(log, lines, this.#reading.size === 1)
        }
        atEnd = false
        await this.#pause(1)
        if (!this.#runsStill(log)) return
      } catch (error) {
        if (signal.aborted) return
        if (!this.#runsStill(log) && failures > 0) return
        if (failures === 0)
          this.#queue.note(`${container}: reading broke off (${(error as Error).message}) and is tried again`, pod)
        failures += 1
        await this.#pause(failures)
      }
    }
  }

  #runsStill({ uid, container, runId }: ContainerLog): boolean {
    const now = this.#known.get(`${uid}/${container}`)
    return now?.runId === runId && now?.running === true
  }

  async #pause(times: number): Promise<void> {
    const ms = Math.min(RETRY_LIMIT_MS, RETRY_MS * 2 ** (times - 1))
    await delay(ms, undefined, { signal: this.#request.signal }).catch(() => undefined)
  }
}

/** Not the ordinary steps of starting, and not that it runs. */
const worthTelling = ({ why }: ContainerLog): boolean =>
  why !== '' && !/^(ContainerCreating|PodInitializing|Completed|not started)/.test(why)
