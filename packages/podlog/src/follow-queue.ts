import { compareTime, type TimedLine } from './line-scanner.ts'
import { Tail } from './tail.ts'

/** A line with where it comes from. */
export interface SourceLine<Source> {
  source: Source
  line: TimedLine
}

export interface FollowQueueOptions {
  /** How long a line waits for earlier ones of other sources. Default 150. */
  windowMs?: number
  /** Default 20 000. */
  limitLines?: number
  /** Of text, in characters. Default 8 Mi. */
  limitSize?: number
  /** How long a full queue waits for its reader before it leaves lines out. Default 1 000. */
  patienceMs?: number
}

type Entry<Source> = SourceLine<Source> | { note: string; pod?: string }
const isLine = <Source>(entry: Entry<Source>): entry is SourceLine<Source> => 'line' in entry

/**
 * Between sources that go on for ever and one reader. Lines of several sources are put into the order of their time
 * within a short window. Never holds more than its limits: a full queue holds its sources back, and when the reader
 * does not come for a while the oldest lines are left out and counted.
 */
export class FollowQueue<Source> {
  readonly #options: Required<FollowQueueOptions>
  readonly #ready: Tail<Entry<Source>>
  #waiting: { arrivedMs: number; entry: SourceLine<Source> }[] = []
  #leftOut = 0
  #wake = Promise.withResolvers<void>()
  #space = Promise.withResolvers<void>()
  #timer: NodeJS.Timeout | undefined
  #ended = false

  constructor(options: FollowQueueOptions = {}) {
    this.#options = { windowMs: 150, limitLines: 20_000, limitSize: 8 * 2 ** 20, patienceMs: 1_000, ...options }
    const sizeOf = (entry: Entry<Source>) => (isLine(entry) ? entry.line.text.length : entry.note.length)
    this.#ready = new Tail({ limit: Number.POSITIVE_INFINITY, limitSize: Number.POSITIVE_INFINITY, sizeOf })
    this.#sizeOf = sizeOf
  }
  readonly #sizeOf: (entry: Entry<Source>) => number
  #size = 0

  get #full(): boolean {
    return (
      this.#ready.length + this.#waiting.length >= this.#options.limitLines || this.#size >= this.#options.limitSize
    )
  }

  /** Resolves when the next lines may come. `alone`: there is no other source, so nothing has to wait for its turn. */
  async push(source: Source, lines: readonly TimedLine[], alone: boolean): Promise<void> {
    const arrivedMs = performance.now()
    for (const line of lines) {
      if (this.#full) await this.#makeSpace()
      if (this.#ended) return
      const entry = { source, line }
      this.#size += line.text.length
      if (alone && this.#waiting.length === 0) this.#ready.push(entry)
      else this.#waiting.push({ arrivedMs, entry })
    }
    if (this.#waiting.length > 0) this.#settleLater()
    if (this.#ready.length > 0) this.#wake.resolve()
  }

  /** A remark, after what has arrived before it. */
  note(note: string, pod?: string): void {
    this.#settle(Number.POSITIVE_INFINITY)
    this.#size += note.length
    this.#ready.push({ note, ...(pod === undefined ? {} : { pod }) })
    this.#wake.resolve()
  }

  /** The reader ends after what is there. */
  end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
    this.#settle(Number.POSITIVE_INFINITY)
    this.#wake.resolve()
    this.#space.resolve()
  }

  /** Entries in order; with a remark where lines were left out. Ends with `end`. For one reader. */
  async *read(): AsyncGenerator<Entry<Source>, void, undefined> {
    for (;;) {
      if (this.#leftOut > 0) {
        const count = this.#leftOut
        this.#leftOut = 0
        yield { note: `${count} lines are left out here: they came faster than they were read` }
      }
      const entry = this.#ready.shift()
      if (entry) {
        this.#size -= this.#sizeOf(entry)
        if (!this.#full) {
          this.#space.resolve()
          this.#space = Promise.withResolvers()
        }
        yield entry
      } else if (this.#ended) return
      else {
        this.#wake = Promise.withResolvers()
        await this.#wake.promise
      }
    }
  }

  async #makeSpace(): Promise<void> {
    this.#settle(Number.POSITIVE_INFINITY)
    this.#wake.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, this.#options.patienceMs)
    await Promise.race([promise, this.#space.promise])
    clearTimeout(timer)
    if (this.#ended || !this.#full) return
    // The reader does not come: the older half goes, so that what it sees next is recent.
    for (let count = Math.ceil(this.#ready.length / 2); count > 0; count -= 1) {
      const entry = this.#ready.shift()
      if (!entry) break
      this.#size -= this.#sizeOf(entry)
      if (isLine(entry)) this.#leftOut += 1
    }
    this.#wake.resolve()
  }

  #settleLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#settle(performance.now() - this.#options.windowMs)
      if (this.#waiting.length > 0) this.#settleLater()
      if (this.#ready.length > 0) this.#wake.resolve()
    }, this.#options.windowMs / 2)
  }

  /** Moves what arrived before `untilMs`, and what is earlier than that, over to the reader. */
  #settle(untilMs: number): void {
    if (this.#waiting.length === 0) return
    this.#waiting.sort((a, b) => compareTime(a.entry.line, b.entry.line))
    const last = this.#waiting.findLastIndex(({ arrivedMs }) => arrivedMs <= untilMs)
    for (const { entry } of this.#waiting.splice(0, last + 1)) this.#ready.push(entry)
  }
}
