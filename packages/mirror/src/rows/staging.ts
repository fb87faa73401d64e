import type { ColumnPart } from '../batch.ts'
import type { ColumnSpec } from '../kind.ts'
import type { Draft } from './draft.ts'
import { SUFFIX_BYTES } from './split.ts'

/** A table with this many rows to tell of tells at once. */
export const BATCH_ROWS = 4_096
/** So is one with the first page of its rows. */
export const FIRST_ROWS = 50

const FIRST_ENTRIES = 16

/** Rows that were written since the last batch, each once: what is written last holds. Costs nothing while empty. */
export class Staging {
  readonly #columns: readonly ColumnSpec[]
  /** By row number: place in the staging + 1, or 0. */
  #entryOf = new Uint32Array(0)
  #rows = new Uint32Array(0)
  #words: Uint32Array<ArrayBuffer>[] = []
  #doubles: Float64Array<ArrayBuffer>[] = []
  #suffixes: Uint8Array<ArrayBuffer>[] = []
  #count = 0
  #capacity = 0
  #next = FIRST_ENTRIES

  constructor(columns: readonly ColumnSpec[]) {
    this.#columns = columns
  }

  get count(): number {
    return this.#count
  }

  /** Bytes of memory. */
  get memoryBytes(): number {
    const arrays = [this.#entryOf, this.#rows, ...this.#words, ...this.#doubles, ...this.#suffixes]
    return arrays.reduce((sum, array) => sum + array.byteLength, 0)
  }

  /** The row has these values now. */
  put(row: number, draft: Draft): void {
    const entry = this.#entryFor(row)
    const columns = this.#columns
    for (let column = 0; column < columns.length; column++) {
      const type = (columns[column] as ColumnSpec).type
      if (type === 'number') (this.#doubles[column] as Float64Array)[entry] = draft.doubles[column] as number
      else (this.#words[column] as Uint32Array)[entry] = draft.words[column] as number
      if (type === 'split') {
        const suffixes = this.#suffixes[column] as Uint8Array
        const to = entry * SUFFIX_BYTES
        const from = column * SUFFIX_BYTES
        for (let at = 0; at < SUFFIX_BYTES; at++) suffixes[to + at] = draft.suffixes[from + at] as number
      }
    }
  }

  /** The row is gone: nothing is told of what was written. */
  drop(row: number): void {
    const entry = (this.#entryOf[row] ?? 0) - 1
    if (entry < 0) return
    this.#entryOf[row] = 0
    const last = --this.#count
    if (entry === last) return
    const moved = this.#rows[last] as number
    this.#rows[entry] = moved
    this.#entryOf[moved] = entry + 1
    for (const words of this.#words) words.copyWithin(entry, last, last + 1)
    for (const doubles of this.#doubles) doubles.copyWithin(entry, last, last + 1)
    for (const suffixes of this.#suffixes) {
      suffixes.copyWithin(entry * SUFFIX_BYTES, last * SUFFIX_BYTES, (last + 1) * SUFFIX_BYTES)
    }
  }

  /** Gives the rows and their values away and is empty again. */
  take(): { rows: Uint32Array<ArrayBuffer>; columns: ColumnPart[] } {
    const count = this.#count
    const rows = this.#rows.subarray(0, count)
    const columns = this.#columns.map((column, at): ColumnPart => {
      const words = (this.#words[at] ?? new Uint32Array(0)).subarray(0, count)
      if (column.type === 'number') {
        return { type: 'f64', values: (this.#doubles[at] ?? new Float64Array(0)).subarray(0, count) }
      }
      if (column.type !== 'split') return { type: 'u32', values: words }
      const suffixes = (this.#suffixes[at] ?? new Uint8Array(0)).subarray(0, count * SUFFIX_BYTES)
      return { type: 'split', prefixes: words, suffixes }
    })
    for (const row of rows) this.#entryOf[row] = 0
    this.#rows = new Uint32Array(0)
    this.#words = []
    this.#doubles = []
    this.#suffixes = []
    this.#capacity = 0
    this.#count = 0
    // During a first list batch follows batch: no growing then.
    this.#next = count >= BATCH_ROWS / 4 ? BATCH_ROWS : FIRST_ENTRIES
    return { rows, columns }
  }

  #entryFor(row: number): number {
    if (row >= this.#entryOf.length) {
      const entryOf = new Uint32Array(Math.max(FIRST_ENTRIES, Math.ceil(row * (row < 65_536 ? 2 : 1.25)) + 1))
      entryOf.set(this.#entryOf)
      this.#entryOf = entryOf
    }
    const known = this.#entryOf[row] as number
    if (known !== 0) return known - 1
    if (this.#count === this.#capacity) this.#grow()
    const entry = this.#count++
    this.#rows[entry] = row
    this.#entryOf[row] = entry + 1
    return entry
  }

  #grow(): void {
    const capacity = this.#capacity === 0 ? this.#next : this.#capacity * 4
    const { rows, columns } = { rows: this.#rows, columns: this.#columns }
    this.#rows = new Uint32Array(capacity)
    this.#rows.set(rows)
    this.#words = columns.map(({ type }, at) => {
      const words = new Uint32Array(type === 'number' ? 0 : capacity)
      if (type !== 'number') words.set(this.#words[at] ?? [])
      return words
    })
    this.#doubles = columns.map(({ type }, at) => {
      const doubles = new Float64Array(type === 'number' ? capacity : 0)
      if (type === 'number') doubles.set(this.#doubles[at] ?? [])
      return doubles
    })
    this.#suffixes = columns.map(({ type }, at) => {
      const suffixes = new Uint8Array(type === 'split' ? capacity * SUFFIX_BYTES : 0)
      if (type === 'split') suffixes.set(this.#suffixes[at] ?? [])
      return suffixes
    })
    this.#capacity = capacity
  }
}
