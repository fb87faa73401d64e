import { isUtf8 } from 'node:buffer'
import type { JsonObject } from '../object-sink.ts'
import { Gather } from './gather.ts'
import type { ItemSink, ListDecoder, ListMeta } from './list.ts'
import { Unreadable } from './unreadable.ts'

const MOST_ITEM_BYTES = 32 * 1024 * 1024 // etcd takes 1.5 MiB an object
const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/**
 * A list in JSON. Only the outlines are looked for here: where the members of the outer object and the elements of
 * `items` begin and end; each of them is then parsed by itself.
 */
export class JsonList implements ListDecoder {
  readonly #sink: ItemSink
  readonly #gather = new Gather()
  /** How far beyond `gather.from` has been looked at. */
  #seen = 0
  /** Brackets that are open within the present part. */
  #depth = 0
  #inString = false
  #escaped = false
  #stage: 'before' | 'key' | 'value' | 'items' | 'after' = 'before'
  #key = ''
  #meta: ListMeta | undefined
  #itemsSeen = false

  constructor(sink: ItemSink) {
    this.#sink = sink
  }

  push(piece: Buffer): void {
    this.#gather.add(piece)
    while (this.#step());
    if (this.#gather.length > MOST_ITEM_BYTES) throw new Unreadable('an object of the list is longer than 32 MiB')
  }

  end(): ListMeta {
    if (this.#stage !== 'after' || this.#gather.length > 0) throw new Unreadable('the list is cut off')
    if (!this.#meta || !this.#itemsSeen) throw new Unreadable('the answer is not a list')
    return this.#meta
  }

  /** Whether a part was used up. */
  #step(): boolean {
    switch (this.#stage) {
      case 'before':
        return this.#open(OPEN_OBJECT, 'key')
      case 'key':
        return this.#takeKey()
      case 'value':
        if (this.#key === 'items' && this.#open(OPEN_ARRAY, 'items')) {
          this.#itemsSeen = true
          return true
        }
        return this.#takePart(CLOSE_OBJECT)
      case 'items':
        return this.#takePart(CLOSE_ARRAY)
      case 'after':
        this.#skipSpace()
        return false
    }
  }

  /** Goes over an opening bracket; false when something else comes, or nothing yet. */
  #open(bracket: number, stage: 'key' | 'items'): boolean {
    this.#skipSpace()
    const { bytes, from, to } = this.#gather
    if (from === to) return false
    if (bytes[from] !== bracket) {
      if (stage === 'key') throw new Unreadable('the answer is not an object of JSON')
      return false
    }
    this.#gather.from++
    this.#stage = stage
    return true
  }

  #skipSpace(): void {
    const { bytes, to } = this.#gather
    if (this.#seen > 0) return
    let { from } = this.#gather
    while (from < to && isSpace(bytes[from] as number)) from++
    this.#gather.from = from
  }

  #takeKey(): boolean {
    this.#skipSpace()
    const { bytes, from } = this.#gather
    if (this.#seen === 0 && bytes[from] === CLOSE_OBJECT && this.#gather.length > 0 && this.#key === '') {
      this.#gather.from++
      this.#stage = 'after'
      return true
    }
    const end = this.#findEnd(COLON)
    if (end < 0) return false
    const key = parse(bytes, from, end)
    if (typeof key !== 'string') throw new Unreadable('the list is not an object of JSON')
    this.#key = key
    this.#stage = 'value'
    this.#gather.from = end + 1
    return true
  }

  /** A member of the outer object or an element of `items`, which ends at a comma or the closing bracket. */
  #takePart(close: number): boolean {
    this.#skipSpace()
    const end = this.#findEnd(COMMA)
    if (end < 0) return false
    const { bytes, from } = this.#gather
    const last = bytes[end] !== COMMA
    if (last && bytes[end] !== close) throw new Unreadable('brackets of the list do not match')
    this.#gather.from = end + 1
    if (close === CLOSE_ARRAY) this.#takeItem(bytes, from, end, last)
    else this.#takeValue(bytes, from, end, last)
    return true
  }

  #takeItem(bytes: Buffer, from: number, end: number, last: boolean): void {
    const empty = last && from === end
    if (!empty) {
      const item = parse(bytes, from, end)
      if (typeof item !== 'object' || item === null || Array.isArray(item))
        throw new Unreadable('an item is not an object')
      this.#sink.put(item as JsonObject)
    }
    if (!last) return
    // Goes on behind the array as behind any other value.
    this.#key = 'after items'
    this.#stage = 'value'
  }

  #takeValue(bytes: Buffer, from: number, end: number, last: boolean): void {
    if (this.#key === 'after items') {
      if (from !== end) throw new Unreadable('something comes between the items and the next member')
    } else {
      const value = parse(bytes, from, end)
      if (this.#key === 'metadata') this.#meta = metaOf(value)
      if (this.#key === 'items') {
        if (value !== null) throw new Unreadable('the items are not an array')
        this.#itemsSeen = true
      }
    }
    this.#stage = last ? 'after' : 'key'
  }

  /**
   * Where the present part ends: at `stop` or a closing bracket that it has not opened; -1 when that has not come yet.
   */
  #findEnd(stop: number): number {
    const { bytes, to } = this.#gather
    let at = this.#gather.from + this.#seen
    let depth = this.#depth
    let inString = this.#inString
    let escaped = this.#escaped
    for (; at < to; at++) {
      const byte = bytes[at] as number
      if (inString) {
        if (escaped) escaped = false
        else if (byte === BACKSLASH) escaped = true
        else if (byte === QUOTE) inString = false
      } else if (byte === QUOTE) inString = true
      else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++
      else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        if (depth === 0) break
        depth--
      } else if (byte === stop && depth === 0) break
    }
    const found = at < to
    this.#seen = found ? 0 : at - this.#gather.from
    this.#depth = found ? 0 : depth
    this.#inString = found ? false : inString
    this.#escaped = found ? false : escaped
    return found ? at : -1
  }
}

const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

function parse(bytes: Buffer, from: number, to: number): unknown {
  const part = bytes.subarray(from, to)
  if (!isUtf8(part)) throw new Unreadable('the list is not UTF-8')
  try {
    return JSON.parse(part.toString('utf8'))
  } catch {
    throw new Unreadable('the list is not JSON')
  }
}

function metaOf(value: unknown): ListMeta {
  const { resourceVersion, continue: next, remainingItemCount } = (value ?? {}) as Record<string, unknown>
  return {
    revision: typeof resourceVersion === 'string' ? resourceVersion : '',
    continue: typeof next === 'string' ? next : '',
    remaining: typeof remainingItemCount === 'number' ? remainingItemCount : undefined,
  }
}
