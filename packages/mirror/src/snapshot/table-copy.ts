import { type ColumnPart, NO_CLUSTER, type SetsPart, type StringsPart } from '../batch.ts'
import type { KindSpec } from '../kind.ts'
import type { SnapshotTable, TableArrays } from './snapshot-source.ts'

/** Rows copied in one go: about a megabyte. */
const SLICE_ROWS = 8_192
/** So few changed rows are copied at the end in one go. */
const FEW_ROWS = 2_000
const MOST_ROUNDS = 20

/** One table as it was at one moment. */
export interface TableCopy extends TableArrays {
  /** SnapshotTable.version then. */
  version: number
  spec: KindSpec
  /** SnapshotTable.stood then. */
  stood: { cluster: number; revision: number }[]
}

/**
 * Copies a table while it goes on changing: a slice at a time, `pause` between two; what changed meanwhile once more; and
 * in the last go the rest together with where the clusters stand. So the copy is the table as it is at the end.
 */
export async function copyTable(table: SnapshotTable, pause: () => Promise<void>): Promise<TableCopy> {
  let tracker = table.track()
  try {
    const rows = new RowCopy(table.arrays())
    for (let from = 0; from < table.arrays().slots; from += SLICE_ROWS) {
      const arrays = table.arrays()
      rows.copyRange(arrays, from, Math.min(from + SLICE_ROWS, arrays.slots))
      await pause()
    }
    for (let round = 0; count(tracker.rows) > FEW_ROWS && round < MOST_ROUNDS; round += 1) {
      const before = tracker
      tracker = table.track()
      before.end()
      for (const changed of before.rows) {
        for (let from = 0; from < changed.length; from += FEW_ROWS) {
          rows.copyRows(table.arrays(), changed, from, Math.min(from + FEW_ROWS, changed.length))
          await pause()
        }
      }
    }
    const arrays = table.arrays()
    for (const changed of tracker.rows) rows.copyRows(arrays, changed, 0, changed.length)
    return { ...rows.end(arrays), version: table.version(), spec: table.spec, stood: table.stood() }
  } finally {
    tracker.end()
  }
}

const count = (lists: readonly ArrayLike<number>[]) => lists.reduce((sum, { length }) => sum + length, 0)

/** Copies of the arrays of a table; they grow with it. */
class RowCopy {
  #capacity: number
  #clusters: Uint16Array
  #uids: Uint32Array
  #revisions: Float64Array
  #columns: ColumnPart[]

  constructor({ slots, columns }: TableArrays) {
    this.#capacity = slots
    this.#clusters = new Uint16Array(slots).fill(NO_CLUSTER)
    this.#uids = new Uint32Array(4 * slots)
    this.#revisions = new Float64Array(slots)
    this.#columns = columns.map((column) => emptyColumn(column.type, slots))
  }

  copyRange(from: TableArrays, begin: number, end: number): void {
    this.#hold(end)
    this.#clusters.set(from.clusters.subarray(begin, end), begin)
    this.#uids.set(from.uids.subarray(4 * begin, 4 * end), 4 * begin)
    this.#revisions.set(from.revisions.subarray(begin, end), begin)
    for (const [index, column] of this.#columns.entries()) copyValues(from.columns[index], column, begin, end)
  }

  copyRows(from: TableArrays, rows: ArrayLike<number>, begin: number, end: number): void {
    for (let index = begin; index < end; index += 1) {
      const row = rows[index] as number
      if (row < from.slots) this.copyRange(from, row, row + 1)
    }
  }

  /** The copies, exactly as long as the table is now. Strings and sets are only ever added: they need no copy. */
  end({ slots, strings, sets }: TableArrays): TableArrays {
    this.#hold(slots)
    return {
      strings: { ...strings },
      sets: { ...sets },
      slots,
      clusters: this.#clusters.subarray(0, slots),
      uids: this.#uids.subarray(0, 4 * slots),
      revisions: this.#revisions.subarray(0, slots),
      columns: this.#columns.map((column) => cut(column, slots)),
    }
  }

  #hold(rows: number): void {
    if (rows <= this.#capacity) return
    const capacity = Math.ceil(rows * 1.25) + 64
    const clusters = new Uint16Array(capacity).fill(NO_CLUSTER)
    clusters.set(this.#clusters)
    this.#clusters = clusters
    this.#uids = longer(this.#uids, new Uint32Array(4 * capacity))
    this.#revisions = longer(this.#revisions, new Float64Array(capacity))
    this.#columns = this.#columns.map((column) => {
      const next = emptyColumn(column.type, capacity)
      copyValues(column, next, 0, this.#capacity)
      return next
    })
    this.#capacity = capacity
  }
}

function longer<Values extends Uint32Array | Float64Array>(before: Values, after: Values): Values {
  after.set(before)
  return after
}

/** A column of nothing. */
export function emptyColumn(type: ColumnPart['type'], rows: number): ColumnPart {
  if (type === 'u32') return { type, values: new Uint32Array(rows) }
  if (type === 'f64') return { type, values: new Float64Array(rows) }
  return { type, prefixes: new Uint32Array(rows), suffixes: new Uint8Array(8 * rows) }
}

function copyValues(from: ColumnPart | undefined, to: ColumnPart, begin: number, end: number): void {
  if (from?.type === 'split' && to.type === 'split') {
    to.prefixes.set(from.prefixes.subarray(begin, end), begin)
    to.suffixes.set(from.suffixes.subarray(8 * begin, 8 * end), 8 * begin)
  } else if (from && from.type !== 'split' && to.type === from.type)
    to.values.set(from.values.subarray(begin, end), begin)
  else throw new Error(`A column of type ${to.type} is copied from one of type ${from?.type}`)
}

function cut(column: ColumnPart, rows: number): ColumnPart {
  if (column.type === 'split')
    return {
      type: 'split',
      prefixes: column.prefixes.subarray(0, rows),
      suffixes: column.suffixes.subarray(0, 8 * rows),
    }
  if (column.type === 'u32') return { type: 'u32', values: column.values.subarray(0, rows) }
  return { type: 'f64', values: column.values.subarray(0, rows) }
}

/** What is used of the memory of strings or sets: the entries, and where each ends. */
export function usedOf(part: StringsPart | SetsPart): { content: Uint8Array; ends: Uint32Array } {
  const ends = new Uint32Array(part.ends, 0, part.count)
  const last = ends[part.count - 1] ?? 0
  return {
    content: 'bytes' in part ? new Uint8Array(part.bytes, 0, last) : new Uint8Array(part.members, 0, 4 * last),
    ends,
  }
}
