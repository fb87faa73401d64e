/** One piece of work. */
export interface Item {
  readonly kind: string
  readonly key: string
  /** Runs that threw since the last one that did not. */
  failures: number
}

interface Entry extends Item {
  state: 'queued' | 'running' | 'delayed'
  /** Asked for while running: runs once more. */
  again: boolean
  timer?: NodeJS.Timeout
}

/**
 * First come, first served; a key that is asked for twice waits once, and one that runs is never handed out again until
 * it is done.
 */
export class WorkQueue {
  readonly #entries = new Map<string, Entry>()
  readonly #waiting: Entry[] = []
  readonly #onReady: () => void
  #closed = false

  /** `onReady` is called whenever there is something to take. */
  constructor(onReady: () => void) {
    this.#onReady = onReady
  }

  /** Asks for a run now, also when one was planned for later. */
  add(kind: string, key: string): void {
    if (this.#closed) return
    const id = `${kind} ${key}`
    const entry = this.#entries.get(id)
    if (entry?.state === 'running') entry.again = true
    else if (entry?.state === 'delayed') this.#enqueue(entry)
    else if (!entry) {
      const made: Entry = { kind, key, failures: 0, state: 'queued', again: false }
      this.#entries.set(id, made)
      this.#enqueue(made)
    }
  }

  #enqueue(entry: Entry): void {
    clearTimeout(entry.timer)
    entry.state = 'queued'
    this.#waiting.push(entry)
    this.#onReady()
  }

  /** The next piece of work, which then counts as running until `done`. */
  take(): Item | undefined {
    const entry = this.#waiting.shift()
    if (entry) {
      entry.state = 'running'
      entry.again = false
    }
    return entry
  }

  /** Ends a run. With `afterMs` it is taken up again by then at the latest. */
  done(item: Item, afterMs?: number): void {
    const entry = item as Entry
    if (entry.again && !this.#closed) this.#enqueue(entry)
    else if (afterMs === undefined || this.#closed) this.#entries.delete(`${entry.kind} ${entry.key}`)
    else {
      entry.state = 'delayed'
      entry.timer = setTimeout(() => this.#enqueue(entry), afterMs)
      entry.timer.unref()
    }
  }

  /** How many pieces of work of a kind (or of all) are in each state. */
  count(kind?: string): Record<Entry['state'], number> {
    const counts = { queued: 0, running: 0, delayed: 0 }
    for (const entry of this.#entries.values()) if (kind === undefined || entry.kind === kind) counts[entry.state]++
    return counts
  }

  /** Forgets what is waiting; what runs may finish. */
  close(): void {
    this.#closed = true
    for (const entry of this.#entries.values()) clearTimeout(entry.timer)
    this.#waiting.length = 0
    for (const [id, entry] of this.#entries) if (entry.state !== 'running') this.#entries.delete(id)
  }
}
