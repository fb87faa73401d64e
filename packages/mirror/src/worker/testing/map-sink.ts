import { Unreadable } from '../decode/unreadable.ts'
import { Fields, textIn } from '../decode/wire.ts'
import type { JsonObject, ObjectSink } from '../object-sink.ts'

/** An object as tests compare it. */
export interface Kept {
  key: string
  revision: number
}

/** A sink for tests: keeps key and revision of each object by uid, by the rules of ObjectSink. */
export class MapSink implements ObjectSink {
  readonly protobuf: boolean
  readonly kept = new Map<string, Kept>()
  /** How many lists came to their end. */
  lists = 0
  #unseen: Set<string> | undefined
  #backwards = false

  constructor({ protobuf = true } = {}) {
    this.protobuf = protobuf
  }

  beginList({ backwards = false } = {}): void {
    this.#unseen = new Set(this.kept.keys())
    this.#backwards = backwards
  }

  endList(): void {
    for (const uid of this.#unseen ?? []) this.kept.delete(uid)
    this.#unseen = undefined
    this.#backwards = false
    this.lists++
  }

  put(object: JsonObject): void {
    this.#put(metaOfJson(object))
  }

  remove(object: JsonObject): void {
    this.#remove(metaOfJson(object))
  }

  putProtobuf(bytes: Uint8Array, from: number, to: number): void {
    this.#put(metaOfProtobuf(bytes, from, to))
  }

  removeProtobuf(bytes: Uint8Array, from: number, to: number): void {
    this.#remove(metaOfProtobuf(bytes, from, to))
  }

  count(): number {
    return this.kept.size
  }

  /** `namespace/name revision`, sorted. */
  lines(): string[] {
    return [...this.kept.values()].map(({ key, revision }) => `${key} ${revision}`).sort()
  }

  #put({ uid, key, revision }: Meta): void {
    this.#unseen?.delete(uid)
    const before = this.kept.get(uid)
    if (!before || this.#backwards || before.revision < revision) this.kept.set(uid, { key, revision })
  }

  #remove({ uid, revision }: Meta): void {
    const before = this.kept.get(uid)
    if (before && before.revision <= revision) this.kept.delete(uid)
  }
}

interface Meta extends Kept {
  uid: string
}

function metaOfJson({ metadata }: JsonObject): Meta {
  const { uid, name, namespace = '', resourceVersion } = metadata ?? {}
  if (typeof uid !== 'string' || typeof name !== 'string') throw new Unreadable('an object has no uid or name')
  return { uid, key: `${namespace}/${name}`, revision: Number(resourceVersion) }
}

function metaOfProtobuf(bytes: Uint8Array, from: number, to: number): Meta {
  const texts: string[] = []
  const object = new Fields(bytes, from, to)
  while (object.next()) {
    if (object.number !== 1) continue
    const meta = new Fields(bytes, object.from, object.to)
    while (meta.next()) if (meta.type === 2 && meta.number <= 6) texts[meta.number] = textIn(bytes, meta.from, meta.to)
  }
  const [, name, , namespace = '', , uid, revision] = texts
  if (!uid || !name) throw new Unreadable('an object has no uid or name')
  return { uid, key: `${namespace}/${name}`, revision: Number(revision) }
}
