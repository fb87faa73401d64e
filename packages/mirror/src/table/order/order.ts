import type { SortKey } from '../../expression.ts'
import { clearBit, hasBit, rowsOfBits, setBit, wordsFor } from '../bitmap.ts'
import type { Kept } from '../budget.ts'
import type { Table } from '../table.ts'
import { baseOrder, sortBy } from './build.ts'
import { type ClusterRanks, type Compare, compareBy } from './compare.ts'

/** All rows of a table in one order, kept up to date when it is asked. */
export class Order implements Kept {
  readonly #table: Table
  readonly #clusters: ClusterRanks
  readonly #keys: readonly SortKey[]
  /** The order of ties; undefined when this is it. */
  readonly #base: Order | undefined
  readonly compare: Compare
  #rows: Uint32Array = new Uint32Array(0)
  length = 0
  #position = -1
  /** Another number when `rows` changed. */
  version = 0

  /** Without `base`: namespace, name, cluster, uid. Throws QueryError. */
  constructor(table: Table, clusters: ClusterRanks, keys: readonly SortKey[], base?: Order) {
    this.#table = table
    this.#clusters = clusters
    this.#keys = keys
    this.#base = base
    this.compare = compareBy(table, clusters, keys)
  }

  get bytes(): number {
    return this.#rows.byteLength + 300
  }

  /** Row numbers; the first `length` of the array. */
  get rows(): Uint32Array {
    return this.#rows
  }

  /** Brings it up to the present. */
  refresh(): this {
    const { log, count } = this.#table
    if (this.#position === log.position) return this
    const behind = log.position - this.#position
    if (this.#position < 0 || !log.reaches(this.#position) || behind > count / 8 + 64) this.#build()
    else this.#merge()
    this.#position = log.position
    return this
  }

  #build(): void {
    const table = this.#table
    if (this.#base) {
      const { rows, length } = this.#base.refresh()
      this.#rows = sortBy(table, this.#clusters, this.#keys, rows.subarray(0, length))
    } else this.#rows = baseOrder(table, this.#clusters, rowsOfBits(table.live, table.words), this.compare)
    this.length = this.#rows.length
    this.version += 1
  }

  /** Takes changed rows out where they do not fit any more, and puts them where they belong. */
  #merge(): void {
    const table = this.#table
    const { log, live, slots } = table
    const changed = new Uint32Array(wordsFor(slots))
    for (let at = this.#position; at < log.position; at += 1) setBit(changed, log.at(at))
    const moved = this.#takeOut(changed)
    // What is still marked was not in the order at all.
    for (let at = this.#position; at < log.position; at += 1) {
      const row = log.at(at)
      if (!hasBit(changed, row)) continue
      clearBit(changed, row)
      if (hasBit(live, row)) moved.push(row)
    }
    if (moved.length > 0) this.#putIn(Uint32Array.from(moved).sort(this.compare))
  }

  /** Leaves the changed rows that are still in order between their neighbours; answers those that have to move. */
  #takeOut(changed: Uint32Array): number[] {
    const rows = this.#rows
    const { live } = this.#table
    const { length } = this
    const moved: number[] = []
    let kept = 0
    /** The next row that did not change, from here on. */
    let next = 0
    for (let at = 0; at < length; at += 1) {
      const row = rows[at] as number
      // Nearly every row comes by here.
      if ((((changed[row >>> 5] as number) >>> (row & 31)) & 1) === 0) {
        if (kept !== at) rows[kept] = row
        kept += 1
        continue
      }
      clearBit(changed, row)
      if (!hasBit(live, row)) continue
      if (next <= at) next = at + 1
      while (next < length && hasBit(changed, rows[next] as number)) next += 1
      const after = kept === 0 || this.compare(rows[kept - 1] as number, row) < 0
      if (after && (next >= length || this.compare(row, rows[next] as number) < 0)) {
        rows[kept] = row
        kept += 1
      } else moved.push(row)
    }
    if (kept !== length) this.version += 1
    this.length = kept
    return moved
  }

  /** Sorted rows into their places, from the end. */
  #putIn(sorted: Uint32Array): void {
    const total = this.length + sorted.length
    let rows = this.#rows
    if (total > rows.length) {
      rows = new Uint32Array(total + (total >>> 4) + 16)
      rows.set(this.#rows.subarray(0, this.length))
      this.#rows = rows
    }
    let end = this.length
    for (let at = sorted.length - 1; at >= 0; at -= 1) {
      const row = sorted[at] as number
      let low = 0
      let high = end
      while (low < high) {
        const middle = (low + high) >>> 1
        if (this.compare(rows[middle] as number, row) < 0) low = middle + 1
        else high = middle
      }
      rows.copyWithin(low + at + 1, low, end)
      rows[low + at] = row
      end = low
    }
    this.length = total
    this.version += 1
  }
}
