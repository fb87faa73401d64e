import { setTimeout as sleep } from 'node:timers/promises'
import { isProblem } from '@quarterdeck/kernel'
import type { Log } from '@quarterdeck/store'
import type { SetupProgress } from './setup-progress.ts'

/** One step of the start. It looks at what is there and does what is missing; called again and again. */
export interface BringUpStep {
  name: string
  /** Throws what a person can act on. */
  ensure(): Promise<void>
}

const LOOK_AGAIN_MS = 10_000
const FIRST_PAUSE_MS = 5_000
const LONGEST_PAUSE_MS = 300_000

/**
 * Brings everything up in order, and afterwards looks every ten seconds whether it still is: what has died is brought
 * up again. A failure is shown and tried again after a growing pause, or at once on `retry`.
 */
export class BringUp {
  readonly #steps: readonly BringUpStep[]
  readonly #progress: SetupProgress
  readonly #log: Log
  #wake = new AbortController()
  #closing = false
  #running: Promise<void> | undefined

  constructor(steps: readonly BringUpStep[], progress: SetupProgress, log: Log) {
    this.#steps = steps
    this.#progress = progress
    this.#log = log
  }

  start(): void {
    this.#running ??= this.#run()
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
      pauseMs = failed ? Math.min(pauseMs * 2, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS
    }
  }

  async #round(): Promise<boolean> {
    for (const step of this.#steps) {
      if (this.#closing) return false
      try {
        await step.ensure()
      } catch (error) {
        if (this.#closing) return false
        this.#log.error({ step: step.name, err: error }, 'a step of the start has failed')
        this.#progress.failure = failureOf(error)
        return true
      }
    }
    this.#progress.failure = undefined
    this.#progress.ready = true
    return false
  }

  async #pause(pauseMs: number): Promise<void> {
    this.#wake = new AbortController()
    await sleep(pauseMs, undefined, { ref: false, signal: this.#wake.signal }).catch(() => {})
  }
}

/** What a person is told: StoreError and LocalClusterError say their own cure. */
function failureOf(error: unknown): { reason: string; message: string; cure: string } {
  const { message } = error as Error
  const { reason, cure } = error as { reason?: unknown; cure?: unknown }
  if (typeof reason === 'string' && typeof cure === 'string') return { reason, message, cure }
  if (isProblem(error)) return { reason: error.body.type, message: error.body.title, cure: message }
  return { reason: 'unexpected', message, cure: 'It is tried again by itself; the log says more' }
}
