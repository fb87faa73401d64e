const EMPTY = Buffer.alloc(0)
const LEAST_OWN = 16 * 1024

/**
 * Bytes that have come and are not used up yet, in one piece. What is taken from `bytes` is true until the next `add` or
 * `release`. There is one for each watch, so it holds nothing while there is nothing.
 */
export class Gather {
  bytes: Buffer = EMPTY
  /** First byte that is not used up. */
  from = 0
  /** After the last byte. */
  to = 0
  /** Whether `bytes` may be written to; otherwise it is a piece as it came. */
  #own = false

  get length(): number {
    return this.to - this.from
  }

  /** The piece must not change afterwards. */
  add(piece: Buffer): void {
    if (this.from === this.to) {
      this.bytes = piece
      this.#own = false
      this.from = 0
      this.to = piece.length
      return
    }
    if (!this.#own || this.bytes.length - this.to < piece.length) this.#makeRoom(piece.length)
    this.bytes.set(piece, this.to)
    this.to += piece.length
  }

  /** Lets the memory go when everything is used up. */
  release(): void {
    if (this.from !== this.to) return
    this.bytes = EMPTY
    this.#own = false
    this.from = this.to = 0
  }

  #makeRoom(needed: number): void {
    const held = this.to - this.from
    const fits = this.#own && held + needed <= this.bytes.length / 2
    const target = fits ? this.bytes : Buffer.allocUnsafeSlow(Math.max(LEAST_OWN, (held + needed) * 2))
    this.bytes.copy(target, 0, this.from, this.to)
    this.bytes = target
    this.#own = true
    this.from = 0
    this.to = held
  }
}
