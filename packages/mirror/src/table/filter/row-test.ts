import { type Bits, hasBit, meets, wordsFor } from '../bitmap.ts'
import type { Column } from '../column.ts'
import type { SetTest, StringTest } from './string-test.ts'

/** A question that each row answers by itself. */
export interface RowTest {
  /** Takes in what has come since (strings, sets, clusters); to be called before the others. */
  prepare(): void
  test(row: number): boolean
  /** Writes the answers of the rows 0 to slots-1. */
  fill(bits: Bits, slots: number): void
  /** Certain to be true of no row so far. */
  readonly never: boolean
  /** Memory it holds. */
  readonly bytes: number
}

/** Writes answers, a word of 32 rows at a time. */
export function fillBits(bits: Bits, slots: number, test: (row: number) => boolean): void {
  const words = wordsFor(slots)
  for (let at = 0; at < words; at += 1) {
    const end = Math.min(slots, (at + 1) << 5)
    let word = 0
    for (let row = at << 5; row < end; row += 1) if (test(row)) word |= 1 << (row & 31)
    bits[at] = word
  }
}

/** Whether the row's string or set is an accepted one. */
export class IdTest implements RowTest {
  readonly #column: Column
  readonly #ids: StringTest | SetTest

  constructor(column: Column, ids: StringTest | SetTest) {
    this.#column = column
    this.#ids = ids
  }

  get bytes(): number {
    return this.#ids.bytes
  }

  get never(): boolean {
    return !meets(this.#ids.accept, this.#column.used)
  }

  prepare(): void {
    this.#ids.extend()
  }

  test(row: number): boolean {
    return hasBit(this.#ids.accept, this.#column.u32[row] as number)
  }

  fill(bits: Bits, slots: number): void {
    const { accept } = this.#ids
    const { u32 } = this.#column
    const words = wordsFor(slots)
    if (this.never) {
      bits.fill(0, 0, words)
      return
    }
    for (let at = 0; at < words; at += 1) {
      const end = Math.min(slots, (at + 1) << 5)
      let word = 0
      for (let row = at << 5; row < end; row += 1) {
        const id = u32[row] as number
        const place = id >>> 5
        if (place < accept.length) word |= (((accept[place] as number) >>> (id & 31)) & 1) << (row & 31)
      }
      bits[at] = word
    }
  }
}

/** A test that needs nothing but the row. */
export class PlainTest implements RowTest {
  readonly test: (row: number) => boolean
  readonly bytes = 256
  readonly never = false

  constructor(test: (row: number) => boolean) {
    this.test = test
  }

  prepare(): void {}

  fill(bits: Bits, slots: number): void {
    fillBits(bits, slots, this.test)
  }
}

/** One decision for each number (of a cluster, of a place), made when it is first met; the row has such a number. */
export class NumberedTest implements RowTest {
  readonly #numbers: () => Uint16Array | Uint32Array
  readonly #count: () => number
  readonly #decide: (number: number) => boolean
  #decisions = new Uint8Array(0)
  #decided = 0
  readonly never = false

  /** `count`: how many numbers there are by now; they begin with 0 and are never given to another. */
  constructor(numbers: () => Uint16Array | Uint32Array, count: () => number, decide: (number: number) => boolean) {
    this.#numbers = numbers
    this.#count = count
    this.#decide = decide
  }

  get bytes(): number {
    return this.#decisions.byteLength + 256
  }

  prepare(): void {
    const count = this.#count()
    if (count > this.#decisions.length) {
      const grown = new Uint8Array(Math.max(count, this.#decisions.length * 2, 16))
      grown.set(this.#decisions)
      this.#decisions = grown
    }
    for (; this.#decided < count; this.#decided += 1)
      this.#decisions[this.#decided] = this.#decide(this.#decided) ? 1 : 0
  }

  test(row: number): boolean {
    return this.#decisions[this.#numbers()[row] as number] === 1
  }

  fill(bits: Bits, slots: number): void {
    const numbers = this.#numbers()
    const decisions = this.#decisions
    const words = wordsFor(slots)
    for (let at = 0; at < words; at += 1) {
      const end = Math.min(slots, (at + 1) << 5)
      let word = 0
      // Free rows may hold a number that there is no decision for; they count for nothing.
      for (let row = at << 5; row < end; row += 1)
        word |= (decisions[numbers[row] as number] === 1 ? 1 : 0) << (row & 31)
      bits[at] = word
    }
  }
}

/** Whether one of several tests is true. */
export class AnyTest implements RowTest {
  readonly #tests: readonly RowTest[]

  constructor(tests: readonly RowTest[]) {
    this.#tests = tests
  }

  get bytes(): number {
    return this.#tests.reduce((sum, test) => sum + test.bytes, 64)
  }

  get never(): boolean {
    return this.#tests.every((test) => test.never)
  }

  prepare(): void {
    for (const test of this.#tests) test.prepare()
  }

  test(row: number): boolean {
    for (const test of this.#tests) if (test.test(row)) return true
    return false
  }

  fill(bits: Bits, slots: number): void {
    const words = wordsFor(slots)
    bits.fill(0, 0, words)
    const some = new Uint32Array(words)
    for (const test of this.#tests) {
      if (test.never) continue
      test.fill(some, slots)
      for (let at = 0; at < words; at += 1) bits[at] = (bits[at] as number) | (some[at] as number)
    }
  }
}
