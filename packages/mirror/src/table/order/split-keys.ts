import { SUFFIX_BYTES } from '../../rows/split.ts'
import type { Column } from '../column.ts'
import type { Strings } from '../strings.ts'
import { sortedStrings, usedBy } from './ranks.ts'

/** Keys by row number, the most significant first. */
export interface SplitKeys {
  segments: Uint32Array
  high: Uint32Array
  low: Uint32Array
}

/** Big end first. */
export const swapped = (word: number): number =>
  ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0

/**
 * Keys that order rows by the whole texts of a `split` column. Where a beginning is the beginning of another one (`app-`
 * and `app-1-`), texts of the first lie before, between and after those of the others. So each beginning is cut into
 * segments by those that begin with it, and segments are numbered in the order of the texts in them.
 */
export function splitKeys(column: Column, rows: Uint32Array, strings: Strings): SplitKeys {
  const { u32, suffixWords } = column
  const tree = new Tree(strings, sortedStrings(strings, usedBy(rows, u32, strings.count)))
  const segments = new Uint32Array(u32.length)
  const high = new Uint32Array(u32.length)
  const low = new Uint32Array(u32.length)
  const suffix = new Uint8Array(SUFFIX_BYTES)
  for (let at = 0; at < rows.length; at += 1) {
    const row = rows[at] as number
    const node = tree.nodeOf[u32[row] as number] as number
    const first = swapped(suffixWords[row * 2] as number)
    const second = swapped(suffixWords[row * 2 + 1] as number)
    high[row] = first
    low[row] = second
    const children = tree.children[node]
    if (!children) {
      segments[row] = tree.first[node] as number
      continue
    }
    for (let byte = 0; byte < SUFFIX_BYTES; byte += 1) suffix[byte] = column.suffixes[row * 8 + byte] as number
    const place = tree.place(node, suffix)
    segments[row] = place.segment
    if (place.skipped === 0) continue
    high[row] = wordAt(suffix, place.skipped)
    low[row] = wordAt(suffix, place.skipped + 4)
  }
  return { segments, high, low }
}

const wordAt = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0

/** Beginnings in order, each below the longest one that it begins with. */
class Tree {
  /** By string id. */
  readonly nodeOf: Uint32Array
  /** The first segment of each node. */
  readonly first: Uint32Array
  /** Nodes right below, in order; nothing where there are none. */
  readonly children: (number[] | undefined)[]
  /** All segments of nodes that have children: one more than children. */
  readonly #segments: (number[] | undefined)[]
  readonly #strings: Strings
  readonly #ids: Uint32Array

  constructor(strings: Strings, sorted: Uint32Array) {
    const count = sorted.length
    this.#strings = strings
    this.#ids = sorted
    this.nodeOf = new Uint32Array(strings.count)
    this.first = new Uint32Array(count)
    this.children = new Array(count)
    this.#segments = new Array(count)
    const open: number[] = []
    let segments = 0
    const close = () => {
      open.pop()
      const parent = open.at(-1)
      if (parent === undefined) return
      this.#segments[parent]?.push(segments)
      segments += 1
    }
    for (let node = 0; node < count; node += 1) {
      this.nodeOf[sorted[node] as number] = node
      while (open.length > 0 && !this.#begins(open.at(-1) as number, node)) close()
      const parent = open.at(-1)
      if (parent !== undefined) {
        const siblings = this.children[parent]
        if (siblings) siblings.push(node)
        else {
          this.children[parent] = [node]
          this.#segments[parent] = [this.first[parent] as number]
        }
      }
      this.first[node] = segments
      segments += 1
      open.push(node)
    }
    while (open.length > 0) close()
  }

  /** Whether a node's text begins with another's. */
  #begins(beginning: number, node: number): boolean {
    const { bytes } = this.#strings
    const a = this.#ids[beginning] as number
    const b = this.#ids[node] as number
    const start = this.#strings.from(a)
    const length = this.#strings.to(a) - start
    const other = this.#strings.from(b)
    if (this.#strings.to(b) - other < length) return false
    for (let at = 0; at < length; at += 1) if (bytes[start + at] !== bytes[other + at]) return false
    return true
  }

  /** The segment of a text: that of the node and a suffix. `skipped`: bytes of the suffix that belong to nodes below. */
  place(from: number, suffix: Uint8Array): { segment: number; skipped: number } {
    let node = from
    let skipped = 0
    for (;;) {
      const children = this.children[node]
      if (!children) return { segment: this.first[node] as number, skipped }
      // How many children come before the text; the last of them may be the beginning of it.
      let low = 0
      let high = children.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if (this.#compare(node, children[middle] as number, suffix, skipped) > 0) high = middle
        else low = middle + 1
      }
      const last = low > 0 ? (children[low - 1] as number) : -1
      if (last < 0 || this.#compare(node, last, suffix, skipped) < 0)
        return { segment: this.#segments[node]?.[low] as number, skipped }
      skipped += this.#length(last) - this.#length(node)
      node = last
    }
  }

  #length(node: number): number {
    const id = this.#ids[node] as number
    return this.#strings.to(id) - this.#strings.from(id)
  }

  /** What a child has more than its parent against the suffix: 0 when the suffix begins with it. */
  #compare(parent: number, child: number, suffix: Uint8Array, skipped: number): number {
    const { bytes } = this.#strings
    const id = this.#ids[child] as number
    const end = this.#strings.to(id)
    let at = skipped
    for (let from = this.#strings.from(id) + this.#length(parent); from < end; from += 1, at += 1) {
      const other = at < SUFFIX_BYTES ? (suffix[at] as number) : 0
      if (other === 0) return 1
      const difference = (bytes[from] as number) - other
      if (difference !== 0) return difference
    }
    return 0
  }
}
