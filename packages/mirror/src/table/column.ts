import type { ColumnPart } from '../batch.ts'
import { type ColumnSpec, NO_COUNT } from '../kind.ts'
import { type Bits, grownBits, setBit, wordsFor } from './bitmap.ts'

/** What a row holds in a column, one array for all rows. Which arrays are filled depends on the column's type. */
export class Column {
  readonly spec: ColumnSpec
  /** `text` and `set` ids, `count`, `time`; ids of the beginnings of `split`. */
  u32: Uint32Array = new Uint32Array(0)
  /** `number`. */
  f64: Float64Array = new Float64Array(0)
  /** `split`: eight bytes a row. */
  suffixes: Uint8Array = new Uint8Array(0)
  /** The same, two words a row, in the machine's byte order. */
  suffixWords: Uint32Array = new Uint32Array(0)
  /** Ids that are or were in `u32`, for columns of ids. */
  used: Bits = new Uint32Array(1)
  /** Some suffix holds or held a capital letter. */
  capitals = false

  constructor(spec: ColumnSpec) {
    this.spec = spec
  }

  get type() {
    return this.spec.type
  }

  get bytes(): number {
    return this.u32.byteLength + this.f64.byteLength + this.suffixes.byteLength + this.used.byteLength
  }

  grow(rows: number): void {
    if (this.type === 'number') {
      const grown = new Float64Array(rows).fill(Number.NaN, this.f64.length)
      grown.set(this.f64)
      this.f64 = grown
      return
    }
    const grown = new Uint32Array(rows)
    if (this.type === 'count') grown.fill(NO_COUNT, this.u32.length)
    grown.set(this.u32)
    this.u32 = grown
    if (this.type !== 'split') return
    const suffixes = new Uint8Array(rows * 8)
    suffixes.set(this.suffixes)
    this.#setSuffixes(suffixes)
  }

  #setSuffixes(suffixes: Uint8Array): void {
    this.suffixes = suffixes
    this.suffixWords = new Uint32Array(suffixes.buffer, suffixes.byteOffset, suffixes.byteLength >>> 2)
  }

  /** Values of the rows, one for each. `ids` is how many strings (or sets) there are. */
  write(rows: Uint32Array, part: ColumnPart, ids: number): void {
    if (part.type === 'f64') {
      const { f64 } = this
      for (let at = 0; at < rows.length; at += 1) f64[rows[at] as number] = part.values[at] as number
    } else if (part.type === 'u32') {
      const { u32 } = this
      for (let at = 0; at < rows.length; at += 1) u32[rows[at] as number] = part.values[at] as number
      if (this.type === 'text' || this.type === 'set') this.#use(part.values, ids)
    } else {
      this.#writeSplit(rows, part.prefixes, part.suffixes)
      this.#use(part.prefixes, ids)
    }
  }

  #writeSplit(rows: Uint32Array, prefixes: Uint32Array, suffixes: Uint8Array): void {
    const { u32, suffixWords } = this
    const copied = suffixes.byteOffset % 4 === 0 ? suffixes : suffixes.slice()
    const words = new Uint32Array(copied.buffer, copied.byteOffset, rows.length * 2)
    let capitals = 0
    for (let at = 0; at < rows.length; at += 1) {
      const row = rows[at] as number
      const one = words[at * 2] as number
      const two = words[at * 2 + 1] as number
      u32[row] = prefixes[at] as number
      suffixWords[row * 2] = one
      suffixWords[row * 2 + 1] = two
      capitals |= capitalsIn(one) | capitalsIn(two)
    }
    if (capitals !== 0) this.capitals = true
  }

  #use(ids: Uint32Array, count: number): void {
    this.used = grownBits(this.used, roomFor(wordsFor(count), this.used.length))
    const { used } = this
    for (let at = 0; at < ids.length; at += 1) setBit(used, ids[at] as number)
  }

  /** All values at once, of the rows 0 to slots-1. The arrays are taken over. */
  take(part: ColumnPart, slots: number, ids: number): void {
    if (part.type === 'f64') this.f64 = part.values
    else this.u32 = part.type === 'u32' ? part.values : part.prefixes
    if (part.type === 'split') {
      this.#setSuffixes(part.suffixes.byteOffset % 4 === 0 ? part.suffixes : part.suffixes.slice())
      this.capitals = this.suffixWords.some((word) => capitalsIn(word) !== 0)
    }
    if (this.type === 'text' || this.type === 'set' || this.type === 'split')
      this.#use(this.u32.subarray(0, slots), ids)
  }

  /** The arrays as they are now; after the next batch they may be others. */
  part(): ColumnPart {
    if (this.type === 'number') return { type: 'f64', values: this.f64 }
    if (this.type === 'split') return { type: 'split', prefixes: this.u32, suffixes: this.suffixes }
    return { type: 'u32', values: this.u32 }
  }
}

/** Not 0 when one of four ASCII bytes is a capital letter. */
const capitalsIn = (word: number): number => (word + 0x3f3f_3f3f) & ~(word + 0x2525_2525) & 0x8080_8080

/** At least `needed`; twice as much as before when it does not fit. */
const roomFor = (needed: number, present: number): number =>
  needed <= present ? present : Math.max(needed, present * 2)
