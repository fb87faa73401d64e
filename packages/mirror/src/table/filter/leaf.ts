import { type Bits, clearBit, grownBits, hasBit, noBits, setBit, wordsFor } from '../bitmap.ts'
import type { Kept } from '../budget.ts'
import type { Column } from '../column.ts'
import type { Table } from '../table.ts'
import type { RowTest } from './row-test.ts'

/** One test of an expression as a bitmap over row numbers. Bits of rows that are not there mean nothing. */
export interface Leaf extends Kept {
  readonly bits: Bits
  /** Brings the bitmap up to the present. `nowSeconds`: since 1970. */
  refresh(nowSeconds: number): void
  /** Its answer changes with the time alone. */
  readonly timed: boolean
  /**
   * Of the rows that changed since this position of the log, those that match now or did before; a row may be named
   * several times. Undefined when that is not known.
   */
  hitsSince(position: number): readonly number[] | undefined
  /** Certain to hold of no row; as of the last `refresh`. */
  readonly none: boolean
}

/** So many hits are kept in mind, a leaf. */
const MOST_HITS = 256
const NO_HITS: readonly number[] = []

/** Kept up to date by looking at changed rows only. */
export class MaintainedLeaf implements Leaf {
  readonly #table: Table
  readonly #test: RowTest
  #position = -1
  /** Rows that match or matched, and at which position of the log each was looked at; all from `#hitsFrom` on. */
  #hits: number[] = []
  #hitPositions: number[] = []
  #hitsFrom = 0
  /** `noBits`, which many have, while no row fits. */
  none = true
  bits: Bits = noBits(1)
  readonly timed = false

  constructor(table: Table, test: RowTest) {
    this.#table = table
    this.#test = test
  }

  get bytes(): number {
    return (this.none ? 0 : this.bits.byteLength) + this.#test.bytes + 16 * this.#hits.length + 200
  }

  refresh(): void {
    const { log, slots, capacity } = this.#table
    if (this.#position === log.position) return
    this.#test.prepare()
    const words = wordsFor(capacity)
    const behind = log.position - this.#position
    if (this.#position < 0 || !log.reaches(this.#position) || behind > slots / 4) {
      this.#own(!this.#test.never, words)
      if (!this.none) this.#test.fill(this.bits, slots)
      this.#forgetHits(log.position)
    } else {
      this.#own(!this.none, words)
      this.#look(this.#position, log.position, words)
    }
    this.#position = log.position
  }

  /** Has a bitmap of its own from here on, or the one without bits. */
  #own(own: boolean, words: number): void {
    if (!own) this.bits = noBits(words)
    else this.bits = this.none ? new Uint32Array(words) : grownBits(this.bits, words)
    this.none = !own
  }

  #look(from: number, to: number, words: number): void {
    const { log } = this.#table
    for (let at = from; at < to; at += 1) {
      const row = log.at(at)
      const matches = this.#test.test(row)
      if (!matches && !hasBit(this.bits, row)) continue
      if (this.none) this.#own(true, words)
      this.#hits.push(row)
      this.#hitPositions.push(at)
      if (matches) setBit(this.bits, row)
      else clearBit(this.bits, row)
    }
    if (this.#hits.length > MOST_HITS) this.#forgetHits(to)
  }

  #forgetHits(from: number): void {
    this.#hits = []
    this.#hitPositions = []
    this.#hitsFrom = from
  }

  hitsSince(position: number): readonly number[] | undefined {
    if (position < this.#hitsFrom) return undefined
    const positions = this.#hitPositions
    let from = positions.length
    while (from > 0 && (positions[from - 1] as number) >= position) from -= 1
    return from === positions.length ? NO_HITS : this.#hits.slice(from)
  }
}

/** How long ago a time is; worked out anew when it is asked for in another second. */
export class AgeLeaf implements Leaf {
  readonly #table: Table
  readonly #column: Column
  readonly #younger: boolean
  readonly #seconds: number
  #position = -1
  #now = -1
  bits: Bits = new Uint32Array(0)
  readonly timed = true
  readonly none = false

  constructor(table: Table, column: Column, younger: boolean, seconds: number) {
    this.#table = table
    this.#column = column
    this.#younger = younger
    this.#seconds = seconds
  }

  get bytes(): number {
    return this.bits.byteLength + 200
  }

  refresh(nowSeconds: number): void {
    const { log, slots, capacity } = this.#table
    if (this.#position === log.position && this.#now === nowSeconds) return
    this.bits = grownBits(this.bits, wordsFor(capacity))
    const behind = log.position - this.#position
    const limit = nowSeconds - this.#seconds
    if (this.#now !== nowSeconds || !log.reaches(this.#position) || behind > slots / 4) this.#fill(limit, slots)
    else
      for (let at = this.#position; at < log.position; at += 1) {
        const row = log.at(at)
        if (this.#matches(row, limit)) setBit(this.bits, row)
        else clearBit(this.bits, row)
      }
    this.#position = log.position
    this.#now = nowSeconds
  }

  #matches(row: number, limit: number): boolean {
    const time = this.#column.u32[row] as number
    return time !== 0 && (this.#younger ? time > limit : time < limit)
  }

  #fill(limit: number, slots: number): void {
    const words = wordsFor(slots)
    for (let at = 0; at < words; at += 1) {
      const end = Math.min(slots, (at + 1) << 5)
      let word = 0
      for (let row = at << 5; row < end; row += 1) if (this.#matches(row, limit)) word |= 1 << (row & 31)
      this.bits[at] = word
    }
  }

  hitsSince(): undefined {
    return undefined
  }
}
