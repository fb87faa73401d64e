import { cutAt, SUFFIX_BYTES } from '../../rows/split.ts'
import { type Bits, grownBits, hasBit, wordsFor } from '../bitmap.ts'
import type { Column } from '../column.ts'
import { fillBits, type RowTest } from './row-test.ts'
import { folded, type StringTest, type StringTests } from './string-test.ts'

const NONE = new Uint32Array(0)

/** Bytes of a suffix, in two words of the machine's order, and which of them count. */
interface Pattern {
  mask0: number
  mask1: number
  word0: number
  word1: number
}

/** Some bytes at a place of the eight. */
function patternAt(bytes: Uint8Array, place: number, whole = false): Pattern {
  const masks = new Uint8Array(SUFFIX_BYTES)
  const values = new Uint8Array(SUFFIX_BYTES)
  values.set(bytes, place)
  masks.fill(255, whole ? 0 : place, whole ? SUFFIX_BYTES : place + bytes.length)
  const mask = new Int32Array(masks.buffer)
  const value = new Int32Array(values.buffer)
  return { mask0: mask[0] as number, mask1: mask[1] as number, word0: value[0] as number, word1: value[1] as number }
}

/** Four ASCII bytes in lower case. */
const lowered = (word: number): number => word | (((word + 0x3f3f_3f3f) & ~(word + 0x2525_2525) & 0x8080_8080) >>> 2)

/** A text at the end of which is a suffix: what its beginning and what its suffix must be like. */
interface Halves {
  beginnings: StringTest
  suffix: Pattern
}

/**
 * Tests the texts of a `split` column without putting them together: a text that is looked for lies in the beginning, in
 * the suffix, or across the cut. A cut is always after a separator, and no suffix has one; so there is one way at most
 * to lie across.
 */
export class SplitTest implements RowTest {
  readonly #column: Column
  /** The beginning alone decides. */
  readonly #inside: StringTest | undefined
  readonly #halves: Halves[]
  /** At any of these places of the suffix; `firsts` is the first byte, four times. */
  readonly #places: Pattern[]
  readonly #firsts: number

  private constructor(column: Column, inside: StringTest | undefined, halves: Halves[], within: Uint8Array) {
    this.#column = column
    this.#inside = inside
    this.#halves = halves
    this.#places = []
    if (within.length > 0)
      for (let place = 0; place + within.length <= SUFFIX_BYTES; place += 1) this.#places.push(patternAt(within, place))
    this.#firsts = within.length > 0 ? Math.imul(within[0] as number, 0x0101_0101) : 0
  }

  /** Begins with the text, without regard to case. */
  static starts(column: Column, tests: StringTests, text: string): SplitTest {
    const bytes = Buffer.from(folded(text))
    const cut = cutAt(bytes, 0, bytes.length)
    const halves: Halves[] = []
    if (cut > 0 && cut < bytes.length) {
      const beginnings = tests.of('equals', [bytes.toString('utf8', 0, cut)])
      halves.push({ beginnings, suffix: patternAt(bytes.subarray(cut), 0) })
    }
    return new SplitTest(column, tests.of('starts', [text]), halves, new Uint8Array(0))
  }

  /** Contains the text, without regard to case. */
  static contains(column: Column, tests: StringTests, text: string): SplitTest {
    const bytes = Buffer.from(folded(text))
    const inside = tests.of('contains', [text])
    const cut = cutAt(bytes, 0, bytes.length)
    const halves: Halves[] = []
    if (cut > 0 && cut < bytes.length) {
      const beginnings = tests.of('ends', [bytes.toString('utf8', 0, cut)])
      halves.push({ beginnings, suffix: patternAt(bytes.subarray(cut), 0) })
    }
    const fits = bytes.length <= SUFFIX_BYTES && bytes.every((byte) => byte > 0 && byte < 128)
    return new SplitTest(column, inside, halves, fits && !/[-.:]/.test(text) ? bytes : new Uint8Array(0))
  }

  /** Is one of the texts, without regard to case. */
  static equals(column: Column, tests: StringTests, texts: readonly string[]): SplitTest {
    const halves = texts.map((text): Halves => {
      const bytes = Buffer.from(folded(text))
      const cut = cutAt(bytes, 0, bytes.length)
      const beginnings = tests.of('equals', [bytes.toString('utf8', 0, cut)])
      return { beginnings, suffix: patternAt(bytes.subarray(cut), 0, true) }
    })
    return new SplitTest(column, undefined, halves, new Uint8Array(0))
  }

  get bytes(): number {
    return 500
  }

  get never(): boolean {
    const halves = this.#halves.some(({ beginnings }) => beginnings.any)
    return !this.#inside?.any && !halves && this.#places.length === 0
  }

  prepare(): void {
    this.#inside?.extend()
    for (const { beginnings } of this.#halves) beginnings.extend()
  }

  test(row: number): boolean {
    const id = this.#column.u32[row] as number
    if (this.#inside && hasBit(this.#inside.accept, id)) return true
    let word0 = this.#column.suffixWords[row * 2] as number
    let word1 = this.#column.suffixWords[row * 2 + 1] as number
    if (this.#column.capitals) {
      word0 = lowered(word0)
      word1 = lowered(word1)
    }
    for (const { beginnings, suffix } of this.#halves)
      if (hasBit(beginnings.accept, id) && fits(suffix, word0, word1)) return true
    return this.#places.length > 0 && this.#within(word0, word1)
  }

  #within(word0: number, word1: number): boolean {
    const a = word0 ^ this.#firsts
    const b = word1 ^ this.#firsts
    // A byte is zero where the first byte of the text is.
    if ((((a - 0x0101_0101) & ~a) | ((b - 0x0101_0101) & ~b)) & 0x8080_8080) {
      for (const place of this.#places) if (fits(place, word0, word1)) return true
    }
    return false
  }

  fill(bits: Bits, slots: number): void {
    const words = wordsFor(slots)
    if (this.never) {
      bits.fill(0, 0, words)
      return
    }
    const halves = this.#halves.filter(({ beginnings }) => beginnings.any)
    if (this.#column.capitals || halves.length > 1) fillBits(bits, slots, (row) => this.test(row))
    else if (this.#inside?.any || halves.length > 0) this.#fillBoth(bits, slots, halves[0])
    else this.#fillWithin(bits, slots)
  }

  /** The same as `test` in one loop; for suffixes without capitals, and at most one way to lie across. */
  #fillBoth(bits: Bits, slots: number, half: Halves | undefined): void {
    const { u32, suffixWords } = this.#column
    const ids = Math.max(this.#inside?.accept.length ?? 0, half?.beginnings.accept.length ?? 0)
    const inside = grownBits(this.#inside?.accept ?? NONE, ids)
    const across = grownBits(half?.beginnings.accept ?? NONE, ids)
    const suffix = half?.suffix
    const within = this.#places.length > 0
    const words = wordsFor(slots)
    for (let at = 0; at < words; at += 1) {
      const end = Math.min(slots, (at + 1) << 5)
      let word = 0
      for (let row = at << 5; row < end; row += 1) {
        const id = u32[row] as number
        const place = id >>> 5
        const bit = 1 << (id & 31)
        const one = suffixWords[row * 2] as number
        const two = suffixWords[row * 2 + 1] as number
        if (place < ids) {
          if (((inside[place] as number) & bit) !== 0) word |= 1 << (row & 31)
          else if (suffix && ((across[place] as number) & bit) !== 0 && fits(suffix, one, two)) word |= 1 << (row & 31)
        }
        if (within && this.#within(one, two)) word |= 1 << (row & 31)
      }
      bits[at] = word
    }
  }

  /** The suffix alone decides. */
  #fillWithin(bits: Bits, slots: number): void {
    const { suffixWords } = this.#column
    const words = wordsFor(slots)
    const firsts = this.#firsts
    for (let at = 0; at < words; at += 1) {
      const end = Math.min(slots, (at + 1) << 5)
      let word = 0
      for (let row = at << 5; row < end; row += 1) {
        const a = (suffixWords[row * 2] as number) ^ firsts
        const b = (suffixWords[row * 2 + 1] as number) ^ firsts
        if (((((a - 0x0101_0101) & ~a) | ((b - 0x0101_0101) & ~b)) & 0x8080_8080) === 0) continue
        if (this.#within(suffixWords[row * 2] as number, suffixWords[row * 2 + 1] as number)) word |= 1 << (row & 31)
      }
      bits[at] = word
    }
  }
}

const fits = (pattern: Pattern, word0: number, word1: number): boolean =>
  (word0 & pattern.mask0) === pattern.word0 && (word1 & pattern.mask1) === pattern.word1
