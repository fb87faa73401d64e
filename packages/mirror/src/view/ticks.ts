const EVERY_MS = 100
/** Batches come every 50 ms, a little more or less: with the second one after a tick comes the next. */
const EARLY_MS = 5
/** What came is not left longer than this, if nothing comes after it. */
const LATE_MS = 15
/** Others get their turn before what a tick had no time for is done. */
const REST_MS = 5

/**
 * When live views are told what changed: about ten times a second, in step with what comes, so that the last of it does
 * not wait for a clock that runs by itself; and as often when nothing comes. Who had to be left out of a tick does not
 * wait for the next one.
 */
export class Ticks {
  readonly #tick: (onlyLeft: boolean) => boolean
  readonly #idle: NodeJS.Timeout
  #late: NodeJS.Timeout | undefined
  #soon: NodeJS.Immediate | undefined
  #rest: NodeJS.Timeout | undefined
  /** Of performance.now. */
  #lastTime = Number.NEGATIVE_INFINITY

  /** `tick` answers whether it had no time for all; with `onlyLeft` it is for those alone. */
  constructor(tick: (onlyLeft: boolean) => boolean) {
    this.#tick = tick
    this.#idle = setInterval(() => {
      if (this.#since >= EVERY_MS && !this.#late) this.#run()
    }, EVERY_MS / 2).unref()
  }

  /** Something came that views are to be told. What comes with it in the same turn is told with it. */
  came(): void {
    if (this.#soon) return
    const since = this.#since
    if (since >= EVERY_MS - EARLY_MS) this.#soon = setImmediate(() => this.#run())
    else this.#late ??= setTimeout(() => this.#run(), EVERY_MS + LATE_MS - since).unref()
  }

  end(): void {
    clearInterval(this.#idle)
    clearTimeout(this.#late)
    clearImmediate(this.#soon)
    clearTimeout(this.#rest)
  }

  get #since(): number {
    return performance.now() - this.#lastTime
  }

  #run(): void {
    clearTimeout(this.#late)
    clearImmediate(this.#soon)
    this.#late = undefined
    this.#soon = undefined
    this.#lastTime = performance.now()
    clearTimeout(this.#rest)
    this.#goOn(this.#tick(false))
  }

  #goOn(left: boolean): void {
    if (left) this.#rest = setTimeout(() => this.#goOn(this.#tick(true)), REST_MS).unref()
  }
}
