import type { LiveList } from './view-source.ts'

/** More changed rows than this at once: reading the window anew is cheaper than looking at each. */
const MANY = 2_000

/**
 * The row numbers of one window of a list, kept up to date by the rows that changed. A window at the beginning of the
 * list knows some rows behind its end too: rows that go and come move it without the list being walked again.
 */
export class WindowRows {
  readonly #list: LiveList
  readonly #offset: number
  readonly #limit: number
  /** The rows from `offset` on, in order, without gaps. */
  #known: number[] = []
  readonly #isKnown = new Set<number>()
  /** There are no rows behind those known. */
  #complete = false
  #total = 0
  /** Of the list, when it was read. */
  #places = -1

  constructor(list: LiveList, offset: number, limit: number) {
    this.#list = list
    this.#offset = offset
    this.#limit = limit
    this.read()
  }

  /** How many rows the whole list has. */
  get total(): number {
    return this.#total
  }

  /** The window. */
  rows(): number[] {
    return this.#known.slice(0, this.#limit)
  }

  /** Reads everything anew. */
  read(): void {
    this.#total = this.#list.total()
    if (this.#offset > 0) this.#places = this.#list.places()
    const spare = this.#offset === 0 ? this.#spare : 0
    this.#known = Array.from(this.#list.rows(this.#offset, this.#limit + spare))
    this.#complete = this.#offset + this.#known.length >= this.#total
    this.#isKnown.clear()
    for (const row of this.#known) this.#isKnown.add(row)
  }

  /** Takes in that these rows changed. Answers false when neither the window nor the total can be others. */
  apply(changed: ArrayLike<number>): boolean {
    const dirty = this.#list.touched() ?? changed
    const total = this.#list.total()
    const sameTotal = total === this.#total
    if (dirty.length === 0 && sameTotal) return false
    if (this.#offset > 0 && this.#list.places() === this.#places) return this.#shows(dirty)
    // Where a row was before is not known: any row of the list may have moved across a window that begins later.
    if (this.#offset > 0 || dirty.length > MANY) {
      this.read()
      return true
    }
    this.#total = total
    const moved = this.#takeOut(dirty)
    const came = this.#putIn(dirty)
    const short = this.#known.length < Math.min(this.#limit, total)
    const wrong = this.#complete && this.#known.length !== total
    if (short || wrong) this.read()
    return moved || came || short || wrong || !sameTotal
  }

  get #spare(): number {
    return Math.min(100, Math.max(20, this.#limit))
  }

  #shows(dirty: ArrayLike<number>): boolean {
    for (let index = 0; index < dirty.length; index += 1) if (this.#isKnown.has(dirty[index] as number)) return true
    return false
  }

  #takeOut(dirty: ArrayLike<number>): boolean {
    let gone = 0
    for (let index = 0; index < dirty.length; index += 1) if (this.#isKnown.delete(dirty[index] as number)) gone += 1
    if (gone > 0) this.#known = this.#known.filter((row) => this.#isKnown.has(row))
    return gone > 0
  }

  /** What is in the list now and does not come behind the last known row: there may be unknown ones before it. */
  #putIn(dirty: ArrayLike<number>): boolean {
    const known = this.#known
    let came = false
    for (let index = 0; index < dirty.length; index += 1) {
      const row = dirty[index] as number
      if (this.#isKnown.has(row) || !this.#list.has(row)) continue
      const at = this.#placeOf(row)
      if (at === known.length && !this.#complete) continue
      known.splice(at, 0, row)
      this.#isKnown.add(row)
      came = true
    }
    if (known.length > this.#limit + 2 * this.#spare) {
      for (const row of known.splice(this.#limit + this.#spare)) this.#isKnown.delete(row)
      this.#complete = false
    }
    return came
  }

  #placeOf(row: number): number {
    const known = this.#known
    const last = known.at(-1)
    if (last === undefined || this.#list.compare(row, last) > 0) return known.length
    let low = 0
    let high = known.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#list.compare(row, known[middle] as number) > 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
