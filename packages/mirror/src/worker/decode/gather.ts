/** Bytes that have come and are not used up yet, in one piece. What is taken from `bytes` is true until the next `add`. */
export class Gather {
  bytes = Buffer.allocUnsafe(64 * 1024)
  /** First byte that is not used up. */
  from = 0
  /** After the last byte. */
  to = 0

  get length(): number {
    return this.to - this.from
  }

  add(piece: Uint8Array): void {
    if (this.from === this.to) this.from = this.to = 0
    const free = this.bytes.length - this.to
    if (free < piece.length) this.#makeRoom(piece.length)
    this.bytes.set(piece, this.to)
    this.to += piece.length
  }

  #makeRoom(needed: number): void {
    const held = this.to - this.from
    const fits = held + needed <= this.bytes.length / 2
    const target = fits ? this.bytes : Buffer.allocUnsafe(Math.max(this.bytes.length * 2, (held + needed) * 2))
    this.bytes.copy(target, 0, this.from, this.to)
    this.bytes = target
    this.from = 0
    this.to = held
  }
}
