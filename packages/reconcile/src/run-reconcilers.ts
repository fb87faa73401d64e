import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log, Store } from '@quarterdeck/store'
import { hint, hintChannel, parseHint } from './hint.ts'
import { KeyLocks } from './key-locks.ts'
import type { Reconciler } from './reconciler.ts'
import { type Item, WorkQueue } from './work-queue.ts'

export interface RunOptions {
  store: Pick<Store, 'db' | 'connect' | 'listen'>
  /** By kind; a kind holds no space. */
  reconcilers: Record<string, Reconciler>
  /** Keys in work at once in this process; 8 when absent. */
  concurrency?: number
  /** Pause between two looks at all keys; 60 when absent. */
  resyncSeconds?: number
  logger?: Log
}

/** What has been done and what is waiting, of one kind. */
export interface ReconcilerMetrics {
  queued: number
  running: number
  delayed: number
  succeeded: number
  failed: number
  /** Sum over all runs. */
  busySeconds: number
}

/** The running reconcilers of one process. */
export interface Reconcilers {
  /** Asks for a run in this process; `hint` asks all processes. */
  enqueue(kind: string, key: string): void
  /**
   * Resolves when every hint that was committed before the call has been worked off and nothing is queued or running.
   * Returns what the runs since the last call asked to wait for, in seconds, the last 1,000. For tests.
   */
  settle(): Promise<number[]>
  /** Asks every reconciler for its keys and queues them. */
  resync(): Promise<void>
  metrics(): Record<string, ReconcilerMetrics>
  /** Takes no more work, waits for what runs (15 s when absent), then aborts it. */
  close(options?: { drainMs?: number }): Promise<void>
}

/** Outside tests nobody calls `settle`, and what it would answer must not grow. */
const REQUEUES_KEPT = 1_000
const silent: Log = { info() {}, warn() {}, error() {} }

/** Pause before the next run after so many failures: 0.1 s doubling to 30 s, of which a random half. */
export const backoffMs = (failures: number, random: number): number =>
  Math.min(30_000, 100 * 2 ** (failures - 1)) * (0.5 + random / 2)

/** Starts working off keys. Idle it sleeps; a hint wakes it within milliseconds. */
export function runReconcilers(options: RunOptions): Reconcilers {
  return new Runner(options)
}

class Runner implements Reconcilers {
  readonly #options: RunOptions
  readonly #log: Log
  readonly #queue: WorkQueue
  readonly #locks: KeyLocks
  readonly #unlisten: () => void
  readonly #totals = new Map<string, { succeeded: number; failed: number; busySeconds: number }>()
  readonly #stopping = new AbortController()
  readonly #marks = new Map<string, () => void>()
  #idleWaiters: (() => void)[] = []
  #requeues: number[] = []
  #active = 0
  #resyncing: Promise<void> | undefined
  #resyncAgain = false
  #closed = false

  constructor(options: RunOptions) {
    this.#options = options
    this.#log = options.logger ?? silent
    for (const kind of Object.keys(options.reconcilers)) {
      if (kind.includes(' ')) throw new Error(`A kind holds no space: ${kind}`)
      this.#totals.set(kind, { succeeded: 0, failed: 0, busySeconds: 0 })
    }
    this.#queue = new WorkQueue(() => this.#pump())
    this.#locks = new KeyLocks(options.store, this.#log, () => this.#pump())
    // The first call says that listening has begun; from then on nothing committed is missed.
    this.#unlisten = options.store.listen(hintChannel, (payload) => this.#onHint(payload))
    void this.#resyncForEver()
  }

  enqueue(kind: string, key: string): void {
    if (this.#options.reconcilers[kind]) this.#queue.add(kind, key)
  }

  resync(): Promise<void> {
    if (this.#resyncing) {
      this.#resyncAgain = true
      return this.#resyncing
    }
    this.#resyncing = this.#resyncAll().finally(() => {
      this.#resyncing = undefined
    })
    return this.#resyncing
  }

  metrics(): Record<string, ReconcilerMetrics> {
    return Object.fromEntries(
      [...this.#totals].map(([kind, totals]) => [kind, { ...totals, ...this.#queue.count(kind) }]),
    )
  }

  async settle(): Promise<number[]> {
    // Notifications arrive in the order of their commits: when the mark has come, so has everything before it.
    const mark = randomUUID()
    const seen = new Promise<void>((resolve) => this.#marks.set(mark, resolve))
    while (this.#marks.has(mark) && !this.#closed) {
      await hint(this.#options.store.db, 'settle', mark)
      await Promise.race([seen, sleep(1_000)])
    }
    await this.#resyncing
    await this.#idle()
    return this.#requeues.splice(0)
  }

  async close({ drainMs = 15_000 } = {}): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#unlisten()
    this.#queue.close()
    await Promise.race([this.#idle(), sleep(drainMs, undefined, { ref: false })])
    this.#stopping.abort(new Error('The controller is stopping'))
    await Promise.race([this.#idle(), sleep(1_000, undefined, { ref: false })])
    await this.#locks.close()
  }

  #onHint(payload: string | undefined): void {
    if (payload === undefined) return void this.resync()
    const parsed = parseHint(payload)
    if (!parsed) return
    const mark = parsed.kind === 'settle' ? this.#marks.get(parsed.key) : undefined
    if (mark) {
      this.#marks.delete(parsed.key)
      mark()
    } else this.enqueue(parsed.kind, parsed.key)
  }

  async #resyncForEver(): Promise<void> {
    const pauseMs = (this.#options.resyncSeconds ?? 60) * 1_000
    while (!this.#closed) {
      await this.resync()
      await sleep(pauseMs * (0.9 + Math.random() / 5), undefined, { ref: false, signal: this.#stopping.signal }).catch(
        () => {},
      )
    }
  }

  async #resyncAll(): Promise<void> {
    do {
      this.#resyncAgain = false
      await Promise.all(Object.entries(this.#options.reconcilers).map(([kind, found]) => this.#resyncKind(kind, found)))
    } while (this.#resyncAgain && !this.#closed)
  }

  async #resyncKind(kind: string, reconciler: Reconciler): Promise<void> {
    try {
      for (const key of await reconciler.keys()) this.#queue.add(kind, key)
    } catch (error) {
      this.#log.warn({ kind, err: error }, 'the keys of a reconciler cannot be listed')
      // Not the whole pause of a resync: what was missed is missed until then.
      setTimeout(() => !this.#closed && void this.resync(), 2_000 + Math.random() * 1_000).unref()
    }
  }

  #pump(): void {
    while (!this.#closed && this.#locks.ready && this.#active < (this.#options.concurrency ?? 8)) {
      const item = this.#queue.take()
      if (!item) return
      this.#active++
      void this.#run(item)
    }
  }

  async #run(item: Item): Promise<void> {
    let afterMs: number | undefined
    try {
      const lock = await this.#locks.tryLock(`${item.kind} ${item.key}`)
      // Busy elsewhere: that process may die in the middle, so look again soon.
      if (!lock) afterMs = 200 + Math.random() * 300
      else afterMs = await this.#reconcile(item, lock.signal).finally(() => lock.unlock())
    } catch (error) {
      item.failures++
      afterMs = backoffMs(item.failures, Math.random())
      this.#log.warn({ kind: item.kind, key: item.key, failures: item.failures, err: error }, 'a reconcile failed')
    }
    this.#active--
    this.#queue.done(item, afterMs)
    this.#pump()
    if (this.#isIdle()) for (const resolve of this.#idleWaiters.splice(0)) resolve()
  }

  async #reconcile(item: Item, lost: AbortSignal): Promise<number | undefined> {
    const totals = this.#totals.get(item.kind)
    const reconciler = this.#options.reconcilers[item.kind]
    if (!totals || !reconciler) return undefined
    const begin = performance.now()
    try {
      const signal = AbortSignal.any([lost, this.#stopping.signal])
      const { requeueAfterSeconds } = await reconciler.reconcile(item.key, { signal })
      item.failures = 0
      totals.succeeded++
      if (requeueAfterSeconds === undefined) return undefined
      this.#requeues.push(requeueAfterSeconds)
      if (this.#requeues.length > REQUEUES_KEPT) this.#requeues.shift()
      return requeueAfterSeconds * 1_000
    } catch (error) {
      totals.failed++
      throw error
    } finally {
      totals.busySeconds += (performance.now() - begin) / 1_000
    }
  }

  #isIdle(): boolean {
    const { queued, running } = this.#queue.count()
    return queued === 0 && running === 0
  }

  #idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve()
    return new Promise((resolve) => this.#idleWaiters.push(resolve))
  }
}
