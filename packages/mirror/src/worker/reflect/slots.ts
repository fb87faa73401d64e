/** Lets only so many at once do something; of those who wait the most urgent comes first. */
export class Slots {
  #free: number
  #count: number
  readonly #waiting: { urgency: number; begin(): void }[] = []

  constructor(count: number) {
    this.#free = count
    this.#count = count
  }

  /** Resolves when there is room, with what gives it back. `urgency`: less comes first. Rejects when the signal is aborted. */
  take(urgency: number, signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const abort = () => {
        this.#waiting.splice(this.#waiting.indexOf(one), 1)
        reject(signal.reason)
      }
      const begin = () => {
        signal.removeEventListener('abort', abort)
        let held = true
        resolve(() => {
          if (held) this.#release()
          held = false
        })
      }
      const one = { urgency, begin }
      if (this.#free > 0) {
        this.#free--
        return begin()
      }
      signal.addEventListener('abort', abort, { once: true })
      const before = this.#waiting.findIndex((other) => other.urgency > urgency)
      this.#waiting.splice(before < 0 ? this.#waiting.length : before, 0, one)
    })
  }

  /** From now on there are so many, which is not less than before. */
  widen(count: number): void {
    for (; this.#count < count; this.#count++) this.#release()
  }

  #release(): void {
    const next = this.#waiting.shift()
    if (next) next.begin()
    else this.#free++
  }
}
