import { bindSocket, type Server, type Socket } from '@quarterdeck/http'
import { invalidInput, isProblem } from '@quarterdeck/kernel'
import type { View, ViewListener } from '@quarterdeck/mirror'
import type { z } from 'zod'
import type { ObjectReader } from '../access/access.contract.ts'
import { type LiveFrame, LiveRequest, MOST_VIEWS, watchObjects } from './object.contract.ts'
import { isQueryError, kindNamed, listQuery, type MirrorParts } from './query.routes.ts'

type Refused = Omit<Extract<LiveFrame, { type: 'refused' }>, 'type'>
type Open = Extract<LiveRequest, { type: 'open' }>

/** Live views of lists, many over one socket. */
export function liveRoutes(server: Server, parts: MirrorParts): void {
  bindSocket(server, watchObjects, ({ subject, peer }, socket) => {
    const views = new SocketViews(socket, parts, parts.readerOf(subject))
    socket.onFrame((frame) => {
      const request = requestOf(frame)
      // Opening may sort anew; all else costs about what a page costs.
      const cost = !('detail' in request) && request.type === 'open' ? 1 : 0.1
      const waitSeconds = server.rateLimit.take(peer, cost)
      if (waitSeconds > 0) {
        views.refuse({ ...idOf(request), detail: `Too many requests; try again in ${waitSeconds} s` })
      } else if ('detail' in request) views.refuse(request)
      else views.take(request)
    })
    socket.onClose(() => views.end())
  })
}

class SocketViews {
  readonly #socket: Socket
  readonly #parts: MirrorParts
  readonly #reader: ObjectReader
  readonly #views = new Map<number, View>()
  /** Views whose frame the socket could not take. */
  readonly #behind = new Set<View>()

  constructor(socket: Socket, parts: MirrorParts, reader: ObjectReader) {
    this.#socket = socket
    this.#parts = parts
    this.#reader = reader
    socket.onDrain(() => {
      const behind = [...this.#behind]
      this.#behind.clear()
      for (const view of behind) view.resend()
    })
  }

  take(request: LiveRequest): void {
    const { id } = request
    const view = this.#views.get(id)
    try {
      if (request.type === 'open') this.#open(request)
      else if (!view) throw wrong('/id', `No view ${id} is open here: open it first`)
      else if (request.type === 'move') view.move(request.offset, request.limit)
      else this.#close(id, view)
    } catch (error) {
      this.refuse({ id, ...reasonOf(error) })
    }
  }

  /** A client that does not read what it is told is told no more. */
  refuse(refused: Refused): void {
    this.#socket.offer(Buffer.from(JSON.stringify({ type: 'refused', ...refused } satisfies LiveFrame)))
  }

  #open({ id, resource, ...asked }: Open): void {
    if (this.#views.has(id)) throw wrong('/id', `View ${id} is open: close it first, or take another number`)
    if (this.#views.size >= MOST_VIEWS) {
      throw wrong('', `${MOST_VIEWS} views are open on this connection: close one that is not seen`)
    }
    const opened = this.#parts.opened()
    const kind = kindNamed(opened, this.#reader, resource, '/resource')
    const query = listQuery(opened, kind, asked)
    const view: View = opened.mirror.view(
      query,
      this.#reader,
      this.#listener(id, () => view),
    )
    this.#views.set(id, view)
  }

  #listener(id: number, viewOf: () => View): ViewListener {
    let told: number | undefined
    const offer = (frame: Uint8Array) => {
      if (this.#socket.offer(frame)) return true
      this.#behind.add(viewOf())
      return false
    }
    return {
      frame: (frame, view) => {
        if (view !== told) {
          if (!offer(Buffer.from(JSON.stringify({ type: 'opened', id, view } satisfies LiveFrame)))) return false
          told = view
        }
        return offer(frame)
      },
    }
  }

  #close(id: number, view: View): void {
    view.end()
    this.#views.delete(id)
    this.#behind.delete(view)
  }

  end(): void {
    for (const [id, view] of this.#views) this.#close(id, view)
  }
}

const wrong = (pointer: string, detail: string) => invalidInput({ detail, errors: [{ pointer, detail }] })

function reasonOf(error: unknown): Refused {
  if (isQueryError(error)) return { pointer: error.pointer, detail: error.message }
  if (!isProblem(error)) throw error
  const pointer = error.body.errors?.[0]?.pointer
  return { detail: error.message, ...(pointer ? { pointer } : {}) }
}

const idOf = ({ id }: { id?: number | undefined }) => (id === undefined ? {} : { id })

/** The request, or why it is none. */
function requestOf(frame: string | Uint8Array): LiveRequest | Refused {
  const value = jsonOf(frame)
  if (value === undefined) return { detail: 'Send each request as JSON text: {"type":"open","id":1,"resource":"pods"}' }
  const parsed = LiveRequest.safeParse(value)
  if (parsed.success) return parsed.data
  const id = LiveRequest.options[2].shape.id.safeParse((value as { id?: unknown } | null)?.id)
  return { ...(id.success ? { id: id.data } : {}), ...firstFault(parsed.error.issues) }
}

function jsonOf(frame: string | Uint8Array): unknown {
  try {
    return typeof frame === 'string' ? JSON.parse(frame) : undefined
  } catch {
    return undefined
  }
}

function firstFault(issues: z.core.$ZodIssue[]): Refused {
  const [issue] = issues
  const path = issue?.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : (issue?.path ?? [])
  const pointer = path.map((segment) => `/${String(segment)}`).join('')
  const message = issue?.code === 'unrecognized_keys' ? 'There is no such field: leave it out' : (issue?.message ?? '')
  return pointer === '' ? { detail: message } : { pointer, detail: `${pointer}: ${message}` }
}
