import { type Bits, grownBits, hasBit, setBit, wordsFor } from '../bitmap.ts'
import type { Sets } from '../sets.ts'
import { LOWER, type Strings } from '../strings.ts'

/**
 * What a string must be like to match. `equals`, `contains`, `starts` and `ends` pass over the case of ASCII letters;
 * `exact` and `begins` do not.
 */
export type StringMatch = 'equals' | 'contains' | 'starts' | 'ends' | 'exact' | 'begins'

/** So many hits are looked for with the fast search for one text; where there are more, every string is looked at. */
const MANY_HITS = 1_000

/** ASCII letters in lower case; all else as it is. */
export const folded = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

/** Decides once for each string of a table whether it matches one of some texts. */
export class StringTest {
  readonly #strings: Strings
  readonly #match: StringMatch
  readonly #needles: Buffer[]
  #decided = 0
  /** By string id; true for what `extend` has seen. */
  accept: Bits = new Uint32Array(1)
  /** Some string was accepted. */
  any = false

  constructor(strings: Strings, match: StringMatch, texts: readonly string[]) {
    this.#strings = strings
    this.#match = match
    const asIs = match === 'exact' || match === 'begins'
    this.#needles = texts.map((text) => Buffer.from(asIs ? text : folded(text)))
  }

  get bytes(): number {
    return this.accept.byteLength
  }

  /** Takes in the strings that have come since. */
  extend(): void {
    const { count } = this.#strings
    if (this.#decided === count) return
    const words = wordsFor(count)
    if (words > this.accept.length) this.accept = grownBits(this.accept, words + (words >>> 2))
    for (const needle of this.#needles) {
      if (this.#match === 'contains' && needle.length > 0) this.#search(needle)
      else this.#compare(needle, this.#decided)
    }
    this.#decided = count
  }

  #take(id: number): void {
    setBit(this.accept, id)
    this.any = true
  }

  /** All strings that contain the text, by a search through all their bytes at once. */
  #search(needle: Buffer): void {
    const { ends, count, size } = this.#strings
    const lower = this.#strings.lower()
    let id = this.#decided
    let from = this.#strings.from(id)
    for (let hits = 0; from < size; hits += 1) {
      if (hits > MANY_HITS || needle.length === 1) {
        this.#scan(needle, id)
        return
      }
      const at = lower.indexOf(needle, from)
      if (at < 0 || at >= size) return
      id = endingAfter(ends, at, id, count)
      const end = ends[id] as number
      if (at + needle.length <= end) {
        this.#take(id)
        from = end
        id += 1
      } else from = at + 1
    }
  }

  /** The same, string by string. */
  #scan(needle: Buffer, first: number): void {
    const { ends, count } = this.#strings
    const lower = this.#strings.lower()
    const start = needle[0] as number
    const { length } = needle
    let from = this.#strings.from(first)
    for (let id = first; id < count; id += 1) {
      const end = ends[id] as number
      const last = end - length
      for (let at = from; at <= last; at += 1) {
        if (lower[at] !== start) continue
        let same = 1
        while (same < length && lower[at + same] === needle[same]) same += 1
        if (same < length) continue
        this.#take(id)
        break
      }
      from = end
    }
  }

  #compare(needle: Buffer, first: number): void {
    const { ends, count, bytes } = this.#strings
    const { length } = needle
    const match = this.#match
    const whole = match === 'equals' || match === 'exact'
    const fold = match !== 'exact' && match !== 'begins'
    let from = this.#strings.from(first)
    for (let id = first; id < count; id += 1) {
      const end = ends[id] as number
      const size = end - from
      if (whole ? size === length : size >= length) {
        const start = match === 'ends' ? end - length : from
        let same = 0
        if (match !== 'contains')
          while (same < length) {
            const byte = bytes[start + same] as number
            if ((fold ? LOWER[byte] : byte) !== needle[same]) break
            same += 1
          }
        if (same === length || match === 'contains') this.#take(id)
      }
      from = end
    }
  }
}

/** The first id from `first` on whose string ends after this place. */
function endingAfter(ends: Uint32Array, place: number, first: number, count: number): number {
  let low = first
  let high = count - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ends[middle] as number) > place) high = middle
    else low = middle + 1
  }
  return low
}

/** Decides once for each set whether some member of it matches. */
export class SetTest {
  readonly #sets: Sets
  readonly #strings: StringTest
  #decided = 0
  /** By set id. */
  accept: Bits = new Uint32Array(1)

  constructor(sets: Sets, strings: StringTest) {
    this.#sets = sets
    this.#strings = strings
  }

  get bytes(): number {
    return this.accept.byteLength + this.#strings.bytes
  }

  extend(): void {
    const { count, ends, members } = this.#sets
    this.#strings.extend()
    if (this.#decided === count) return
    const words = wordsFor(count)
    if (words > this.accept.length) this.accept = grownBits(this.accept, words + (words >>> 2))
    const { accept } = this.#strings
    if (this.#strings.any) {
      let at = this.#sets.from(this.#decided)
      for (let id = this.#decided; id < count; id += 1) {
        const end = ends[id] as number
        for (; at < end; at += 1) if (hasBit(accept, members[at] as number)) setBit(this.accept, id)
      }
    }
    this.#decided = count
  }
}
