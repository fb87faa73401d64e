import { isUtf8 } from 'node:buffer'
import type { JsonObject } from '../object-sink.ts'
import { type Frame, type FrameDecoder, INITIAL_EVENTS_END, MOST_FRAME_BYTES } from './frame.ts'
import { Gather } from './gather.ts'
import { Unreadable } from './unreadable.ts'

/** A watch in JSON: one event a line. */
export class JsonFrames implements FrameDecoder {
  readonly #onFrame: (frame: Frame) => void
  readonly #gather = new Gather()
  #seen = 0

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame
  }

  push(piece: Buffer): void {
    const gather = this.#gather
    gather.add(piece)
    for (;;) {
      const { bytes, from, to } = gather
      const end = bytes.subarray(0, to).indexOf(0x0a, from + this.#seen)
      this.#seen = end < 0 ? to - from : 0
      if ((end < 0 ? to : end) - from > MOST_FRAME_BYTES) throw new Unreadable('an event is longer than 8 MiB')
      if (end < 0) break
      gather.from = end + 1
      this.#onFrame(frameOf(bytes.subarray(from, end)))
    }
    gather.release()
  }

  cut(): boolean {
    return this.#gather.length > 0
  }
}

function frameOf(line: Buffer): Frame {
  if (!isUtf8(line)) throw new Unreadable('an event is not UTF-8')
  let value: { type?: unknown; object?: unknown } | null
  try {
    value = JSON.parse(line.toString('utf8'))
  } catch {
    throw new Unreadable('an event is not JSON')
  }
  const { type, object } = value ?? {}
  if (typeof object !== 'object' || object === null) throw new Unreadable('an event has no object')
  if (type === 'ERROR') return errorOf(object)
  const json = object as JsonObject
  const metadata = json.metadata ?? {}
  const revision = textOf(metadata.resourceVersion)
  if (revision === '') throw new Unreadable('an event has no resource version')
  if (type === 'BOOKMARK') {
    const annotations = (metadata.annotations ?? {}) as Record<string, unknown>
    return { type, revision, initialEventsEnd: annotations[INITIAL_EVENTS_END] === 'true' }
  }
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED')
    throw new Unreadable('an event is of no known type')
  const uid = textOf(metadata.uid)
  const name = textOf(metadata.name)
  return { type, revision, uid, name, namespace: textOf(metadata.namespace), object: { json } }
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : '')

function errorOf(object: object): Frame {
  const { code, message, details } = object as { code?: unknown; message?: unknown; details?: Record<string, unknown> }
  const seconds = details?.retryAfterSeconds
  return {
    type: 'ERROR',
    code: typeof code === 'number' ? code : 500,
    message: textOf(message),
    retryAfterSeconds: typeof seconds === 'number' ? seconds : undefined,
  }
}
