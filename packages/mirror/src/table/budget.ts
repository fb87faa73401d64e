/** Something that was worked out and can be worked out again. */
export interface Kept {
  /** How much memory it holds. */
  readonly bytes: number
}

/** Keeps what was worked out; what was not used for the longest time goes when there is more than `limitBytes`. */
export class Budget {
  readonly #limitBytes: number
  readonly #kept = new Map<string, { value: Kept; bytes: number }>()
  #bytes = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** What is kept under this key, or what `make` makes. Counts as a use. Equal keys stand for equal things. */
  use<T extends Kept>(key: string, make: () => T): T {
    const kept = this.#kept.get(key)
    const value = kept ? (kept.value as T) : make()
    if (kept) {
      this.#kept.delete(key)
      this.#bytes -= kept.bytes
    }
    const bytes = value.bytes
    this.#kept.set(key, { value, bytes })
    this.#bytes += bytes
    if (this.#bytes > this.#limitBytes) this.#drop(key)
    return value
  }

  /** Drops everything whose key begins so. */
  forget(beginning: string): void {
    for (const [key, { bytes }] of this.#kept) {
      if (!key.startsWith(beginning)) continue
      this.#kept.delete(key)
      this.#bytes -= bytes
    }
  }

  /** A tenth more than has to be, so that it is not looked for at each use. */
  #drop(except: string): void {
    for (const [key, { bytes }] of this.#kept) {
      if (this.#bytes <= this.#limitBytes * 0.9) return
      if (key === except) continue
      this.#kept.delete(key)
      this.#bytes -= bytes
    }
  }
}
