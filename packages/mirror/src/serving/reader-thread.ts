import { Worker } from 'node:worker_threads'
import type { FromReader, ToReader } from '../batch.ts'
import type { ReaderOptions } from '../worker/reader-options.ts'

/** What the serving thread needs of the reading one. */
export interface ReaderPort {
  post(message: ToReader): void
  /** Ends it. */
  close(): Promise<void>
}

/** What the reading thread's life is like for those who wait for it. */
export interface ReaderEvents {
  /** A new one is there and knows nothing yet. `again`: one before it has ended. */
  started(again: boolean): void
  message(message: FromReader): void
  /** It has ended by itself; another one is started. `soon`: it had not lived for long. */
  ended(cause: string, soon: boolean): void
}

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 30_000
/** Who has lived for so long did not die of what it was started with. */
const LONG_LIFE_MS = 60_000
/** How long an end that was asked for may take. */
const CLOSE_MS = 5_000

/** The reading thread; when it dies, another one. */
export class ReaderThread implements ReaderPort {
  readonly #options: ReaderOptions
  readonly #events: ReaderEvents
  readonly #script: URL
  #worker: Worker | undefined
  #started = 0
  #pauseMs = FIRST_PAUSE_MS
  #restart: NodeJS.Timeout | undefined
  #closed = false
  #gone = Promise.withResolvers<void>()

  /** `script`: what the thread runs. */
  constructor(options: ReaderOptions, events: ReaderEvents, script = new URL('../worker/main.ts', import.meta.url)) {
    this.#options = options
    this.#events = events
    this.#script = script
  }

  start(again = false): void {
    const worker = new Worker(this.#script, {
      name: 'mirror-reader',
      workerData: this.#options,
    })
    this.#worker = worker
    this.#started = performance.now()
    this.#gone = Promise.withResolvers()
    let cause = 'it ended by itself'
    worker.on('message', (message: FromReader) => {
      if (this.#worker !== worker) return
      if (message.type !== 'failed') {
        this.#events.message(message)
        return
      }
      cause = message.message
      void worker.terminate()
    })
    worker.on('error', (error) => {
      cause = error instanceof Error ? error.message : String(error)
    })
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined
      this.#gone.resolve()
      if (!this.#closed) this.#startAgain(cause)
    })
    this.#events.started(again)
  }

  #startAgain(cause: string): void {
    const soon = performance.now() - this.#started < LONG_LIFE_MS
    this.#pauseMs = soon ? Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS
    this.#events.ended(cause, soon)
    this.#restart = setTimeout(() => this.start(true), this.#pauseMs)
  }

  post(message: ToReader): void {
    this.#worker?.postMessage(message)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#restart)
    const worker = this.#worker
    if (!worker) return
    worker.postMessage({ type: 'close' } satisfies ToReader)
    const patience = setTimeout(() => void worker.terminate(), CLOSE_MS)
    await this.#gone.promise
    clearTimeout(patience)
  }
}
