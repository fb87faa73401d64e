/**
 * Which rows changed, in order, for those who keep something up to date that is worked out from rows. It keeps the
 * latest changes only: who is too far behind works everything out anew.
 */
export class ChangeLog {
  #rows = new Uint32Array(256)
  #mask = 255
  /** Changes since the beginning. */
  position = 0
  /** The first position that can still be read. */
  #oldest = 0

  /** Whether everything from `position` on can still be read. */
  reaches(position: number): boolean {
    return position >= this.#oldest
  }

  at(position: number): number {
    return this.#rows[position & this.#mask] as number
  }

  add(row: number): void {
    this.#rows[this.position & this.#mask] = row
    this.position += 1
    if (this.position - this.#oldest > this.#rows.length) this.#oldest = this.position - this.#rows.length
  }

  /** So many rows are to be kept in mind, at most; a power of two. */
  reserve(capacity: number): void {
    if (capacity <= this.#rows.length) return
    const rows = new Uint32Array(capacity)
    for (let at = this.#oldest; at < this.position; at += 1) rows[at & (capacity - 1)] = this.at(at)
    this.#rows = rows
    this.#mask = capacity - 1
  }

  /** Everything changed: nobody can go on from an earlier position. */
  cut(): void {
    this.position += 1
    this.#oldest = this.position
  }

  get bytes(): number {
    return this.#rows.byteLength
  }
}
