import { type Bits, clearBit, grownBits, hasBit, setBit, wordsFor } from '../bitmap.ts'
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
  bits: Bits = new Uint32Array(0)
  readonly timed = false

  constructor(table: Table, test: RowTest) {
    this.#table = table
    this.#test = test
  }

  get bytes(): number {
    return this.bits.byteLength + this.#test.bytes + 16 * this.#hits.length + 200
  }

  refresh(): void {
    const { log, slots, capacity } = this.#table
    if (this.#position === log.position) return
    this.#test.prepare()
    this.bits = grownBits(this.bits, wordsFor(capacity))
    const behind = log.position - this.#position
    if (this.#position < 0 || !log.reaches(this.#position) || behind > slots / 4) {
      this.#test.fill(this.bits, slots)
      this.#forgetHits(log.position)
    } else this.#look(this.#position, log.position)
    this.#position = log.position
  }

  #look(from: number, to: number): void {
    const { log } = this.#table
    const { bits } = this
    for (let at = from; at < to; at += 1) {
      const row = log.at(at)
      const matches = this.#test.test(row)
      if (!matches && !hasBit(bits, row)) continue
      this.#hits.push(row)
      this.#hitPositions.push(at)
      if (matches) setBit(bits, row)
      else clearBit(bits, row)
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

/** How long ago a time is; worked out when it is asked for, at most once a second while no row changes. */
export class AgeLeaf implements Leaf {
  readonly #table: Table
  readonly #column: Column
  readonly #younger: boolean
  readonly #seconds: number
  #position = -1
  #now = -1
  bits: Bits = new Uint32Array(0)
  readonly timed = true

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
    const { u32 } = this.#column
    const limit = nowSeconds - this.#seconds
    const words = wordsFor(slots)
    for (let at = 0; at < words; at += 1) {
      const end = Math.min(slots, (at + 1) << 5)
      let word = 0
      for (let row = at << 5; row < end; row += 1) {
        const time = u32[row] as number
        if (time !== 0 && (this.#younger ? time > limit : time < limit)) word |= 1 << (row & 31)
      }
      this.bits[at] = word
    }
    this.#position = log.position
    this.#now = nowSeconds
  }

  hitsSince(): undefined {
    return undefined
  }
}
