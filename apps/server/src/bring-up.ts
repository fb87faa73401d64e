import { setTimeout as sleep } from 'node:timers/promises'
import { isProblem } from '@quarterdeck/kernel'
import type { Log } from '@quarterdeck/store'
import type { SetupFailure } from '../../../features/cluster/setup/setup.rules.ts'
import type { SetupProgress } from './setup-progress.ts'

/** One step of the start. It looks at what is there and does what is missing; called again and again. */
export interface BringUpStep {
  name: string
  /** Throws what a person can act on. */
  ensure(): Promise<void>
}

export interface BringUpOptions {
  /** In the order in which they need each other. */
  steps: readonly BringUpStep[]
  progress: SetupProgress
  log: Log
  /** A sentence for the terminal. */
  say(sentence: string): void
}

const LOOK_AGAIN_MS = 5_000
const FIRST_PAUSE_MS = 5_000
const LONGEST_PAUSE_MS = 300_000
/** Once everything has been up, what is gone usually comes back by itself. */
const LONGEST_PAUSE_OF_READY_MS = 15_000

/**
 * Brings everything up in order, and afterwards looks every five seconds whether it still is: what has died is brought
 * up again. A failure is shown and tried again after a growing pause, or at once on `retry`.
 */
export class BringUp {
  readonly #steps: readonly BringUpStep[]
  readonly #progress: SetupProgress
  readonly #log: Log
  readonly #say: (sentence: string) => void
  #wake = new AbortController()
  #closing = false
  #began = performance.now()
  #running: Promise<void> | undefined

  constructor({ steps, progress, log, say }: BringUpOptions) {
    this.#steps = steps
    this.#progress = progress
    this.#log = log
    this.#say = say
  }

  start(): void {
    this.#running ??= this.#run()
    this.#sayStages()
  }

  /** Ends the pause after a failure. */
  retry(): void {
    this.#wake.abort()
  }

  /** Starts no further step; does not wait for one that takes long. */
  async close(): Promise<void> {
    this.#closing = true
    this.retry()
    await Promise.race([this.#running, sleep(2_000, undefined, { ref: false })])
  }

  async #run(): Promise<void> {
    for (let pauseMs = FIRST_PAUSE_MS; !this.#closing; ) {
      const failed = await this.#round()
      if (this.#closing) return
      await this.#pause(failed ? pauseMs : LOOK_AGAIN_MS)
      const longestMs = this.#progress.ready ? LONGEST_PAUSE_OF_READY_MS : LONGEST_PAUSE_MS
      pauseMs = failed ? Math.min(pauseMs * 2, longestMs) : FIRST_PAUSE_MS
    }
  }

  async #round(): Promise<boolean> {
    for (const step of this.#steps) {
      if (this.#closing) return false
      try {
        await step.ensure()
      } catch (error) {
        if (this.#closing) return false
        this.#fail(step, failureOf(error))
        return true
      }
    }
    if (!this.#progress.healthy) this.#say(`Ready after ${Math.round((performance.now() - this.#began) / 100) / 10} s`)
    Object.assign(this.#progress, { ready: true, healthy: true, failure: undefined })
    return false
  }

  #fail(step: BringUpStep, failure: SetupFailure): void {
    this.#log.error({ step: step.name, reason: failure.reason }, failure.message)
    if (this.#progress.healthy || this.#progress.failure?.message !== failure.message) {
      this.#say(`${step.name}: ${failure.message}\n  ${failure.cure}`)
    }
    Object.assign(this.#progress, { healthy: false, failure })
    this.#began = performance.now()
  }

  /** On a slow first start: every ten seconds what is being done. */
  async #sayStages(): Promise<void> {
    for (let told = ''; !this.#closing; ) {
      await sleep(10_000, undefined, { ref: false })
      const stage = this.#progress.stages.find(({ state }) => state === 'running')
      const now = stage
        ? `  ${stage.title}${stage.percent === undefined ? '' : ` ${stage.percent} %`}: ${stage.detail}`
        : ''
      if (this.#progress.healthy || now === told) continue
      if (now) this.#say(now)
      told = now
    }
  }

  async #pause(pauseMs: number): Promise<void> {
    this.#wake = new AbortController()
    await sleep(pauseMs, undefined, { ref: false, signal: this.#wake.signal }).catch(() => {})
  }
}

/** What a person is told: StoreError and LocalClusterError say their own cure. */
function failureOf(error: unknown): SetupFailure {
  const { message } = error as Error
  const { reason, cure } = error as { reason?: unknown; cure?: unknown }
  if (typeof reason === 'string' && typeof cure === 'string') return { reason, message, cure }
  if (isProblem(error)) return { reason: error.body.type, message: error.body.title, cure: message }
  return { reason: 'unexpected', message, cure: 'It is tried again by itself; the log says more' }
}
