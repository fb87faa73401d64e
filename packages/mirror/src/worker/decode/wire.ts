import { Unreadable } from './unreadable.ts'

// Wire types of protobuf.
const VARINT = 0
const FIXED64 = 1
export const LENGTH = 2
const FIXED32 = 5

/** Reads protobuf fields one after the other within a part of some bytes. */
export class Fields {
  #bytes: Uint8Array
  /** Where the next field begins. */
  at: number
  #to: number
  /** Of the field that was read last. */
  number = 0
  type = 0
  /** Of a length-delimited field: its contents. */
  from = 0
  to = 0
  /** Of a varint. */
  value = 0

  constructor(bytes: Uint8Array, from: number, to: number) {
    this.#bytes = bytes
    this.at = from
    this.#to = to
  }

  /** False at the end. Throws Unreadable when it is not well-formed. */
  next(): boolean {
    if (this.at === this.#to) return false
    const tag = this.#varint()
    this.number = Math.floor(tag / 8)
    this.type = tag % 8
    if (this.number === 0) throw new Unreadable('a protobuf field has the number 0')
    if (this.type === VARINT) this.value = this.#varint()
    else if (this.type === LENGTH) {
      const length = this.#varint()
      this.from = this.at
      this.to = this.at += length
    } else if (this.type === FIXED64) this.at += 8
    else if (this.type === FIXED32) this.at += 4
    else throw new Unreadable(`a protobuf field has the wire type ${this.type}`)
    if (this.at > this.#to) throw new Unreadable('a protobuf field is cut off')
    return true
  }

  #varint(): number {
    let value = 0
    let scale = 1
    for (let count = 0; count < 10; count++) {
      if (this.at >= this.#to) throw new Unreadable('a protobuf number is cut off')
      const byte = this.#bytes[this.at++] as number
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
    throw new Unreadable('a protobuf number is too long')
  }
}

/** The text of a part. Throws Unreadable when it is not UTF-8. */
export function textIn(bytes: Uint8Array, from: number, to: number): string {
  if (to - from <= SHORT) {
    let at = from
    while (at < to && (bytes[at] as number) < 128) at++
    if (at === to && bytes instanceof Buffer) return bytes.toString('latin1', from, to)
  }
  try {
    return utf8.decode(bytes.subarray(from, to))
  } catch {
    throw new Unreadable('a text is not UTF-8')
  }
}
/** Most texts are short and ASCII, for which a decoder costs several times as much. */
const SHORT = 256
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** What a varint at `at` says and where it ends; undefined when it is not all there yet. */
export function peekVarint(bytes: Uint8Array, at: number, to: number): { value: number; end: number } | undefined {
  let value = 0
  let scale = 1
  for (let end = at; end < to; scale *= 128) {
    const byte = bytes[end++] as number
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return { value, end }
    if (end - at === 10) throw new Unreadable('a protobuf number is too long')
  }
  return undefined
}

// runtime.Unknown comes after these four bytes: "k8s" and zero.
export const MAGIC = [0x6b, 0x38, 0x73, 0x00] as const
export const isMagic = (bytes: Uint8Array, at: number): boolean => MAGIC.every((byte, i) => bytes[at + i] === byte)
