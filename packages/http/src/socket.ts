import type { WebSocket } from '@fastify/websocket'
import type { AnyEndpoint } from '@quarterdeck/kernel'
import type { FastifyRequest } from 'fastify'
import { admit, stillAdmitted, withinOrigin } from './admission.ts'
import { type Context, contextOf } from './bind.ts'
import { problemBody, sendProblem, upgradeRequired } from './problem-handler.ts'
import type { Server } from './server.ts'

/** One WebSocket. */
export interface Socket {
  /** Resolves when it has left for the network; await it not to flood a slow client. Never rejects. */
  send(frame: string | Uint8Array): Promise<void>
  /**
   * Sends UTF-8 as a text frame at once, without copying it: the same bytes may go to many sockets and must not be
   * changed afterwards. False, and nothing is sent, while the client is behind by more than a megabyte; whoever was
   * refused is told by `onDrain`.
   */
  offer(text: Uint8Array): boolean
  /** Called when, after a refused offer, most of what was waiting has left. */
  onDrain(listener: () => void): void
  /** Close codes: 1000 done, 4000 + HTTP status for a problem. `reason` at most 123 bytes. */
  close(code?: number, reason?: string): void
  /** Text frames as text, binary ones as bytes. Frames that come before the first listener wait for it. */
  onFrame(listener: (frame: string | Uint8Array) => void): void
  onClose(listener: () => void): void
  /** Stops and resumes reading, so that a slow consumer slows the client. */
  pause(): void
  resume(): void
}

export type SocketHandler<E extends AnyEndpoint> = (context: Context<E>, socket: Socket) => void | Promise<void>

const PING_MS = 25_000
/** What may wait for a slow client, and how little of it must be left before it gets more. */
const BEHIND_BYTES = 1024 * 1024
const CAUGHT_UP_BYTES = 64 * 1024

const shortened = (text: string) =>
  Buffer.from(text)
    .subarray(0, 123)
    .toString()
    .replace(/\uFFFD+$/, '')

const AS_TEXT = { binary: false }

/** Our own view of a WebSocket. `failed` is told what a listener throws. */
export function socketOf(ws: WebSocket, failed: (error: unknown) => void): Socket {
  let waiting: (string | Uint8Array)[] | undefined = []
  const listeners: ((frame: string | Uint8Array) => void)[] = []
  ws.on('message', (bytes: Buffer, binary: boolean) => {
    const frame = binary ? bytes : bytes.toString('utf8')
    if (waiting) waiting.push(frame)
    else tell(listeners, frame)
  })
  function tell<T>(all: readonly ((value: T) => void)[], value: T) {
    try {
      for (const listener of all) listener(value)
    } catch (error) {
      failed(error)
    }
  }
  let refused = false
  const drained: (() => void)[] = []
  const sent = () => {
    if (!refused || ws.bufferedAmount > CAUGHT_UP_BYTES || ws.readyState !== ws.OPEN) return
    refused = false
    tell(drained, undefined)
  }
  return {
    offer(text) {
      if (ws.readyState !== ws.OPEN) return false
      refused ||= ws.bufferedAmount > BEHIND_BYTES
      if (!refused) ws.send(text, AS_TEXT, sent)
      return !refused
    },
    onDrain: (listener) => void drained.push(listener),
    send: (frame) =>
      new Promise((resolve) =>
        ws.send(frame, () => {
          sent()
          resolve()
        }),
      ),
    close: (code = 1000, reason = '') => ws.close(code, shortened(reason)),
    onFrame(listener) {
      listeners.push(listener)
      const early = waiting ?? []
      waiting = undefined
      for (const frame of early) tell([listener], frame)
    },
    onClose: (listener) => void ws.once('close', listener),
    pause: () => ws.pause(),
    resume: () => ws.resume(),
  }
}

/** A peer that has gone without saying so is noticed by its missing pong. */
export function keepAlive(ws: WebSocket): void {
  let alive = true
  ws.on('pong', () => {
    alive = true
  })
  const timer = setInterval(() => {
    if (!alive) return ws.terminate()
    alive = false
    ws.ping()
  }, PING_MS)
  timer.unref()
  ws.once('close', () => clearInterval(timer))
}

function closeWith(ws: WebSocket, error: unknown, request: FastifyRequest): void {
  const body = problemBody(error, request)
  ws.close(4000 + body.status, shortened(body.detail ?? body.title))
}

/**
 * Binds a WebSocket endpoint. Origin, sign-in, permission and schemas are checked before the upgrade and answered as
 * HTTP problems; what the handler throws after it closes the socket with 4000 + status and the detail as reason.
 */
export function bindSocket<E extends AnyEndpoint>(server: Server, endpoint: E, handler: SocketHandler<E>): void {
  server.endpoints.push(endpoint)
  server.fastify.route({
    method: 'GET',
    url: `/api/v1${endpoint.path}`,
    config: { endpointId: endpoint.id },
    onRequest: (request) => admit(server, endpoint, request),
    preHandler: async (request) => void contextOf(server, endpoint, request, undefined, () => server.closing),
    handler: async (request, reply) => {
      const problem = upgradeRequired({ detail: 'Connect with a WebSocket (ws:// or wss://)' })
      await sendProblem(problem, request, reply.header('upgrade', 'websocket'))
    },
    wsHandler: async (ws, request) => {
      const gone = new AbortController()
      const signal = AbortSignal.any([gone.signal, server.closing])
      const stop = stillAdmitted(server, endpoint, request, (problem) => closeWith(ws, problem, request))
      ws.once('close', () => {
        stop()
        gone.abort()
      })
      keepAlive(ws)
      const socket = socketOf(ws, (error) => closeWith(ws, error, request))
      try {
        await withinOrigin(server, request, () =>
          handler(
            contextOf(server, endpoint, request, undefined, () => signal),
            socket,
          ),
        )
      } catch (error) {
        closeWith(ws, error, request)
      }
    },
  })
}
