import { Gather } from './gather.ts'
import type { ItemSink, ListDecoder, ListMeta } from './list.ts'
import { Unreadable } from './unreadable.ts'
import { Fields, isMagic, LENGTH, MAGIC, peekVarint, textIn } from './wire.ts'

const MOST_ITEM_BYTES = 32 * 1024 * 1024 // etcd takes 1.5 MiB an object
const WHOLE_LIST = 2 // field of runtime.Unknown
const METADATA = 1
const ITEMS = 2

/** A list as runtime.Unknown around a message whose field 1 is the metadata and whose field 2 are the items. */
export class ProtobufList implements ListDecoder {
  readonly #sink: ItemSink
  readonly #gather = new Gather()
  #stage: 'magic' | 'envelope' | 'list' = 'magic'
  /** Bytes of the list that have not been used up. */
  #left = 0
  #listSeen = false
  #meta: ListMeta | undefined

  constructor(sink: ItemSink) {
    this.#sink = sink
  }

  push(piece: Buffer): void {
    this.#gather.add(piece)
    while (this.#step());
  }

  end(): ListMeta {
    if (this.#stage !== 'envelope' || !this.#listSeen || this.#gather.length > 0)
      throw new Unreadable('the list is cut off')
    if (!this.#meta) throw new Unreadable('the list has no metadata')
    return this.#meta
  }

  /** Whether something was used up. */
  #step(): boolean {
    const { bytes, from, to } = this.#gather
    if (from === to) return false
    if (this.#stage === 'magic') return this.#takeMagic(bytes, from, to)
    const tag = peekVarint(bytes, from, to)
    if (!tag) return false
    if (tag.value % 8 !== LENGTH) throw new Unreadable('the list has a field that lists do not have')
    const length = peekVarint(bytes, tag.end, to)
    if (!length) return false
    const number = Math.floor(tag.value / 8)
    if (this.#stage === 'envelope' && number === WHOLE_LIST) return this.#enterList(length.value, length.end)
    const end = length.end + length.value
    if (length.value > MOST_ITEM_BYTES) throw new Unreadable('an object of the list is longer than 32 MiB')
    if (this.#stage === 'list' && end - from > this.#left)
      throw new Unreadable('an object of the list is longer than the list')
    if (end > to) return false
    this.#gather.from = end
    if (this.#stage === 'list') this.#takeField(number, bytes, length.end, end, end - from)
    return true
  }

  #takeMagic(bytes: Uint8Array, from: number, to: number): boolean {
    if (to - from < MAGIC.length) return false
    if (!isMagic(bytes, from)) throw new Unreadable('the list does not begin as one in protobuf')
    this.#gather.from += MAGIC.length
    this.#stage = 'envelope'
    return true
  }

  #enterList(length: number, from: number): boolean {
    if (this.#listSeen) throw new Unreadable('there are two lists')
    this.#listSeen = true
    this.#gather.from = from
    this.#left = length
    if (length > 0) this.#stage = 'list'
    return true
  }

  #takeField(number: number, bytes: Uint8Array, from: number, to: number, used: number): void {
    if (number === ITEMS) this.#sink.putProtobuf(bytes, from, to)
    else if (number === METADATA) this.#meta = metaOf(bytes, from, to)
    else throw new Unreadable('the list has a field that lists do not have')
    this.#left -= used
    if (this.#left === 0) this.#stage = 'envelope'
  }
}

/** meta/v1 ListMeta. */
function metaOf(bytes: Uint8Array, from: number, to: number): ListMeta {
  const meta: ListMeta = { revision: '', continue: '', remaining: undefined }
  const fields = new Fields(bytes, from, to)
  while (fields.next()) {
    if (fields.number === 2) meta.revision = textIn(bytes, fields.from, fields.to)
    else if (fields.number === 3) meta.continue = textIn(bytes, fields.from, fields.to)
    else if (fields.number === 4) meta.remaining = fields.value
  }
  return meta
}
