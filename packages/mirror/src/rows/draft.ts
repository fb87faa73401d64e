import { type ColumnSpec, NO_COUNT } from '../kind.ts'
import { cutAt, SUFFIX_BYTES } from './split.ts'
import { type Dictionary, encodeText, textBytes } from './strings/dictionary.ts'
import type { SetTable } from './strings/set-table.ts'

const LATEST = 0xffff_ffff

/**
 * One row while it is read: strings and sets have their ids already, nothing of it is in the table yet. So an object
 * that cannot be read to its end leaves no half row.
 */
export class Draft {
  readonly words: Uint32Array
  readonly doubles: Float64Array
  /** Eight bytes a column. */
  readonly suffixes: Uint8Array
  readonly strings: Dictionary
  readonly sets: SetTable
  readonly #emptyWords: Uint32Array
  #members = new Uint32Array(64)
  #memberCount = 0

  constructor(columns: readonly ColumnSpec[], strings: Dictionary, sets: SetTable) {
    this.strings = strings
    this.sets = sets
    this.#emptyWords = Uint32Array.from(columns, ({ type }) => (type === 'count' ? NO_COUNT : 0))
    this.words = this.#emptyWords.slice()
    this.doubles = new Float64Array(columns.length).fill(Number.NaN)
    this.suffixes = new Uint8Array(columns.length * SUFFIX_BYTES)
  }

  /** All values absent. */
  clear(): void {
    this.words.set(this.#emptyWords)
    this.doubles.fill(Number.NaN)
    this.suffixes.fill(0)
    this.#memberCount = 0
  }

  text(column: number, text: string): void {
    this.words[column] = this.strings.idOfText(text)
  }

  textBytes(column: number, bytes: Uint8Array, from: number, to: number): void {
    this.words[column] = this.strings.idOfBytes(bytes, from, to)
  }

  split(column: number, text: string): void {
    this.splitBytes(column, textBytes, 0, encodeText(text))
  }

  splitBytes(column: number, bytes: Uint8Array, from: number, to: number): void {
    const cut = cutAt(bytes, from, to)
    this.words[column] = this.strings.idOfBytes(bytes, from, cut)
    const start = column * SUFFIX_BYTES - cut
    for (let at = cut; at < cut + SUFFIX_BYTES; at++) this.suffixes[start + at] = at < to ? (bytes[at] as number) : 0
  }

  /** What is no whole number, or negative, is absent; what is too large becomes the largest. */
  count(column: number, value: number): void {
    this.words[column] = value >= 0 && Number.isInteger(value) ? Math.min(value, NO_COUNT - 1) : NO_COUNT
  }

  number(column: number, value: number): void {
    this.doubles[column] = value
  }

  /** Seconds since 1970, cut to whole ones; what is before is absent. */
  time(column: number, seconds: number): void {
    this.words[column] = seconds > 0 ? Math.min(Math.floor(seconds), LATEST) : 0
  }

  /** Another member of the set that `endSet` ends; one that is in it already is passed over. */
  member(id: number): void {
    const members = this.#members
    const count = this.#memberCount
    if (id === 0) return
    for (let at = 0; at < count; at++) if (members[at] === id) return
    if (count === members.length) {
      this.#members = new Uint32Array(count * 2)
      this.#members.set(members)
    }
    this.#members[this.#memberCount++] = id
  }

  endSet(column: number): void {
    this.words[column] = this.sets.idOf(this.#members, this.#memberCount)
    this.#memberCount = 0
  }
}
