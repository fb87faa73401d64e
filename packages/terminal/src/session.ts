import { randomUUID } from 'node:crypto'
import type { Exec, TerminalSize } from '@quarterdeck/kube'
import { type Channel, OutputHistory, type Piece } from './output-history.ts'

export const HISTORY_BYTES = 256 * 1024
/** The slowest reader may be behind by this much before the command has to wait. */
const BEHIND_BYTES = HISTORY_BYTES / 2

/** What became of the command. */
export interface Ended {
  /** Null: it did not end by itself. */
  exitCode: number | null
  message: string
}

/** Reads one session's output from an offset on. Never holds output itself. */
export interface Attachment {
  /** Where it begins: behind what was asked for when that is gone. */
  readonly offset: number
  /** Resolves with the next piece, or undefined when the command has ended and all of it was read. */
  next(): Promise<Piece | undefined>
  /** Safe to repeat. */
  detach(): void
}

export interface SessionOptions {
  tty: boolean
  exec: Exec
  /** Output that came before the session began. */
  begun?: Uint8Array
  /** Asks the command to end, before its connection is closed. Never rejects. */
  stop?(): Promise<void>
  /** Why the command did not end by itself, for people. Absent: the failure's own words. */
  explain?(failure: Error): string
  /** Nobody attached for so long ends it. */
  idleMs: number
  onEnd(ended: Ended): void
}

/** A command in a container that goes on while nobody watches, and remembers the end of its output. */
export class Session {
  readonly id = randomUUID()
  readonly startTime = new Date().toISOString()
  readonly tty: boolean
  readonly #exec: Exec
  readonly #history = new OutputHistory(HISTORY_BYTES)
  readonly #readers = new Set<Reader>()
  readonly #idleMs: number
  readonly #stop: () => Promise<void>
  /** Resolves when the command has ended and all its output was taken. */
  readonly done: Promise<Ended>
  #idle: NodeJS.Timeout | undefined
  readonly #waitingWriters = new Set<() => void>()
  #everAttached = false
  #ended: Ended | undefined
  #ending: Ended | undefined

  constructor({ tty, exec, begun, stop, explain, idleMs, onEnd }: SessionOptions) {
    this.tty = tty
    this.#exec = exec
    this.#idleMs = idleMs
    this.#stop = stop ?? (async () => undefined)
    if (begun && begun.length > 0) this.#history.append('output', begun)
    const read = (channel: Channel) => (bytes: Buffer) => this.#take(channel, bytes)
    exec.stdout.on('data', read('output'))
    exec.stderr.on('data', read('error'))
    exec.stdout.resume()
    const drain = () => {
      for (const writer of this.#waitingWriters) writer()
      this.#waitingWriters.clear()
    }
    exec.stdin.on('drain', drain).on('close', drain)
    const drained = [exec.stdout, exec.stderr].map(
      (stream) => new Promise((done) => stream.once('close', done).once('end', done)),
    )
    const exit = exec.exit.then(
      (exitCode): Ended => ({ exitCode, message: '' }),
      (error: Error): Ended => ({ exitCode: null, message: explain?.(error) ?? error.message }),
    )
    this.done = Promise.all([exit, ...drained]).then(([how]) => {
      const ended = this.#ending ?? how
      this.#ended = ended
      clearTimeout(this.#idle)
      for (const reader of this.#readers) reader.wake()
      onEnd(ended)
      return ended
    })
    this.#becomeIdle()
  }

  /** Undefined while it runs. */
  get ended(): Ended | undefined {
    return this.#ended
  }

  /** True while somebody reads. */
  get attached(): boolean {
    return this.#readers.size > 0
  }

  attach(offset: number): Attachment {
    this.#everAttached = true
    clearTimeout(this.#idle)
    const reader = new Reader(Math.min(Math.max(offset, this.#history.start), this.#history.total))
    this.#readers.add(reader)
    this.#flow()
    const detach = () => {
      if (!this.#readers.delete(reader)) return
      reader.wake()
      this.#flow()
      if (this.#readers.size === 0) this.#becomeIdle()
    }
    return {
      offset: reader.offset,
      detach,
      next: async () => {
        while (this.#readers.has(reader)) {
          const piece = this.#history.after(reader.offset)
          if (piece) {
            reader.offset += piece.bytes.length
            this.#flow()
            return piece
          }
          if (this.#ended) return undefined
          await reader.more()
        }
        return undefined
      },
    }
  }

  /** False: wait for `onDrain`, which is called once, before writing more. */
  write(bytes: Uint8Array, onDrain: () => void): boolean {
    if (this.#ended || this.#ending) return true
    if (this.#exec.stdin.write(bytes)) return true
    this.#waitingWriters.add(onDrain)
    return false
  }

  closeInput(): void {
    this.#exec.stdin.end()
  }

  resize(size: TerminalSize): void {
    if (!this.#ended) this.#exec.resize(size)
  }

  /** Ends the command; `message` says why. Resolves when it is over. Safe to repeat. */
  async close(message: string): Promise<void> {
    if (!this.#ended && !this.#ending) {
      this.#ending = { exitCode: null, message }
      // A stream that is held back never reaches its end.
      this.#exec.stdout.resume()
      this.#exec.stderr.resume()
      await this.#stop()
      this.#exec.close()
    }
    await this.done
  }

  #take(channel: Channel, bytes: Uint8Array): void {
    this.#history.append(channel, bytes)
    for (const reader of this.#readers) reader.wake()
    this.#flow()
  }

  /**
   * Holds the command back while its slowest reader is far behind. While nobody reads, a terminal goes on, as a
   * screen would; a command without one waits, since its output is meant for a program that needs all of it.
   */
  #flow(): void {
    if (this.#ended || this.#ending) return
    const waiting = this.#readers.size === 0 && (!this.tty || !this.#everAttached)
    const offsets = [...this.#readers].map(({ offset }) => offset)
    const slowest = waiting ? this.#history.start : Math.min(this.#history.total, ...offsets)
    const held = this.#history.behind(slowest) > BEHIND_BYTES
    for (const stream of [this.#exec.stdout, this.#exec.stderr]) {
      if (held && !stream.isPaused()) stream.pause()
      else if (!held && stream.isPaused()) stream.resume()
    }
  }

  #becomeIdle(): void {
    if (this.#ended) return
    const minutes = Math.round(this.#idleMs / 60_000)
    this.#idle = setTimeout(() => void this.close(`Nobody was connected for ${minutes} minutes`), this.#idleMs)
    this.#idle.unref()
    this.#flow()
  }
}

class Reader {
  offset: number
  #more = Promise.withResolvers<void>()

  constructor(offset: number) {
    this.offset = offset
  }

  wake(): void {
    this.#more.resolve()
  }

  async more(): Promise<void> {
    await this.#more.promise
    this.#more = Promise.withResolvers()
  }
}
