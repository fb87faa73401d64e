import { type BodyEnd, readBody } from '../connection/answer.ts'
import type { ErrorFrame, Frame } from '../decode/frame.ts'
import { frameDecoder } from '../decode/frame-decoder.ts'
import { pace } from '../pace.ts'
import type { ServedKind } from '../served-kind.ts'
import { Later, MustRelist } from './failures.ts'
import { acceptOf, pathOf, type Server } from './source.ts'

export interface Watching {
  server: Server
  kind: ServedKind
  protobuf: boolean
  /** Goes on from there. */
  revision: string
  /** The list comes first, as events that end with a bookmark. */
  withList: boolean
  /** Milliseconds without a whole event after which it counts as dead; asked again and again. */
  silence(): number
  /** The answer has begun: the watch runs. */
  onBegin(): void
  onFrame(frame: Exclude<Frame, ErrorFrame>): void
  signal: AbortSignal
}

/**
 * Reads a watch to its end. Resolves with how it ended. Rejects with Refused, ConnectionLost, Silent, MustRelist, Later,
 * and with what `onFrame` throws.
 */
export async function readWatch(watching: Watching): Promise<BodyEnd> {
  const { server, kind, protobuf, revision, withList, silence, onBegin, onFrame, signal } = watching
  const ask = {
    path: pathOf(kind),
    query: {
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: revision,
      ...(withList ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' } : {}),
    },
    accept: acceptOf(protobuf),
    verb: 'watch',
    what: kind.plural,
  }
  const answer = await server.connection.ask(ask, signal)
  const decoder = frameDecoder(String(answer.headers['content-type'] ?? ''), (frame) => {
    if (frame.type === 'ERROR') throw failureOf(frame)
    frames++
    onFrame(frame)
  })
  let frames = 0
  onBegin()
  const onPiece = (piece: Buffer) => {
    const before = frames
    pace.read(piece.length)
    decoder.push(piece)
    return frames > before
  }
  const ended = await readBody(answer, { onPiece, silence, signal })
  // Cut off by the connection: the event comes again. Cut off by the server: something is wrong with it.
  if (ended === 'complete' && decoder.cut()) throw new MustRelist('unreadable', 'the watch ended within an event')
  return ended
}

function failureOf({ code, message, retryAfterSeconds }: ErrorFrame): Error {
  if (code === 410) return new MustRelist('expired', `the server says: ${message || 'expired'}`)
  if (code === 429) return new Later(message, retryAfterSeconds ?? 1)
  return new MustRelist('error-frame', `the server says: ${message || `status ${code}`}`)
}
