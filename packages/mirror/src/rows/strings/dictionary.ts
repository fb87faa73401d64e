import { randomBytes } from 'node:crypto'
import type { StringsPart } from '../../batch.ts'
import { grownBytes, grownWords } from './shared-array.ts'

/** Strings of more bytes of UTF-8 are cut at a character before it: one of a megabyte helps nobody in a list. */
export const STRING_LIMIT_BYTES = 4_096

const FIRST_BYTES = 512
const FIRST_STRINGS = 32
// Power of two.
const RECENT = 256
// Another in each process, so that nobody can choose names that meet in one slot.
const SEED = randomBytes(4).readInt32LE()

/**
 * Strings of one table by id. A string that is there already is found by its bytes, without making a JS string.
 * Bytes and ends lie in shared memory and are only ever added to.
 */
export class Dictionary {
  #bytes: Uint8Array<SharedArrayBuffer>
  #ends: Uint32Array<SharedArrayBuffer>
  /** Open addressing with linear steps; 0 is an empty slot, for id 0 (the empty string) is never looked up. */
  #slots: Uint32Array
  #count: number
  /** Ids that were found last, by length and two bytes: many a text comes again and again, and need not be hashed. */
  readonly #recent = new Uint32Array(RECENT)

  /** Empty, or with the strings of a snapshot. */
  constructor(part?: StringsPart) {
    this.#bytes = new Uint8Array(part?.bytes ?? new SharedArrayBuffer(FIRST_BYTES))
    this.#ends = new Uint32Array(part?.ends ?? new SharedArrayBuffer(FIRST_STRINGS * 4))
    this.#count = part?.count ?? 1
    this.#slots = new Uint32Array(0)
    this.#fillSlots()
  }

  /** How many strings there are, the empty one included. */
  get count(): number {
    return this.#count
  }

  /** Bytes of text. */
  get textBytes(): number {
    return this.#ends[this.#count - 1] as number
  }

  /** Bytes of memory, what is kept free included. */
  get memoryBytes(): number {
    return this.#bytes.byteLength + this.#ends.byteLength + this.#slots.byteLength + this.#recent.byteLength
  }

  /** Id of the string with the bytes from..to, added when it is not there. */
  idOfBytes(bytes: Uint8Array, from: number, to: number): number {
    if (to <= from) return 0
    const end = to - from > STRING_LIMIT_BYTES ? limitedEnd(bytes, from) : to
    const place = (end - from + (bytes[end - 1] as number) * 7 + (bytes[from] as number) * 31) & (RECENT - 1)
    const recent = this.#recent[place] as number
    if (recent !== 0 && this.#is(recent, bytes, from, end)) return recent
    const id = this.#look(bytes, from, end)
    this.#recent[place] = id
    return id
  }

  /** As idOfBytes, of the text's UTF-8. */
  idOfText(text: string): number {
    if (text === '') return 0
    return this.idOfBytes(textBytes, 0, encodeText(text))
  }

  /** The string, for those who show or test it. */
  text(id: number): string {
    if (id === 0) return ''
    return Buffer.from(this.#bytes.subarray(this.#ends[id - 1], this.#ends[id])).toString('utf8')
  }

  /** What the serving thread gets. */
  part(): StringsPart {
    return { bytes: this.#bytes.buffer, ends: this.#ends.buffer, count: this.#count }
  }

  #look(bytes: Uint8Array, from: number, to: number): number {
    const mask = this.#slots.length - 1
    let slot = hashOfBytes(bytes, from, to) & mask
    for (;;) {
      const id = this.#slots[slot] as number
      if (id === 0) return this.#add(slot, bytes, from, to)
      if (this.#is(id, bytes, from, to)) return id
      slot = (slot + 1) & mask
    }
  }

  #is(id: number, bytes: Uint8Array, from: number, to: number): boolean {
    const start = this.#ends[id - 1] as number
    const length = to - from
    if ((this.#ends[id] as number) - start !== length) return false
    const own = this.#bytes
    for (let at = 0; at < length; at++) if (own[start + at] !== bytes[from + at]) return false
    return true
  }

  #add(slot: number, bytes: Uint8Array, from: number, to: number): number {
    const start = this.textBytes
    const end = start + to - from
    if (end > this.#bytes.length) this.#bytes = grownBytes(this.#bytes, end)
    if (this.#count === this.#ends.length) this.#ends = grownWords(this.#ends, this.#count + 1)
    this.#bytes.set(bytes.subarray(from, to), start)
    this.#ends[this.#count] = end
    const id = this.#count++
    this.#slots[slot] = id
    if (this.#count * 2 > this.#slots.length) this.#fillSlots()
    return id
  }

  #fillSlots(): void {
    let size = FIRST_STRINGS * 2
    while (size < this.#count * 3) size *= 2
    const mask = size - 1
    const slots = new Uint32Array(size)
    let start = 0
    for (let id = 1; id < this.#count; id++) {
      const end = this.#ends[id] as number
      let slot = hashOfBytes(this.#bytes, start, end) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = id
      start = end
    }
    this.#slots = slots
  }
}

// Longest text that can be of use, as UTF-8 of at most three bytes a code unit.
/** Where encodeText leaves its bytes; good until it is called again. */
export const textBytes: Uint8Array = new Uint8Array(STRING_LIMIT_BYTES * 3 + 3)
const encoder = new TextEncoder()

/** Writes the UTF-8 of a text, as far as STRING_LIMIT_BYTES needs it, to textBytes and gives its length. */
export function encodeText(text: string): number {
  const short = text.length > STRING_LIMIT_BYTES ? text.slice(0, STRING_LIMIT_BYTES + 1) : text
  return encoder.encodeInto(short, textBytes).written
}

function limitedEnd(bytes: Uint8Array, from: number): number {
  let end = from + STRING_LIMIT_BYTES
  // 10xxxxxx continues a character.
  while (end > from && ((bytes[end] as number) & 0xc0) === 0x80) end--
  return end
}

function hashOfBytes(bytes: Uint8Array, from: number, to: number): number {
  let hash = SEED
  let at = from
  for (; at + 3 < to; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    hash = Math.imul(hash ^ word, 0x5bd1e995)
    hash ^= hash >>> 15
  }
  for (; at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0x85ebca6b)
  return (hash ^ (hash >>> 16)) >>> 0
}
