const LIMIT_BYTES = 1_024

/** A part of a message as it was last, so that what was worked out of it can be used again for an equal one. */
export class LastBytes {
  readonly #bytes = new Uint8Array(LIMIT_BYTES)
  #length = 0

  /** Whether from..to are the bytes that were remembered. */
  is(bytes: Uint8Array, from: number, to: number): boolean {
    const length = to - from
    if (length !== this.#length || length === 0) return false
    // From the end, where numbers differ that were counted up.
    for (let at = length - 1; at >= 0; at--) if (this.#bytes[at] !== bytes[from + at]) return false
    return true
  }

  /** Remembers from..to; not when it is long. */
  remember(bytes: Uint8Array, from: number, to: number): void {
    this.#length = to - from <= LIMIT_BYTES ? to - from : 0
    for (let at = 0; at < this.#length; at++) this.#bytes[at] = bytes[from + at] as number
  }

  forget(): void {
    this.#length = 0
  }
}
