import { type Bits, eachBit, grownBits, hasBit, meets, setBit, wordsFor } from '../bitmap.ts'
import type { Kept } from '../budget.ts'
import type { Sets } from '../sets.ts'
import { LOWER, type Strings } from '../strings.ts'
import { BLOCK } from '../trigrams.ts'

/**
 * What a string must be like to match. `equals`, `contains`, `starts` and `ends` pass over the case of ASCII letters;
 * `exact` and `begins` do not.
 */
export type StringMatch = 'equals' | 'contains' | 'starts' | 'ends' | 'exact' | 'begins'

/** Where there is less text than this, all of it is looked at. */
const SMALL_BYTES = 16_384

/** ASCII letters in lower case; all else as it is. */
export const folded = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

/** Decides once for each string of a table whether it matches one of some texts. */
export class StringTest implements Kept {
  readonly #strings: Strings
  readonly #match: StringMatch
  readonly #needles: Buffer[]
  #decided = 0
  readonly #skips = new Uint8Array(256)
  #skipsFor: Buffer | undefined
  /** By string id; as `extend` has seen them. Too short to hold any id while there is none. */
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
    return this.accept.byteLength + 200
  }

  /** Takes in the strings that have come since. */
  extend(): void {
    const { count } = this.#strings
    if (this.#decided === count) return
    if (this.any) this.#makeRoom()
    for (const needle of this.#needles) this.#search(needle)
    this.#decided = count
  }

  #makeRoom(): void {
    const words = wordsFor(this.#strings.count)
    if (words > this.accept.length) this.accept = grownBits(this.accept, words + (words >>> 2))
  }

  #take(id: number): void {
    if (!this.any) {
      this.any = true
      this.#makeRoom()
    }
    setBit(this.accept, id)
  }

  #look(needle: Buffer, first: number, end: number): void {
    if (this.#match === 'contains' && needle.length > 0) this.#scan(needle, first, end)
    else this.#compare(needle, first, end)
  }

  /** All strings that match one text. */
  #search(needle: Buffer): void {
    const { count, size } = this.#strings
    if (needle.length < 3 || size < SMALL_BYTES) {
      this.#look(needle, this.#decided, count)
      return
    }
    // Whatever the match is, the text has to be in the string, in lower case at least.
    const lower = Buffer.from(needle)
    for (let at = 0; at < lower.length; at += 1) lower[at] = LOWER[lower[at] as number] as number
    const first = Math.floor(this.#decided / BLOCK)
    const last = Math.floor((count - 1) / BLOCK)
    const blocks = this.#strings.trigrams().blocks(lower)
    eachBit(blocks, (last >>> 5) + 1, (block) => {
      if (block < first || block > last) return
      this.#look(needle, Math.max(this.#decided, block * BLOCK), Math.min(count, (block + 1) * BLOCK))
    })
  }

  /** Horspool's search, string by string: what byte stands at the end says how far to go on. */
  #scan(needle: Buffer, first: number, end: number): void {
    const { ends } = this.#strings
    const lower = this.#strings.lower()
    const skips = this.#skipsOf(needle)
    const behind = needle.length - 1
    const final = needle[behind] as number
    let from = this.#strings.from(first)
    for (let id = first; id < end; id += 1) {
      const to = ends[id] as number
      for (let at = from + behind; at < to; ) {
        const byte = lower[at] as number
        if (byte === final) {
          let same = 1
          while (same <= behind && lower[at - same] === needle[behind - same]) same += 1
          if (same > behind) {
            this.#take(id)
            break
          }
        }
        at += skips[byte] as number
      }
      from = to
    }
  }

  #skipsOf(needle: Buffer): Uint8Array {
    if (this.#skipsFor === needle) return this.#skips
    const most = Math.min(needle.length, 255)
    this.#skips.fill(most)
    for (let at = 0; at < needle.length - 1; at += 1)
      this.#skips[needle[at] as number] = Math.min(most, needle.length - 1 - at)
    this.#skipsFor = needle
    return this.#skips
  }

  #compare(needle: Buffer, first: number, last: number): void {
    const { ends, bytes } = this.#strings
    const { length } = needle
    const match = this.#match
    const whole = match === 'equals' || match === 'exact'
    const fold = match !== 'exact' && match !== 'begins'
    let from = this.#strings.from(first)
    for (let id = first; id < last; id += 1) {
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

/** Tests of strings that several tests of rows have in common. */
export interface StringTests {
  readonly strings: Strings
  of(match: StringMatch, texts: readonly string[]): StringTest
}

/** Decides once for each set whether some member of it matches. */
export class SetTest {
  readonly #sets: Sets
  readonly #strings: StringTest
  #decided = 0
  /** By set id. Too short to hold any id while there is none. */
  accept: Bits = new Uint32Array(1)

  constructor(sets: Sets, strings: StringTest) {
    this.#sets = sets
    this.#strings = strings
  }

  get bytes(): number {
    return this.accept.byteLength + 200
  }

  extend(): void {
    const { count, ends, members } = this.#sets
    this.#strings.extend()
    if (this.#decided === count) return
    const { accept } = this.#strings
    if (this.#strings.any && meets(accept, this.#sets.membersUsed())) {
      const words = wordsFor(count)
      if (words > this.accept.length) this.accept = grownBits(this.accept, words + (words >>> 2))
      let at = this.#sets.from(this.#decided)
      for (let id = this.#decided; id < count; id += 1) {
        const end = ends[id] as number
        for (; at < end; at += 1) if (hasBit(accept, members[at] as number)) setBit(this.accept, id)
      }
    }
    this.#decided = count
  }
}
