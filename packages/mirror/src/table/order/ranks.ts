import { type Bits, rowsOfBits, setBit, wordsFor } from '../bitmap.ts'
import type { Sets } from '../sets.ts'
import type { Strings } from '../strings.ts'
import { sortByWords } from './multikey.ts'

/** Three bytes and how many of them there are: a string that ends comes before one that goes on with a zero byte. */
export function wordOfString(strings: Strings): (id: number, depth: number) => number {
  const { bytes, ends } = strings
  return (id, depth) => {
    const at = (id === 0 ? 0 : (ends[id - 1] as number)) + depth * 3
    const left = (ends[id] as number) - at
    if (left >= 3)
      return (
        (((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | 3) >>> 0
      )
    if (left <= 0) return 0
    const second = left === 2 ? (bytes[at + 1] as number) << 16 : 0
    return (((bytes[at] as number) << 24) | second | left) >>> 0
  }
}

/** Ids of the strings that are in use, by bytes. */
export function sortedStrings(strings: Strings, used: Bits): Uint32Array {
  const ids = idsOf(used, strings.count)
  sortByWords(ids, wordOfString(strings))
  return ids
}

const idsOf = (used: Bits, count: number): Uint32Array => rowsOfBits(used, Math.min(used.length, wordsFor(count)))

/** Which ids the rows have. */
export function usedBy(rows: Uint32Array, values: Uint32Array, ids: number): Bits {
  const used = new Uint32Array(wordsFor(ids))
  for (let at = 0; at < rows.length; at += 1) setBit(used, values[rows[at] as number] as number)
  return used
}

/** By string id: 0 for the first in order; what is not in use has no meaning. */
export function stringRanks(strings: Strings, used: Bits): { ranks: Uint32Array; count: number } {
  const sorted = sortedStrings(strings, used)
  return { ranks: ranksOf(sorted, strings.count), count: sorted.length }
}

/** By set id: sets in the order of their members, one after the other. */
export function setRanks(sets: Sets, strings: Strings, used: Bits): { ranks: Uint32Array; count: number } {
  const ids = idsOf(used, sets.count)
  const members = new Uint32Array(wordsFor(strings.count))
  for (const id of ids)
    for (let at = sets.from(id); at < sets.to(id); at += 1) setBit(members, sets.members[at] as number)
  const { ranks } = stringRanks(strings, members)
  sortByWords(ids, (id, depth) => {
    const at = sets.from(id) + depth
    return at < sets.to(id) ? (ranks[sets.members[at] as number] as number) + 1 : 0
  })
  return { ranks: ranksOf(ids, sets.count), count: ids.length }
}

function ranksOf(sorted: Uint32Array, ids: number): Uint32Array {
  const ranks = new Uint32Array(ids)
  for (let at = 0; at < sorted.length; at += 1) ranks[sorted[at] as number] = at
  return ranks
}
