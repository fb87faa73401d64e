import type { StringsPart } from '../batch.ts'
import { Trigrams } from './trigrams.ts'

/** Decoded texts that are kept at once, a table. */
const KEPT_TEXTS = 16_384

/** Byte values with A–Z made a–z. */
export const LOWER = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte))

/** Strings of one table by id, read where the reading thread wrote them. */
export class Strings {
  bytes: Buffer = Buffer.alloc(0)
  /** Where string i ends; it begins where i-1 ends. */
  ends: Uint32Array = new Uint32Array(1)
  count = 1
  #part: StringsPart | undefined
  #texts: (string | undefined)[] = ['']
  #json: (string | undefined)[] = ['null']
  #keptTexts = 0
  #keptJson = 0
  #lower = Buffer.alloc(0)
  #lowerUntil = 0
  readonly #trigrams = new Trigrams()

  /** What of it there is now. */
  update(part: StringsPart): void {
    if (this.#part?.bytes !== part.bytes) this.bytes = Buffer.from(part.bytes)
    if (this.#part?.ends !== part.ends) this.ends = new Uint32Array(part.ends)
    this.#part = part
    this.count = Math.max(this.count, part.count)
  }

  /** As it was told last. */
  get part(): StringsPart {
    const empty = { bytes: new SharedArrayBuffer(64), ends: new SharedArrayBuffer(64) }
    return { ...(this.#part ?? empty), count: this.count }
  }

  get size(): number {
    return this.ends[this.count - 1] as number
  }

  from(id: number): number {
    return id === 0 ? 0 : (this.ends[id - 1] as number)
  }

  to(id: number): number {
    return this.ends[id] as number
  }

  text(id: number): string {
    const kept = this.#texts[id]
    if (kept !== undefined) return kept
    const text = this.bytes.toString('utf8', this.from(id), this.to(id))
    this.#keptTexts += 1
    if (this.#keptTexts > KEPT_TEXTS) {
      this.#texts = ['']
      this.#keptTexts = 1
    }
    this.#texts[id] = text
    return text
  }

  /** The string as JSON; the empty one is null. */
  json(id: number): string {
    const kept = this.#json[id]
    if (kept !== undefined) return kept
    const json = JSON.stringify(this.bytes.toString('utf8', this.from(id), this.to(id)))
    this.#keptJson += 1
    if (this.#keptJson > KEPT_TEXTS) {
      this.#json = ['null']
      this.#keptJson = 1
    }
    this.#json[id] = json
    return json
  }

  /** By bytes. */
  compare(a: number, b: number): number {
    if (a === b) return 0
    const { bytes } = this
    let atA = this.from(a)
    let atB = this.from(b)
    const lengthA = this.to(a) - atA
    const lengthB = this.to(b) - atB
    const end = atA + Math.min(lengthA, lengthB)
    for (; atA < end; atA += 1, atB += 1) {
      const difference = (bytes[atA] as number) - (bytes[atB] as number)
      if (difference !== 0) return difference
    }
    return lengthA - lengthB
  }

  /** All strings one after the other in lower case (ASCII), at the same places as in `bytes`. */
  lower(): Buffer {
    const { size } = this
    if (this.#lowerUntil >= size) return this.#lower
    if (this.#lower.length < size) {
      const grown = Buffer.alloc(size + (size >>> 2))
      this.#lower.copy(grown, 0, 0, this.#lowerUntil)
      this.#lower = grown
    }
    for (let at = this.#lowerUntil; at < size; at += 1) this.#lower[at] = LOWER[this.bytes[at] as number] as number
    this.#lowerUntil = size
    return this.#lower
  }

  /** In which strings to look for a text; as far as they are there now. */
  trigrams(): Trigrams {
    this.#trigrams.note(this.lower(), this.ends, this.count)
    return this.#trigrams
  }

  get bytesHeld(): number {
    return this.size + this.count * 4 + this.#lower.length + this.#trigrams.bytes
  }
}
