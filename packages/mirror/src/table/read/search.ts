import type { Expression } from '../../expression.ts'
import { EVERYTHING, type Reader } from '../../mirror.ts'
import { type Bits, bitsIn, hasBit, rowsOfBits, setBit } from '../bitmap.ts'
import { SplitTest } from '../filter/split-test.ts'
import type { Order } from '../order/order.ts'
import type { Lists } from './lists.ts'

/** How well a row fits: its name is a word, begins with one, contains one; or only other columns contain the words. */
const CLASSES = 4
/** Fewer rows than this are sorted; of more, the first ones are looked for in the order. */
const FEW = 64

/** What one table has for a search. */
export interface TableHits {
  total: number
  /** The best class there is, 0 to 3; 0: a name that is one of the words. */
  best: number
  /** The best rows first, at most as many as were asked for. */
  rows: number[]
}

/** The words of a search; no word is empty. */
export const wordsOfSearch = (text: string): string[] => [...new Set(text.split(/\s+/).filter(Boolean))]

/** Rows in which every word is found. `clusters`: of these only. */
export function searchTable(
  lists: Lists,
  words: readonly string[],
  clusters: readonly string[] | undefined,
  reader: Reader,
  limit: number,
): TableHits {
  if (!words.every((word) => lists.filters.mayHold(word))) return { total: 0, best: CLASSES, rows: [] }
  const parts: Expression[] = words.map((text) => ({ text }))
  if (clusters) parts.push({ field: 'cluster', op: '=', values: [...clusters] })
  const result = lists.filters.make({ all: parts }, reader).refresh()
  if (result.count === 0) return { total: 0, best: CLASSES, rows: [] }
  const classes = classify(lists, words, result.bits)
  const order = lists.order(undefined)
  const rows: number[] = []
  let best = CLASSES
  for (const [number, { bits, count }] of classes.entries()) {
    if (count === 0) continue
    best = Math.min(best, number)
    if (rows.length < limit) rows.push(...firstOf(bits, count, order, lists.table.words, limit - rows.length))
  }
  return { total: result.count, best, rows }
}

interface Class {
  bits: Bits
  count: number
}

/** The rows by class. */
function classify(lists: Lists, words: readonly string[], hits: Bits): Class[] {
  const { table } = lists
  const classes = Array.from({ length: CLASSES }, (): Class => ({ bits: new Uint32Array(table.words), count: 0 }))
  const [, , , others] = classes as [Class, Class, Class, Class]
  const named = new Uint32Array(table.words)
  for (const word of words) {
    const names = lists.filters.make({ field: 'name', op: '~', values: [word] }, EVERYTHING).refresh().bits
    for (let at = 0; at < table.words; at += 1) named[at] = (named[at] as number) | (names[at] as number)
  }
  let some = 0
  for (let at = 0; at < table.words; at += 1) {
    named[at] = (named[at] as number) & (hits[at] as number)
    some |= named[at] as number
    others.bits[at] = (hits[at] as number) & ~(named[at] as number)
    others.count += bitsIn(others.bits[at] as number)
  }
  if (some !== 0) classifyNames(lists, words, named, classes)
  return classes
}

function classifyNames({ table, filters }: Lists, words: readonly string[], named: Bits, classes: Class[]): void {
  const column = table.column('name')
  if (!column) return
  const equal = SplitTest.equals(column, filters.strings, words)
  const starts = words.map((word) => SplitTest.starts(column, filters.strings, word))
  for (const test of [equal, ...starts]) test.prepare()
  for (const row of rowsOfBits(named, table.words)) {
    const number = equal.test(row) ? 0 : starts.some((test) => test.test(row)) ? 1 : 2
    const found = classes[number] as Class
    setBit(found.bits, row)
    found.count += 1
  }
}

function firstOf(
  bits: Bits,
  count: number,
  order: Order,
  words: number,
  limit: number,
): ArrayLike<number> & Iterable<number> {
  if (count <= FEW) return rowsOfBits(bits, words, count).sort(order.compare).subarray(0, limit)
  const first: number[] = []
  for (let at = 0; at < order.length && first.length < limit; at += 1) {
    const row = order.rows[at] as number
    if (hasBit(bits, row)) first.push(row)
  }
  return first
}
