import { readBody } from '../connection/answer.ts'
import type { ListMeta } from '../decode/list.ts'
import { listDecoder } from '../decode/list-decoder.ts'
import { Unreadable } from '../decode/unreadable.ts'
import type { ObjectSink } from '../object-sink.ts'
import type { ServedKind } from '../served-kind.ts'
import { acceptOf, pathOf, type Server } from './source.ts'

const PAGE = 500

/** One reading of a list. */
export interface Listing {
  server: Server
  kind: ServedKind
  sink: ObjectSink
  protobuf: boolean
  /** Less comes first. */
  urgency: number
  /** Called as it goes on: objects so far and of how many, where that is known. */
  onProgress(loaded: number, expected: number | undefined): void
  signal: AbortSignal
}

/** How a list ended: at a revision, or not at all because the rest should come as a stream. */
export type Listed = { revision: string } | { restAsStream: true; notOlderThan: string; expected: number | undefined }

/**
 * Reads all objects into the sink, between beginList and endList. Rejects with Refused, ConnectionLost, Silent and
 * Unreadable; then the sink waits for another beginList.
 */
export async function readList(listing: Listing, options: { backwards: boolean; stream: boolean }): Promise<Listed> {
  const { server, sink, urgency, signal } = listing
  const progress = new Progress(listing)
  const strategy = options.stream || server.strategy !== 'stream' ? server.strategy : 'pages'
  if (strategy === 'stream') return { restAsStream: true, notOlderThan: '', expected: undefined }
  sink.beginList(options)
  const giveBack = await server.shortLists.take(urgency, signal)
  let page: ListMeta
  try {
    if (strategy === 'whole') return await readWhole(listing, '0', progress)
    page = await readPage(listing, { limit: PAGE }, progress)
    progress.expect(page)
  } finally {
    giveBack()
  }
  if (page.continue === '') return end(sink, page)
  const giveLongBack = await server.longLists.take(urgency, signal)
  try {
    const long = (page.remaining ?? PAGE) > PAGE
    if (strategy === 'cheapest' && long && server.wholeLists) return await readWhole(listing, page.revision, progress)
    if (strategy === 'cheapest' && long && server.streams && options.stream) {
      return { restAsStream: true, notOlderThan: page.revision, expected: progress.expected }
    }
    while (page.continue !== '') {
      page = await readPage(listing, { limit: PAGE, continue: page.continue }, progress)
      progress.expect(page)
    }
    return end(sink, page)
  } finally {
    giveLongBack()
  }
}

/** Never with `limit`, which an API server does not look at beside a resource version. */
async function readWhole(listing: Listing, notOlderThan: string, progress: Progress): Promise<Listed> {
  progress.begin()
  const query = { resourceVersion: notOlderThan, resourceVersionMatch: 'NotOlderThan' }
  return end(listing.sink, await readPage(listing, query, progress))
}

function end(sink: ObjectSink, { revision }: ListMeta): Listed {
  if (revision === '') throw new Unreadable('the list has no resource version')
  sink.endList()
  return { revision }
}

async function readPage(
  { server: { connection }, kind, sink, protobuf, signal }: Listing,
  query: Record<string, string | number>,
  progress: Progress,
): Promise<ListMeta> {
  const ask = {
    path: pathOf(kind),
    query,
    accept: acceptOf(protobuf && sink.protobuf),
    verb: 'list',
    what: kind.plural,
  }
  const answer = await connection.ask(ask, signal)
  const decoder = listDecoder(String(answer.headers['content-type'] ?? ''), {
    put(object) {
      progress.loaded++
      sink.put(object)
    },
    putProtobuf(bytes, from, to) {
      progress.loaded++
      sink.putProtobuf(bytes, from, to)
    },
  })
  const onPiece = (piece: Buffer) => {
    readable(() => decoder.push(piece))
    progress.tell()
    return true
  }
  const ended = await readBody(answer, { onPiece, silence: () => connection.timings.listSilence, signal })
  if (ended === 'cut') throw connection.lost('the list was cut off')
  return readable(() => decoder.end())
}

/** What a sink cannot read is as unreadable as what a decoder cannot. */
export function readable<Value>(decode: () => Value): Value {
  try {
    return decode()
  } catch (error) {
    throw error instanceof Unreadable ? error : new Unreadable((error as Error).message, { cause: error })
  }
}

class Progress {
  readonly #listing: Listing
  loaded = 0
  expected: number | undefined
  #before = 0

  constructor(listing: Listing) {
    this.#listing = listing
  }

  /** Everything is read from the beginning again. */
  begin(): void {
    this.#before = this.loaded
    this.loaded = 0
  }

  expect({ remaining }: ListMeta): void {
    if (remaining !== undefined) this.expected = this.loaded + remaining
  }

  tell(): void {
    this.#listing.onProgress(Math.max(this.loaded, this.#before), this.expected)
  }
}
