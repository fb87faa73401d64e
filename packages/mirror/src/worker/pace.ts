/** Events a second from which on it pays. */
const STORM = 100
/** The rate is of the last so many milliseconds. */
const MEASURED_OVER = 100
/** The longest rest, in milliseconds. */
const REST = 10
/** A shorter rest is none. */
const LEAST = 2
/** So many events at one wake-up: they come several at a time already. */
const MANY = 64
/** So many bytes at one wake-up: there are more. An event of megabytes that comes in pieces must not rest after each. */
const MANY_BYTES = 128 << 10

const cell = new Int32Array(new SharedArrayBuffer(4))
const sleepFor = (milliseconds: number): void => void Atomics.wait(cell, 0, 0, milliseconds)

/**
 * Lets the events of a storm come several at a time: most of what an event costs is the wake-up for it. After a wake-up
 * the thread sleeps, never past the moment at which what it has read is due, and never while somebody waits: for a
 * connection, an answer or a list.
 */
export class Pace {
  readonly #sleep: (milliseconds: number) => void
  #due: (() => number) | undefined
  #held = 0
  #scheduled = false
  #ofThisTurn = 0
  #bytesOfThisTurn = 0
  #counted = 0
  #since = 0
  /** Events a second. */
  #rate = 0

  constructor(sleep = sleepFor) {
    this.#sleep = sleep
  }

  /** From here on this thread may sleep. `due`: when it has to be awake at the latest, as performance.now. */
  begin(due: () => number): void {
    this.#due = due
  }

  /** Bytes of a watch have come, whole events or not. */
  read(bytes: number): void {
    this.#bytesOfThisTurn += bytes
  }

  /** An event of a watch has come. */
  came(): void {
    this.#ofThisTurn++
    if (this.#scheduled || !this.#due) return
    this.#scheduled = true
    // After everything else that has come with it.
    setImmediate(() => this.#rest())
  }

  /** Somebody waits until what this answers is called. */
  hold(): () => void {
    this.#held++
    let held = true
    return () => {
      if (held) this.#held--
      held = false
    }
  }

  /** Somebody waits for this. */
  async awake<Value>(work: () => Promise<Value>): Promise<Value> {
    const over = this.hold()
    try {
      return await work()
    } finally {
      over()
    }
  }

  #rest(): void {
    this.#scheduled = false
    const came = this.#ofThisTurn
    const bytes = this.#bytesOfThisTurn
    this.#ofThisTurn = 0
    this.#bytesOfThisTurn = 0
    this.#counted += came
    const now = performance.now()
    const passed = now - this.#since
    if (passed >= MEASURED_OVER) {
      this.#rate = (this.#counted / passed) * 1000
      this.#counted = 0
      this.#since = now
    }
    if (this.#held > 0 || this.#rate < STORM || came >= MANY || bytes >= MANY_BYTES) return
    const milliseconds = Math.min(REST, (this.#due?.() ?? now) - performance.now() - LEAST)
    if (milliseconds >= LEAST) this.#sleep(milliseconds)
  }
}

/** Of this thread. */
export const pace = new Pace()
