import type { Draft } from '../draft.ts'
import { readUid, type Uid } from '../index/uid.ts'
import { MalformedObject } from '../malformed.ts'
import { type AnnotationChoice, APPLICATION_LABELS, COMMON } from '../metadata.ts'
import { STRING_LIMIT_BYTES } from '../strings/dictionary.ts'
import { ENTRY, OBJECT_META, OWNER_REFERENCE, TIME } from './fields.ts'
import { LastBytes } from './last-bytes.ts'
import { WIRE_LENGTH, type Wire } from './wire.ts'

const EQUALS = 61
const SLASH = 47
const encoder = new TextEncoder()
const LABEL_KEYS = APPLICATION_LABELS.map((key) => encoder.encode(key))
const SHORTEST_LABEL_KEY = Math.min(...LABEL_KEYS.map((key) => key.length))

/** Reads the metadata of an object as protobuf: the same common columns as writeCommon gives from JSON. */
export class MetadataProtobuf {
  readonly uid: Uid = new Uint32Array(4)
  /** Resource version; 0 when it is no number. */
  revision = 0
  /** Whether the object is being deleted; of the last `write`. */
  deleted = false
  readonly #draft: Draft
  readonly #annotations: AnnotationChoice
  /** Two strings with a byte between them, each as long as is kept of one. */
  readonly #pair = new Uint8Array(STRING_LIMIT_BYTES * 2 + 1)
  /** Where key and value of the entry lie that was read last. */
  #key = 0
  #keyEnd = 0
  #value = 0
  #valueEnd = 0
  /** Labels as they were read last, and what they gave: objects of one owner have the same and come together. */
  readonly #labels = new LastBytes()
  #labelSet = 0
  #application = 0
  /** Which of LABEL_KEYS gave the application. */
  #applicationRank = 0

  constructor(draft: Draft, annotations: AnnotationChoice) {
    this.#draft = draft
    this.#annotations = annotations
  }

  /** Reads uid and revision. Throws MalformedObject when there is neither uid nor name. */
  identify(wire: Wire, from: number, to: number): void {
    let known = false
    let name = 0
    let nameEnd = 0
    let namespace = 0
    let namespaceEnd = 0
    this.revision = 0
    wire.at = from
    while (wire.at < to) {
      const tag = wire.varint()
      if ((tag & 7) !== WIRE_LENGTH) {
        wire.skip(tag & 7)
        continue
      }
      const end = wire.fieldEnd(to)
      const number = tag >>> 3
      if (number === OBJECT_META.uid && end > wire.at) {
        readUid(wire.bytes, wire.at, end, this.uid)
        known = true
      } else if (number === OBJECT_META.resourceVersion) {
        this.revision = decimalIn(wire.bytes, wire.at, end)
        if (known) return
      } else if (number === OBJECT_META.name) {
        name = wire.at
        nameEnd = end
      } else if (number === OBJECT_META.namespace) {
        namespace = wire.at
        namespaceEnd = end
      }
      wire.at = end
    }
    if (known) return
    if (name === nameEnd) throw new MalformedObject('an object has no name')
    const length = this.#join(wire.bytes, namespace, namespaceEnd, SLASH, name, nameEnd)
    readUid(this.#pair, 0, length, this.uid)
  }

  /** Writes the common columns. Throws MalformedObject when there is no name. */
  write(wire: Wire, from: number, to: number): void {
    const draft = this.#draft
    let labels = -1
    let labelsEnd = 0
    let annotations = -1
    let annotationsEnd = 0
    let owned = false
    let named = false
    this.deleted = false
    wire.at = from
    while (wire.at < to) {
      const start = wire.at
      const tag = wire.varint()
      if ((tag & 7) !== WIRE_LENGTH) {
        if (tag === OBJECT_META.generation << 3) draft.count(COMMON.generation, wire.int64() || Number.NaN)
        else wire.skip(tag & 7)
        continue
      }
      const end = wire.fieldEnd(to)
      const number = tag >>> 3
      if (number === OBJECT_META.labels) {
        if (labels < 0) labels = start
        labelsEnd = end
      } else if (number === OBJECT_META.annotations) {
        if (annotations < 0) annotations = start
        annotationsEnd = end
      } else if (number === OBJECT_META.name) {
        draft.splitBytes(COMMON.name, wire.bytes, wire.at, end)
        named = end > wire.at
      } else if (number === OBJECT_META.namespace) draft.textBytes(COMMON.namespace, wire.bytes, wire.at, end)
      else if (number === OBJECT_META.creationTimestamp) draft.time(COMMON.created, readSeconds(wire, end))
      else if (number === OBJECT_META.deletionTimestamp) {
        const seconds = readSeconds(wire, end)
        draft.time(COMMON.deleted, seconds)
        this.deleted = seconds > 0
      } else if (number === OBJECT_META.ownerReferences && !owned) owned = this.#readOwner(wire, end)
      wire.at = end
    }
    wire.close(to)
    if (!named) throw new MalformedObject('an object has no name')
    this.#applicationRank = LABEL_KEYS.length
    if (labels >= 0) this.#readLabels(wire, labels, labelsEnd)
    if (annotations >= 0 && this.#annotations.any) this.#readAnnotations(wire, annotations, annotationsEnd)
  }

  #readLabels(wire: Wire, from: number, to: number): void {
    if (this.#labels.is(wire.bytes, from, to)) {
      this.#draft.words[COMMON.labels] = this.#labelSet
      this.#draft.words[COMMON.application] = this.#application
      return
    }
    this.#labels.forget()
    this.#readAllLabels(wire, from, to)
    this.#labelSet = this.#draft.words[COMMON.labels] as number
    this.#application = this.#draft.words[COMMON.application] as number
    this.#labels.remember(wire.bytes, from, to)
  }

  #readAllLabels(wire: Wire, from: number, to: number): void {
    const { strings } = this.#draft
    wire.at = from
    while (this.#nextEntry(wire, to, OBJECT_META.labels)) {
      const length = this.#joinEntry(wire.bytes)
      this.#draft.member(strings.idOfBytes(this.#pair, 0, length))
      if (this.#keyEnd - this.#key >= SHORTEST_LABEL_KEY) this.#readApplication(wire.bytes)
    }
    this.#draft.endSet(COMMON.labels)
  }

  #readApplication(bytes: Uint8Array): void {
    if (this.#valueEnd === this.#value) return
    for (let rank = 0; rank < this.#applicationRank; rank++) {
      if (!isEqual(bytes, this.#key, this.#keyEnd, LABEL_KEYS[rank] as Uint8Array)) continue
      this.#applicationRank = rank
      this.#draft.textBytes(COMMON.application, bytes, this.#value, this.#valueEnd)
    }
  }

  #readAnnotations(wire: Wire, from: number, to: number): void {
    const { strings } = this.#draft
    wire.at = from
    while (this.#nextEntry(wire, to, OBJECT_META.annotations)) {
      if (!this.#annotations.has(Buffer.from(wire.bytes.subarray(this.#key, this.#keyEnd)).toString())) continue
      this.#draft.member(strings.idOfBytes(this.#pair, 0, this.#joinEntry(wire.bytes)))
    }
    this.#draft.endSet(COMMON.annotations)
  }

  /** Finds key and value of the next entry of a map that is field `number` between here and `to`. */
  #nextEntry(wire: Wire, to: number, number: number): boolean {
    while (wire.at < to) {
      const tag = wire.varint()
      if ((tag & 7) !== WIRE_LENGTH) {
        wire.skip(tag & 7)
        continue
      }
      const end = wire.fieldEnd(to)
      if (tag >>> 3 !== number) {
        wire.at = end
        continue
      }
      this.#readEntry(wire, end)
      wire.at = end
      return true
    }
    return false
  }

  #readEntry(wire: Wire, to: number): void {
    this.#key = this.#keyEnd = this.#value = this.#valueEnd = wire.at
    while (wire.at < to) {
      const tag = wire.varint()
      if ((tag & 7) !== WIRE_LENGTH) {
        wire.skip(tag & 7)
        continue
      }
      const end = wire.fieldEnd(to)
      const number = tag >>> 3
      if (number === ENTRY.key) {
        this.#key = wire.at
        this.#keyEnd = end
      } else if (number === ENTRY.value) {
        this.#value = wire.at
        this.#valueEnd = end
      }
      wire.at = end
    }
    wire.close(to)
  }

  /** Kind/name of the owner that controls the object. Answers whether this reference is it. */
  #readOwner(wire: Wire, to: number): boolean {
    let kind = 0
    let kindEnd = 0
    let name = 0
    let nameEnd = 0
    let controls = false
    while (wire.at < to) {
      const tag = wire.varint()
      if ((tag & 7) !== WIRE_LENGTH) {
        if (tag === OWNER_REFERENCE.controller << 3) controls = wire.varint() !== 0
        else wire.skip(tag & 7)
        continue
      }
      const end = wire.fieldEnd(to)
      const number = tag >>> 3
      if (number === OWNER_REFERENCE.kind) {
        kind = wire.at
        kindEnd = end
      } else if (number === OWNER_REFERENCE.name) {
        name = wire.at
        nameEnd = end
      }
      wire.at = end
    }
    wire.close(to)
    if (!controls) return false
    const length = this.#join(wire.bytes, kind, kindEnd, SLASH, name, nameEnd)
    this.#draft.textBytes(COMMON.owner, this.#pair, 0, length)
    return true
  }

  #joinEntry(bytes: Uint8Array): number {
    return this.#join(bytes, this.#key, this.#keyEnd, EQUALS, this.#value, this.#valueEnd)
  }

  /** Writes two strings with a byte between them to #pair, as far as a string is kept, and gives the length. */
  #join(bytes: Uint8Array, from: number, to: number, between: number, andFrom: number, andTo: number): number {
    const pair = this.#pair
    let length = 0
    const end = Math.min(to, from + STRING_LIMIT_BYTES)
    for (let at = from; at < end; at++) pair[length++] = bytes[at] as number
    pair[length++] = between
    const andEnd = Math.min(andTo, andFrom + STRING_LIMIT_BYTES)
    for (let at = andFrom; at < andEnd; at++) pair[length++] = bytes[at] as number
    return length
  }
}

/** Seconds of a Time that ends at `to`; 0 for none. */
export function readSeconds(wire: Wire, to: number): number {
  let seconds = 0
  while (wire.at < to) {
    const tag = wire.varint()
    if (tag === TIME.seconds << 3) seconds = wire.int64()
    else if ((tag & 7) === WIRE_LENGTH) wire.at = wire.fieldEnd(to)
    else wire.skip(tag & 7)
  }
  wire.close(to)
  return seconds
}

/** Whether the bytes from..to are these. */
export function isEqual(bytes: Uint8Array, from: number, to: number, text: Uint8Array): boolean {
  if (to - from !== text.length) return false
  for (let at = 0; at < text.length; at++) if (bytes[from + at] !== text[at]) return false
  return true
}

/** A whole number in decimal digits; 0 when it is none. */
function decimalIn(bytes: Uint8Array, from: number, to: number): number {
  let value = 0
  for (let at = from; at < to; at++) {
    const digit = (bytes[at] as number) - 48
    if (digit < 0 || digit > 9) return 0
    value = value * 10 + digit
  }
  return value
}
