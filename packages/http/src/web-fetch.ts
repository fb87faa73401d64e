import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'

const ID_BYTES = 8
/** Asked of the system for many ids at a time: one by one they are a fortieth of what a list costs (2026-11-21). */
let drawn = Buffer.alloc(0)
let used = 0

/** A new id for each request; what the client sends is never taken, so ids in the log cannot be forged. */
export function requestIdFrom(): string {
  if (used === drawn.length) {
    drawn = randomBytes(256 * ID_BYTES)
    used = 0
  }
  used += ID_BYTES
  return `req-${drawn.toString('hex', used - ID_BYTES, used)}`
}

/** `fetch` that goes straight into the server, without a network. */
export function webFetch(app: FastifyInstance): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const { host, pathname, search } = new URL(request.url)
    const payload = request.body === null ? undefined : Buffer.from(await request.arrayBuffer())
    const response = await app.inject({
      method: request.method as 'GET',
      url: pathname + search,
      headers: { host, ...Object.fromEntries(request.headers) },
      payloadAsStream: true,
      ...(payload ? { payload } : {}),
    })
    const headers = new Headers()
    for (const [name, value] of Object.entries(response.headers)) {
      for (const one of [value ?? []].flat()) headers.append(name, String(one))
    }
    const empty = response.statusCode === 204 || response.statusCode === 304 || request.method === 'HEAD'
    const body = empty ? null : (Readable.toWeb(response.stream()) as unknown as ReadableStream)
    return new Response(body, { status: response.statusCode, headers })
  }
}
