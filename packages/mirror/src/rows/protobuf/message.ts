import { isEqual, readSeconds } from '../pod/metadata-protobuf.ts'
import { WIRE_LENGTH, type Wire } from '../pod/wire.ts'

/** A message of protobuf as far as it is read: its JSON with only these fields. */
export type MessageObject = Record<string, unknown>

/** How the contents of a field come to the value that JSON has. */
export type FieldRead =
  | 'text'
  /** A number or a flag that JSON leaves out when it is zero or false, and the same that JSON leaves out when it is absent. */
  | 'number'
  | 'numberOrZero'
  | 'flag'
  | 'flagOrFalse'
  /** Time and MicroTime: seconds since 1970. */
  | 'time'
  | 'quantity'
  | { message: Fields }
  | { list: 'text' | Fields }
  | { map: 'text' | 'quantity'; keys?: string[] }
  /** A map of which only the keys are read: their values are never made. */
  | 'keys'

/** Wanted fields by their numbers; all others are skipped by their length. */
export type Fields = Record<number, [name: string, read: FieldRead]>

/** Reads one message of a type. One at a time: what it gives is new each time. */
export type Reader = (wire: Wire, to: number) => MessageObject

type FieldReader = (wire: Wire, to: number, object: MessageObject) => void

/** Makes the reader of the messages with these fields. */
export function messageReader(fields: Fields): Reader {
  const readers: (FieldReader | undefined)[] = []
  const numbers: (FieldReader | undefined)[] = []
  for (const [number, [name, read]] of Object.entries(fields)) {
    if (read === 'number' || read === 'numberOrZero' || read === 'flag' || read === 'flagOrFalse') {
      numbers[Number(number)] = numberReader(name, read)
    } else readers[Number(number)] = fieldReader(name, read)
  }
  return (wire, to) => {
    const object: MessageObject = {}
    while (wire.at < to) {
      const tag = wire.varint()
      const number = tag >>> 3
      if ((tag & 7) !== WIRE_LENGTH) {
        const read = (tag & 7) === 0 ? numbers[number] : undefined
        if (read === undefined) wire.skip(tag & 7)
        else read(wire, to, object)
        continue
      }
      const end = wire.fieldEnd(to)
      const read = readers[number]
      if (read !== undefined) read(wire, end, object)
      wire.at = end
    }
    wire.close(to)
    return object
  }
}

/** Of 32 bits. Zero is written, too, where JSON leaves it out. */
function numberReader(name: string, read: FieldRead): FieldReader {
  const flag = read === 'flag' || read === 'flagOrFalse'
  const zeroToo = read === 'numberOrZero' || read === 'flagOrFalse'
  return (wire, _to, object) => {
    const value = wire.int32()
    if (value !== 0 || zeroToo) object[name] = flag ? value !== 0 : value
  }
}

function fieldReader(name: string, read: FieldRead): FieldReader {
  if (read === 'text') {
    const text = textReader()
    return (wire, to, object) => {
      if (to > wire.at) object[name] = text(wire, to)
    }
  }
  if (read === 'time') {
    return (wire, to, object) => {
      const seconds = readSeconds(wire, to)
      if (seconds !== 0) object[name] = seconds
    }
  }
  if (read === 'keys') return mapReader(name, undefined, undefined)
  if (typeof read === 'string') {
    const quantity = quantityReader()
    return (wire, to, object) => {
      object[name] = quantity(wire, to)
    }
  }
  if ('message' in read) {
    const message = messageReader(read.message)
    return (wire, to, object) => {
      object[name] = message(wire, to)
    }
  }
  if ('map' in read) return mapReader(name, read.map === 'text' ? textReader() : quantityReader(), read.keys)
  const item = read.list === 'text' ? textReader() : messageReader(read.list)
  return (wire, to, object) => {
    const items = object[name] as unknown[] | undefined
    if (items === undefined) object[name] = [item(wire, to)]
    else items.push(item(wire, to))
  }
}

const REMEMBERED_BYTES = 48

/** Many texts come again and again: the last one is given again for the same bytes. */
function textReader(): (wire: Wire, to: number) => string {
  const bytes = new Uint8Array(REMEMBERED_BYTES)
  let length = -1
  let text = ''
  return (wire, to) => {
    const from = wire.at
    wire.at = to
    if (to - from === length) {
      let at = length - 1
      while (at >= 0 && bytes[at] === wire.bytes[from + at]) at--
      if (at < 0) return text
    }
    const read = textOf(wire.bytes, from, to)
    if (to - from > REMEMBERED_BYTES) return read
    length = to - from
    text = read
    for (let at = 0; at < length; at++) bytes[at] = wire.bytes[from + at] as number
    return text
  }
}

const textOf = (bytes: Uint8Array, from: number, to: number): string =>
  (bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)).toString(
    'utf8',
    from,
    to,
  )

/** Of k8s.io/apimachinery/pkg/api/resource Quantity: its text, as JSON has it. */
function quantityReader(): (wire: Wire, to: number) => string {
  const message = messageReader({ 1: ['string', 'text'] })
  return (wire, to) => String(message(wire, to).string ?? '')
}

/** Entries are messages: key = 1, value = 2. Without `value` a key's value is `true`. */
function mapReader(
  name: string,
  value: ((wire: Wire, to: number) => string) | undefined,
  keys: string[] | undefined,
): FieldReader {
  const keyText = textReader()
  const wanted = keys?.map((key) => new TextEncoder().encode(key))
  return (wire, to, object) => {
    let key = ''
    let valueFrom = 0
    let valueEnd = 0
    while (wire.at < to) {
      const tag = wire.varint()
      if ((tag & 7) !== WIRE_LENGTH) {
        wire.skip(tag & 7)
        continue
      }
      const end = wire.fieldEnd(to)
      if (tag >>> 3 === 1) {
        const from = wire.at
        if (wanted !== undefined && !wanted.some((one) => isEqual(wire.bytes, from, end, one))) return
        key = keyText(wire, end)
      } else if (tag >>> 3 === 2) {
        valueFrom = wire.at
        valueEnd = end
      }
      wire.at = end
    }
    wire.close(to)
    // Without a prototype, so that every key is one, as in what JSON.parse gives.
    object[name] ??= Object.create(null)
    const map = object[name] as MessageObject
    wire.at = valueFrom
    map[key] = value === undefined ? true : valueEnd > valueFrom ? value(wire, valueEnd) : ''
    wire.at = to
  }
}
