import { WIRE_LENGTH, Wire } from './wire.ts'

// k8s.io/apimachinery/pkg/runtime/generated.proto: four bytes of magic, then Unknown with `raw`; the list's `items`.
const MAGIC_BYTES = 4
const UNKNOWN_RAW = 2
const LIST_ITEMS = 2

/** Where each object lies in a list as an API server answers it in protobuf, for tests and measurements. */
export function podsInList(answer: Uint8Array): [from: number, to: number][] {
  const [raw] = parts(answer, MAGIC_BYTES, answer.length, UNKNOWN_RAW)
  return raw === undefined ? [] : parts(answer, raw[0], raw[1], LIST_ITEMS)
}

function parts(bytes: Uint8Array, from: number, to: number, number: number): [from: number, to: number][] {
  const wire = new Wire()
  wire.start(bytes, from, to)
  const found: [number, number][] = []
  while (wire.at < to) {
    const tag = wire.varint()
    if ((tag & 7) !== WIRE_LENGTH) {
      wire.skip(tag & 7)
      continue
    }
    const end = wire.fieldEnd(to)
    if (tag >>> 3 === number) found.push([wire.at, end])
    wire.at = end
  }
  return found
}
