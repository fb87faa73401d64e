import { type Frame, type FrameDecoder, INITIAL_EVENTS_END, MOST_FRAME_BYTES } from './frame.ts'
import { Gather } from './gather.ts'
import { Unreadable } from './unreadable.ts'
import { Fields, isMagic, LENGTH, MAGIC, textIn } from './wire.ts'

const PREFIX_BYTES = 4

/** A watch in protobuf: each event a meta/v1 WatchEvent after its length in four bytes. */
export class ProtobufFrames implements FrameDecoder {
  readonly #onFrame: (frame: Frame) => void
  readonly #gather = new Gather()

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame
  }

  push(piece: Buffer): void {
    const gather = this.#gather
    gather.add(piece)
    while (gather.length >= PREFIX_BYTES) {
      const { bytes, from, to } = gather
      const length = bytes.readUInt32BE(from)
      if (length > MOST_FRAME_BYTES) throw new Unreadable('an event is longer than 8 MiB')
      const end = from + PREFIX_BYTES + length
      if (end > to) break
      gather.from = end
      this.#onFrame(frameOf(bytes, from + PREFIX_BYTES, end))
    }
    gather.release()
  }

  cut(): boolean {
    return this.#gather.length > 0
  }
}

interface Part {
  from: number
  to: number
}

/** WatchEvent: type = 1; object = 2, a RawExtension, whose field 1 is runtime.Unknown after its four first bytes. */
function frameOf(bytes: Uint8Array, from: number, to: number): Frame {
  const type = textOfPart(bytes, partOf(bytes, from, to, 1))
  const extension = neededPart(bytes, from, to, 2)
  const raw = neededPart(bytes, extension.from, extension.to, 1)
  if (raw.to - raw.from < MAGIC.length || !isMagic(bytes, raw.from))
    throw new Unreadable('an object is not in protobuf')
  const object = partOf(bytes, raw.from + MAGIC.length, raw.to, 2) ?? { from: raw.to, to: raw.to }
  if (type === 'ERROR') return errorOf(bytes, object)
  const meta = metaOf(bytes, object)
  if (meta.revision === '') throw new Unreadable('an event has no resource version')
  if (type === 'BOOKMARK') return { type, revision: meta.revision, initialEventsEnd: meta.initialEventsEnd }
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED')
    throw new Unreadable('an event is of no known type')
  const { revision, uid, name, namespace } = meta
  return { type, revision, uid, name, namespace, object: { bytes, from: object.from, to: object.to } }
}

/** The last field of that number, which has to be length-delimited; the whole message is looked through. */
function partOf(bytes: Uint8Array, from: number, to: number, number: number): Part | undefined {
  let part: Part | undefined
  const fields = new Fields(bytes, from, to)
  while (fields.next()) {
    if (fields.number !== number) continue
    if (fields.type !== LENGTH) throw new Unreadable('a field is of the wrong type')
    part = { from: fields.from, to: fields.to }
  }
  return part
}

function neededPart(bytes: Uint8Array, from: number, to: number, number: number): Part {
  const part = partOf(bytes, from, to, number)
  if (!part) throw new Unreadable('an event has no object')
  return part
}

const textOfPart = (bytes: Uint8Array, part: Part | undefined) => (part ? textIn(bytes, part.from, part.to) : '')

/** Of meta/v1 ObjectMeta, which is field 1 of every kind. */
function metaOf(bytes: Uint8Array, object: Part) {
  const meta = { revision: '', uid: '', name: '', namespace: '', initialEventsEnd: false }
  const part = partOf(bytes, object.from, object.to, 1)
  if (!part) return meta
  const fields = new Fields(bytes, part.from, part.to)
  while (fields.next()) {
    if (fields.type !== LENGTH) continue
    const { from, to } = fields
    if (fields.number === 6) meta.revision = textIn(bytes, from, to)
    else if (fields.number === 5) meta.uid = textIn(bytes, from, to)
    else if (fields.number === 1) meta.name = textIn(bytes, from, to)
    else if (fields.number === 3) meta.namespace = textIn(bytes, from, to)
    else if (fields.number === 12) meta.initialEventsEnd ||= isInitialEventsEnd(bytes, from, to)
  }
  return meta
}

function isInitialEventsEnd(bytes: Uint8Array, from: number, to: number): boolean {
  const key = textOfPart(bytes, partOf(bytes, from, to, 1))
  return key === INITIAL_EVENTS_END && textOfPart(bytes, partOf(bytes, from, to, 2)) === 'true'
}

/** meta/v1 Status: message = 3, details = 5 (retryAfterSeconds = 5), code = 6. */
function errorOf(bytes: Uint8Array, { from, to }: Part): Frame {
  const error: Frame = { type: 'ERROR', code: 500, message: '', retryAfterSeconds: undefined }
  const fields = new Fields(bytes, from, to)
  while (fields.next()) {
    if (fields.number === 3) error.message = textIn(bytes, fields.from, fields.to)
    else if (fields.number === 6) error.code = fields.value
    else if (fields.number === 5) {
      const details = new Fields(bytes, fields.from, fields.to)
      while (details.next()) if (details.number === 5 && details.type === 0) error.retryAfterSeconds = details.value
    }
  }
  return error
}
