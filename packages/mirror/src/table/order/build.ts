import type { SortKey } from '../../expression.ts'
import type { Column } from '../column.ts'
import { columnOf } from '../filter/tests.ts'
import type { Table } from '../table.ts'
import type { ClusterRanks, Compare } from './compare.ts'
import { sortStable } from './radix.ts'
import { setRanks, stringRanks, usedBy } from './ranks.ts'
import { splitKeys } from './split-keys.ts'

/** Where there are fewer rows, comparing them is faster than counting. */
const FEW = 1_500
const LAST = 0xffff_ffff

/** Namespace, name, cluster, uid: what all other orders begin from. `rows`: any order. */
export function baseOrder(table: Table, clusters: ClusterRanks, rows: Uint32Array, compare: Compare): Uint32Array {
  if (rows.length < FEW) return rows.slice().sort(compare)
  const keys: SortKey[] = [{ field: 'namespace' }, { field: 'name' }, { field: 'cluster' }]
  const sorted = sortBy(table, clusters, keys, rows)
  // The same object twice, deleted and made again, differs in its uid: rare, and next to each other.
  for (let at = 1; at < sorted.length; at += 1) {
    let place = at
    while (place > 0 && compare(sorted[place - 1] as number, sorted[place] as number) > 0) {
      const row = sorted[place] as number
      sorted[place] = sorted[place - 1] as number
      sorted[place - 1] = row
      place -= 1
    }
  }
  return sorted
}

/** Rows by keys; rows that are equal in all of them stay as they are in `rows`. */
export function sortBy(table: Table, clusters: ClusterRanks, keys: readonly SortKey[], rows: Uint32Array): Uint32Array {
  return sortStable(
    rows,
    keys.flatMap((key) => wordsOf(table, clusters, key, rows)),
  )
}

/** Keys by row number that order the rows, the most significant first. Absent values have the greatest. */
function wordsOf(table: Table, clusters: ClusterRanks, key: SortKey, rows: Uint32Array): Uint32Array[] {
  const down = key.descending === true
  if (key.field === 'cluster') return [clusterWords(table, clusters, rows, down)]
  const column = columnOf(table, key.field, '/sort')
  if (column.type === 'split') return splitWords(table, column, rows, down)
  if (column.type === 'number') return doubleWords(column, rows, down)
  const words = new Uint32Array(column.u32.length)
  const { u32 } = column
  if (column.type === 'text' || column.type === 'set') {
    const text = column.type === 'text'
    const used = usedBy(rows, u32, text ? table.strings.count : table.sets.count)
    const { ranks, count } = text ? stringRanks(table.strings, used) : setRanks(table.sets, table.strings, used)
    for (let at = 0; at < rows.length; at += 1) {
      const row = rows[at] as number
      const id = u32[row] as number
      const rank = ranks[id] as number
      words[row] = id === 0 ? count : down ? count - 1 - rank : rank
    }
    return [words]
  }
  const absent = column.type === 'time' ? 0 : LAST
  for (let at = 0; at < rows.length; at += 1) {
    const row = rows[at] as number
    const value = u32[row] as number
    words[row] = value === absent ? LAST : down ? LAST - 1 - value : value
  }
  return [words]
}

function clusterWords(table: Table, clusters: ClusterRanks, rows: Uint32Array, down: boolean): Uint32Array {
  const words = new Uint32Array(table.capacity)
  for (let at = 0; at < rows.length; at += 1) {
    const row = rows[at] as number
    const rank = clusters.rank(table.clusters[row] as number)
    words[row] = down ? 0xffff - rank : rank
  }
  return words
}

function splitWords(table: Table, column: Column, rows: Uint32Array, down: boolean): Uint32Array[] {
  const { segments, high, low } = splitKeys(column, rows, table.strings)
  for (let at = 0; at < rows.length; at += 1) {
    const row = rows[at] as number
    const absent = column.u32[row] === 0 && column.suffixWords[row * 2] === 0
    if (down) {
      high[row] = ~(high[row] as number)
      low[row] = ~(low[row] as number)
      segments[row] = LAST - 1 - (segments[row] as number)
    }
    if (absent) segments[row] = LAST
  }
  return [segments, high, low]
}

/** The bits of doubles, turned so that they order as whole numbers do. */
function doubleWords(column: Column, rows: Uint32Array, down: boolean): Uint32Array[] {
  const high = new Uint32Array(column.f64.length)
  const low = new Uint32Array(column.f64.length)
  const double = new Float64Array(1)
  const words = new Uint32Array(double.buffer)
  for (let at = 0; at < rows.length; at += 1) {
    const row = rows[at] as number
    const value = column.f64[row] as number
    // Adding 0 makes -0 the same as 0.
    double[0] = value + 0
    const negative = (words[1] as number) >>> 31 === 1
    const first = negative ? ~(words[1] as number) : (words[1] as number) ^ 0x8000_0000
    const second = negative ? ~(words[0] as number) : (words[0] as number)
    const absent = Number.isNaN(value)
    high[row] = absent ? LAST : down ? ~first : first
    low[row] = absent ? LAST : down ? ~second : second
  }
  return [high, low]
}
