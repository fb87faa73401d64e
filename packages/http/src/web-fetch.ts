import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'

/** A new id for each request; what the client sends is never taken, so ids in the log cannot be forged. */
export const requestIdFrom = (): string => `req-${randomBytes(8).toString('hex')}`

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
