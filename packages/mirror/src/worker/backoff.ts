import { setTimeout as sleep } from 'node:timers/promises'

/** Pauses between attempts: each up to twice as long as the one before, with jitter, so that many do not come at once. */
export class Backoff {
  readonly #first: number
  readonly #longest: number
  #attempts = 0

  constructor({ firstRetry, longestRetry }: { firstRetry: number; longestRetry: number }) {
    this.#first = firstRetry
    this.#longest = longestRetry
  }

  /** Milliseconds to wait now. */
  next(): number {
    const most = Math.min(this.#longest, this.#first * 2 ** this.#attempts)
    if (most < this.#longest) this.#attempts++
    return most / 2 + (Math.random() * most) / 2
  }

  /** Waits, at least `least` milliseconds. Rejects when the signal is aborted. */
  async pause(signal: AbortSignal, least = 0): Promise<void> {
    await sleep(Math.max(least, this.next()), undefined, { signal })
  }

  reset(): void {
    this.#attempts = 0
  }
}
