import type { JsonObject } from '../../worker/object-sink.ts'
import type { Draft } from '../draft.ts'
import type { AnnotationChoice } from '../metadata.ts'
import { MetadataProtobuf } from '../pod/metadata-protobuf.ts'
import { WIRE_LENGTH, Wire } from '../pod/wire.ts'
import { messageReader, type Reader } from './message.ts'
import { SHAPES } from './shapes.ts'

const METADATA = 1

/**
 * Reads objects of one kind as an API server encodes them. First `head`, which tells whose row it is; then, when it is
 * wanted, `write`. Both throw MalformedObject.
 */
export interface ProtobufReader {
  readonly metadata: MetadataProtobuf
  head(bytes: Uint8Array, from: number, to: number): void
  /**
   * Writes the columns of the message that `head` has read: all of them, or the common ones, and gives what the kind's own
   * columns are read from as from an object that came as JSON.
   */
  write(): JsonObject | undefined
}

/** How the objects of a kind are read; undefined when they have to come as JSON. */
export function objectProtobuf(
  { resource, version }: { resource: string; version: string },
  draft: Draft,
  annotations: AnnotationChoice,
): ProtobufReader | undefined {
  const fields = Object.hasOwn(SHAPES, resource) && version === 'v1' ? SHAPES[resource] : undefined
  return fields && new ObjectProtobuf(messageReader(fields), draft, annotations)
}

/** Any kind but pods: of each message only the fields that its columns need, as the object that JSON would have given. */
class ObjectProtobuf implements ProtobufReader {
  readonly metadata: MetadataProtobuf
  readonly #draft: Draft
  readonly #read: Reader
  readonly #wire = new Wire()
  #from = 0
  #metadataAt = 0
  #metadataEnd = 0

  constructor(read: Reader, draft: Draft, annotations: AnnotationChoice) {
    this.#read = read
    this.#draft = draft
    this.metadata = new MetadataProtobuf(draft, annotations)
  }

  head(bytes: Uint8Array, from: number, to: number): void {
    const wire = this.#wire
    wire.start(bytes, from, to)
    this.#from = this.#metadataAt = this.#metadataEnd = from
    while (wire.at < to) {
      const tag = wire.varint()
      if ((tag & 7) !== WIRE_LENGTH) {
        wire.skip(tag & 7)
        continue
      }
      const end = wire.fieldEnd(to)
      if (tag >>> 3 === METADATA) {
        this.#metadataAt = wire.at
        this.#metadataEnd = end
      }
      wire.at = end
    }
    wire.close(to)
    this.metadata.identify(wire, this.#metadataAt, this.#metadataEnd)
  }

  write(): JsonObject {
    const wire = this.#wire
    this.#draft.clear()
    this.metadata.write(wire, this.#metadataAt, this.#metadataEnd)
    wire.at = this.#from
    return this.#read(wire, wire.end)
  }
}
