import type { Bits } from './bitmap.ts'

/** Strings that are looked for together. */
export const BLOCK = 16
const BUCKETS = 1_024

/** Where three bytes in a row are noted; different ones may share a bucket. */
const bucketOf = (a: number, b: number, c: number): number => Math.imul((a << 16) | (b << 8) | c, 0x9e37_79b1) >>> 22

/**
 * In which blocks of strings three bytes in a row occur: for each bucket of such triples a bitmap over the blocks. A text
 * can only be where all its triples are; that leaves a few blocks to look at, of thousands.
 */
export class Trigrams {
  /** Words of one bucket. */
  #stride = 8
  #bits: Uint32Array = new Uint32Array(BUCKETS * this.#stride)
  #noted = 0

  get bytes(): number {
    return this.#noted === 0 ? 0 : this.#bits.byteLength
  }

  /** Takes in strings that have come since. `ends`: where each ends in `lower`. */
  note(lower: Uint8Array, ends: Uint32Array, count: number): void {
    this.#reserve(((count / BLOCK) >>> 5) + 1)
    const bits = this.#bits
    const stride = this.#stride
    for (let id = this.#noted; id < count; id += 1) {
      const block = Math.floor(id / BLOCK)
      const word = block >>> 5
      const bit = 1 << (block & 31)
      const end = ends[id] as number
      const from = id === 0 ? 0 : (ends[id - 1] as number)
      let a = lower[from] as number
      let b = lower[from + 1] as number
      for (let at = from + 2; at < end; at += 1) {
        const c = lower[at] as number
        const place = bucketOf(a, b, c) * stride + word
        bits[place] = (bits[place] as number) | bit
        a = b
        b = c
      }
    }
    this.#noted = Math.max(this.#noted, count)
  }

  #reserve(words: number): void {
    if (words <= this.#stride) return
    const stride = Math.max(words, this.#stride * 2)
    const bits = new Uint32Array(BUCKETS * stride)
    for (let bucket = 0; bucket < BUCKETS; bucket += 1)
      bits.set(this.#bits.subarray(bucket * this.#stride, (bucket + 1) * this.#stride), bucket * stride)
    this.#bits = bits
    this.#stride = stride
  }

  /** Blocks that may hold a text of at least three bytes. */
  blocks(text: Uint8Array): Bits {
    const blocks = new Uint32Array(this.#stride).fill(0xffff_ffff)
    for (let at = 2; at < text.length; at += 1) {
      const from = bucketOf(text[at - 2] as number, text[at - 1] as number, text[at] as number) * this.#stride
      for (let word = 0; word < blocks.length; word += 1)
        blocks[word] = (blocks[word] as number) & (this.#bits[from + word] as number)
    }
    return blocks
  }
}
