import { MalformedObject } from '../malformed.ts'

const WIRE_VARINT = 0
const WIRE_FIXED64 = 1
const WIRE_FIXED32 = 5
/** Wire type of what has a length: strings, messages, maps. */
export const WIRE_LENGTH = 2

const TWO_63 = 2 ** 63
const TWO_64 = 2 ** 64

/** A place in a protobuf message that moves on as it is read. Never reads beyond the end it was told. */
export class Wire {
  bytes: Uint8Array = new Uint8Array(0)
  at = 0
  end = 0

  start(bytes: Uint8Array, from: number, to: number): void {
    if (from < 0 || to > bytes.length || from > to) throw new MalformedObject('the message is not within the bytes')
    this.bytes = bytes
    this.at = from
    this.end = to
  }

  /** A number without sign; exact up to 2^53. */
  varint(): number {
    const bytes = this.bytes
    let byte = bytes[this.at++] as number
    if (byte < 128) {
      if (this.at > this.end) throw cut()
      return byte
    }
    let value = byte & 127
    let scale = 128
    for (let length = 2; length <= 10; length++) {
      byte = bytes[this.at++] as number
      value += (byte & 127) * scale
      if (byte < 128) {
        if (this.at > this.end) throw cut()
        return value
      }
      scale *= 128
    }
    throw this.at > this.end ? cut() : new MalformedObject('a number has more than ten bytes')
  }

  /** A signed number of 64 bits; exact from -2^53 to 2^53. */
  int64(): number {
    const value = this.varint()
    return value >= TWO_63 ? value - TWO_64 : value
  }

  /** A signed number of 32 bits. */
  int32(): number {
    let low = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.bytes[this.at++] as number
      if (shift < 32) low |= (byte & 127) << shift
      if (byte < 128) {
        if (this.at > this.end) throw cut()
        return low
      }
    }
    throw this.at > this.end ? cut() : new MalformedObject('a number has more than ten bytes')
  }

  /** End of the field with a length that begins here, which is within `end`. */
  fieldEnd(end: number): number {
    const length = this.varint()
    const to = this.at + length
    if (to > end) throw cut()
    return to
  }

  /** Goes past a field without length. */
  skip(wireType: number): void {
    if (wireType === WIRE_VARINT) this.varint()
    else if (wireType === WIRE_FIXED64) this.at += 8
    else if (wireType === WIRE_FIXED32) this.at += 4
    else throw new MalformedObject(`wire type ${wireType}`)
    if (this.at > this.end) throw cut()
  }

  /** Ends a message that had to end at `end`. */
  close(end: number): void {
    if (this.at !== end) throw cut()
  }
}

const cut = (): MalformedObject => new MalformedObject('the message ends within a field')
