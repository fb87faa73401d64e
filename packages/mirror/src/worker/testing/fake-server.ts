import { Readable } from 'node:stream'
import { ConnectionLost, type RawAnswer, Refused } from '../connection/answer.ts'
import type { Ask } from '../connection/connection.ts'
import { TIMINGS, type Timings } from '../reader-options.ts'
import type { Asked } from '../reflect/source.ts'
import { type Encoding, type FakeEvent, type FakeObject, JSON_ENCODING, PROTOBUF_ENCODING } from './encode.ts'

/** What goes wrong with one answer. */
export type Fault =
  | 'cut-connection'
  | 'cut-body'
  | 'corrupt'
  | 'twice'
  | 'swap'
  | 'old-event'
  | 'old-bookmark'
  | 'error-frame'
  | 'gone'
  | 'empty'
  | 'stall'
  | 'refuse'

interface Watcher {
  /** Undefined: the fault is over, or there is none. */
  fault: Fault | undefined
  /** Frames until the fault. */
  after: number
  held: FakeEvent | undefined
  encoding: Encoding
  body: Readable
  well: boolean
}

/** Patience for tests: everything that waits, waits for milliseconds. */
export const QUICK_TIMINGS = {
  ...TIMINGS,
  flush: 5,
  watchSilence: 60,
  listSilence: 40,
  streamSilence: 40,
  quickEnd: 2,
  firstRetry: 1,
  longestRetry: 8,
  refusedRetry: 10,
}

export interface FakeServerOptions {
  nextFault?: () => Fault | undefined
  pieceSize?: () => number
  timings?: Partial<Timings>
}

/** One kind as an API server serves it: pages, whole lists, streaming lists and watches, in JSON or protobuf. */
export class FakeServer implements Asked {
  readonly timings: Timings
  readonly up = true
  readonly objects = new Map<string, FakeObject>()
  revision = 10
  /** Watches and pages from before are expired. */
  floor = 0
  requests: Ask[] = []
  streams = true
  readonly #log: { revision: number; event: FakeEvent }[] = []
  readonly #pages = new Map<string, { objects: FakeObject[]; revision: number; from: number }>()
  readonly #watchers = new Set<Watcher>()
  readonly #nextFault: () => Fault | undefined
  readonly #pieceSize: () => number
  #uids = 0

  constructor(options: FakeServerOptions = {}) {
    this.timings = { ...QUICK_TIMINGS, ...options.timings }
    this.#nextFault = options.nextFault ?? (() => undefined)
    this.#pieceSize = options.pieceSize ?? (() => 1_000)
  }

  /** `namespace/name revision`, sorted. */
  lines(): string[] {
    return [...this.objects.values()].map((one) => `${one.namespace}/${one.name} ${one.revision}`).sort()
  }

  add(name: string): void {
    this.#put('ADDED', { uid: `uid-${++this.#uids}`, name, namespace: 'space', revision: 0 })
  }

  change(object: FakeObject): void {
    this.#put('MODIFIED', object)
  }

  remove(object: FakeObject): void {
    this.objects.delete(object.uid)
    this.#tell('DELETED', { ...object, revision: ++this.revision })
  }

  bookmark(): void {
    for (const watcher of this.#watchers) this.#send(watcher, { type: 'BOOKMARK', object: { bookmark: this.revision } })
  }

  /** What was before is forgotten, so that nobody can go on from there. */
  compact(): void {
    this.floor = this.revision
    this.#log.length = 0
    this.#pages.clear()
  }

  /** The store is put back to how it was; watches end. */
  restore(objects: FakeObject[], revision: number): void {
    this.objects.clear()
    for (const object of objects) this.objects.set(object.uid, object)
    this.revision = revision
    this.#log.length = 0
    this.endWatches(false)
  }

  endWatches(well = true): void {
    for (const watcher of this.#watchers) end(watcher, well)
    this.#watchers.clear()
  }

  lost(why: string): ConnectionLost {
    return new ConnectionLost(why)
  }

  async ask(request: Ask, signal: AbortSignal): Promise<RawAnswer> {
    this.requests.push(request)
    signal.throwIfAborted()
    const { query = {}, accept } = request
    const encoding = accept.startsWith(PROTOBUF_ENCODING.contentType) ? PROTOBUF_ENCODING : JSON_ENCODING
    const fault = this.#nextFault()
    if (fault === 'refuse') throw new Refused('busy', 503, {})
    if (query.watch) return this.#watch(encoding, query, fault, signal)
    if (query.limit === 1 || query.fieldSelector)
      return this.#answer([encoding.list([...this.objects.values()].slice(0, 1), this)])
    return this.#list(encoding, query, fault)
  }

  #list(encoding: Encoding, query: NonNullable<Ask['query']>, fault: Fault | undefined): RawAnswer {
    const token = query.continue === undefined ? undefined : String(query.continue)
    const page = token === undefined ? undefined : this.#pages.get(token)
    if (fault === 'gone' || (token !== undefined && !page)) throw new Refused('expired', 410, {})
    const { objects, revision, from } = page ?? {
      objects: [...this.objects.values()],
      revision: this.revision,
      from: 0,
    }
    const to = query.limit === undefined ? objects.length : from + Number(query.limit)
    const meta = {
      revision,
      ...(to < objects.length ? { continue: `${revision}:${to}`, remaining: objects.length - to } : {}),
    }
    if (meta.continue) this.#pages.set(meta.continue, { objects, revision, from: to })
    return this.#answer([encoding.list(objects.slice(from, to), meta)], encoding, fault)
  }

  #answer(parts: Buffer[], { contentType }: Encoding = JSON_ENCODING, fault?: Fault): RawAnswer {
    const bytes = Buffer.concat(parts)
    const cut = fault === 'cut-body' || fault === 'cut-connection' || fault === 'stall'
    if (fault === 'corrupt') corrupt(bytes, contentType)
    const sent = cut ? bytes.subarray(0, bytes.length / 2) : bytes
    const body = new Readable({ read() {} })
    this.#pieces(sent, (piece) => void body.push(piece))
    if (fault === 'cut-connection') setImmediate(() => body.destroy())
    else if (fault !== 'stall') body.push(null)
    return { status: 200, headers: { 'content-type': contentType }, body, endedWell: () => fault !== 'cut-connection' }
  }

  #watch(
    encoding: Encoding,
    query: NonNullable<Ask['query']>,
    fault: Fault | undefined,
    signal: AbortSignal,
  ): RawAnswer {
    if (query.sendInitialEvents && !this.streams) throw new Refused('forbidden', 422, {})
    const body = new Readable({ read() {} })
    const after = fault === undefined ? 0 : Math.floor(this.#pieceSize() % 5)
    const watcher: Watcher = { fault, after, held: undefined, encoding, body, well: true }
    this.#watchers.add(watcher)
    const leave = () => this.#watchers.delete(watcher)
    signal.addEventListener('abort', leave, { once: true })
    body.once('close', leave)
    const from = Number(query.resourceVersion || 0)
    if (fault === 'empty') end(watcher, true)
    else if (query.sendInitialEvents) this.#sendList(watcher)
    else if (fault === 'gone' || from < this.floor) {
      this.#send(watcher, { type: 'ERROR', object: { code: 410, message: 'too old resource version' } })
      end(watcher, true)
    } else for (const { revision, event } of this.#log) if (revision > from) this.#send(watcher, event)
    return { status: 200, headers: { 'content-type': encoding.contentType }, body, endedWell: () => watcher.well }
  }

  #sendList(watcher: Watcher): void {
    // Among the objects of a list nobody can tell an old one.
    if (watcher.fault === 'old-event') watcher.fault = 'twice'
    for (const object of this.objects.values()) this.#send(watcher, { type: 'ADDED', object })
    this.#send(watcher, { type: 'BOOKMARK', object: { bookmark: this.revision, end: true } })
  }

  #put(type: 'ADDED' | 'MODIFIED', object: FakeObject): void {
    const written = { ...object, revision: ++this.revision }
    this.objects.set(object.uid, written)
    this.#tell(type, written)
  }

  #tell(type: string, object: FakeObject): void {
    const event = { type, object }
    this.#log.push({ revision: object.revision, event })
    for (const watcher of this.#watchers) this.#send(watcher, event)
  }

  #send(watcher: Watcher, event: FakeEvent): void {
    const { encoding, body } = watcher
    if (body.destroyed || body.readableEnded) return
    let bytes = encoding.event(event)
    if (watcher.fault !== undefined && watcher.after-- <= 0) {
      const spoiled = this.#spoil(watcher, event, bytes)
      if (!spoiled) return
      bytes = spoiled
    }
    this.#pieces(bytes, (piece) => void body.push(piece))
  }

  /** The bytes to send instead; undefined: none. */
  #spoil(watcher: Watcher, event: FakeEvent, bytes: Buffer): Buffer | undefined {
    const { fault, encoding, held } = watcher
    if (fault === 'stall') return undefined
    if (fault === 'swap' && !held) {
      watcher.held = event
      return undefined
    }
    watcher.fault = undefined
    const old = this.#log[Math.floor(this.#log.length / 2)]
    switch (fault) {
      case 'swap':
        // In one piece: swapped and then cut in between would be a loss that no reader can see.
        watcher.body.push(Buffer.concat([bytes, encoding.event(held as FakeEvent)]))
        return undefined
      case 'twice':
        return Buffer.concat([bytes, bytes])
      case 'old-event':
        return Buffer.concat([old && old.revision < this.revision ? encoding.event(old.event) : bytes, bytes])
      case 'old-bookmark':
        return Buffer.concat([encoding.event({ type: 'BOOKMARK', object: { bookmark: this.floor + 1 } }), bytes])
      case 'error-frame':
        return encoding.event({ type: 'ERROR', object: { code: 500, message: 'etcd event received with PrevKv=nil' } })
      case 'corrupt':
        corrupt(bytes, encoding.contentType)
        return bytes
      case 'cut-body':
      case 'cut-connection':
        this.#pieces(bytes.subarray(0, bytes.length / 2), (piece) => void watcher.body.push(piece))
        end(watcher, fault === 'cut-body')
        this.#watchers.delete(watcher)
        return undefined
      default:
        return bytes
    }
  }

  #pieces(bytes: Buffer, push: (piece: Buffer) => void): void {
    for (let at = 0; at < bytes.length; ) {
      const size = Math.max(1, this.#pieceSize())
      push(bytes.subarray(at, at + size))
      at += size
    }
  }
}

function end(watcher: Watcher, well: boolean): void {
  watcher.well = well
  if (well) watcher.body.push(null)
  else setImmediate(() => watcher.body.destroy())
}

/** One byte becomes what it can never be: in JSON no UTF-8, in protobuf another outline. */
function corrupt(bytes: Buffer, contentType: string): void {
  const json = contentType === JSON_ENCODING.contentType
  const at = json ? Math.floor(bytes.length / 3) : 3
  bytes.writeUInt8(json ? 0xff : bytes.readUInt8(at) ^ 0x15, at)
}
