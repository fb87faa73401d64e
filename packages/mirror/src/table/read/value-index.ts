import { hasBit, rowsOfBits } from '../bitmap.ts'
import type { Kept } from '../budget.ts'
import type { Column } from '../column.ts'
import { StringTest } from '../filter/string-test.ts'
import type { Table } from '../table.ts'

/** Ends a chain. */
const NONE = 0xffff_ffff

/**
 * Finds the rows that hold a value of a `text` column without looking at the others: the rows of each value are a chain,
 * which changed rows leave and join.
 */
export class ValueIndex implements Kept {
  readonly #table: Table
  readonly #column: Column
  /** The first row of each string id. */
  #first: Uint32Array = new Uint32Array(0)
  #next: Uint32Array = new Uint32Array(0)
  #before: Uint32Array = new Uint32Array(0)
  /** The string id under which each row is chained; 0: it is in no chain. */
  #under: Uint32Array = new Uint32Array(0)
  #position = -1

  constructor(table: Table, column: Column) {
    this.#table = table
    this.#column = column
  }

  get bytes(): number {
    return this.#first.byteLength + 3 * this.#next.byteLength + 300
  }

  /** Rows whose value is one of these texts, with regard to case; in no order. */
  rows(texts: readonly string[]): number[] {
    this.#refresh()
    const { strings } = this.#table
    const test = new StringTest(strings, 'exact', texts)
    test.extend()
    if (!test.any) return []
    const found: number[] = []
    for (const id of rowsOfBits(test.accept, test.accept.length)) {
      for (let row = this.#first[id] ?? NONE; row !== NONE; row = this.#next[row] as number) found.push(row)
    }
    return found
  }

  #refresh(): void {
    const { log, slots } = this.#table
    if (this.#position === log.position) return
    const anew = this.#position < 0 || !log.reaches(this.#position) || log.position - this.#position > slots
    this.#makeRoom(anew)
    if (anew) for (let row = 0; row < slots; row += 1) this.#look(row)
    else for (let at = this.#position; at < log.position; at += 1) this.#look(log.at(at))
    this.#position = log.position
  }

  #makeRoom(anew: boolean): void {
    const { capacity, strings } = this.#table
    const chains = (before: Uint32Array, length: number) => {
      if (!anew && before.length >= length) return before
      const grown = new Uint32Array(length).fill(NONE)
      if (!anew) grown.set(before)
      return grown
    }
    this.#first = chains(this.#first, anew ? strings.count : roomFor(strings.count, this.#first.length))
    this.#next = chains(this.#next, capacity)
    this.#before = chains(this.#before, capacity)
    if (!anew && this.#under.length >= capacity) return
    const under = new Uint32Array(capacity)
    if (!anew) under.set(this.#under)
    this.#under = under
  }

  /** Puts the row where it belongs by now. */
  #look(row: number): void {
    const value = hasBit(this.#table.live, row) ? (this.#column.u32[row] as number) : 0
    if (value === this.#under[row]) return
    this.#leave(row)
    this.#under[row] = value
    if (value === 0) return
    const next = this.#first[value] as number
    this.#next[row] = next
    this.#before[row] = NONE
    if (next !== NONE) this.#before[next] = row
    this.#first[value] = row
  }

  #leave(row: number): void {
    const value = this.#under[row] as number
    if (value === 0) return
    const next = this.#next[row] as number
    const before = this.#before[row] as number
    if (before === NONE) this.#first[value] = next
    else this.#next[before] = next
    if (next !== NONE) this.#before[next] = before
  }
}

const roomFor = (needed: number, present: number) => (needed <= present ? present : needed + (needed >>> 2))
