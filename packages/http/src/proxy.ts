import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type { AnyEndpoint, Subject } from '@quarterdeck/kernel'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Admitted, admit, clientOf, stillAdmitted, withinOrigin } from './admission.ts'
import { problemBody } from './problem-handler.ts'
import type { Server } from './server.ts'
import { keepAlive, type Socket, socketOf } from './socket.ts'
import { isTunnelled, joinTunnel, type ProxyTunnel, type ProxyUpgrade, upgradeOf } from './tunnel.ts'
import { parseRequest } from './validation.ts'

/** A request that is passed on. Of its headers only these are told; whoever passes it on makes all others anew. */
export interface ProxyRequest<Params> {
  readonly params: Params
  readonly method: string
  /** What the path parameter stood for, as it was sent: not decoded, without a leading slash. */
  readonly path: string
  /** As it was sent, without the question mark. */
  readonly query: string
  readonly accept: string | undefined
  readonly contentType: string | undefined
  /** At most `bodyLimitBytes`. */
  readonly body: Uint8Array | undefined
  readonly subject: Subject
  readonly requestId: string
  /** What the client calls itself; nothing to rely on. */
  readonly client: string
  /** Aborted when the client goes away, the sign-in ends or the server closes. */
  readonly signal: AbortSignal
}

export interface ProxyAnswer {
  status: number
  /** Lower-case names. */
  headers: Record<string, string>
  body: Readable
}

/** The other end of a WebSocket that is passed on. */
export interface ProxySocket extends Pick<Socket, 'send' | 'onFrame' | 'pause' | 'resume'> {
  /** `cut`: it broke, so that nobody takes half for whole. */
  onClose(listener: (cut: boolean) => void): void
  close(): void
}

export interface ProxyHandlers<Params> {
  request(request: ProxyRequest<Params>): Promise<ProxyAnswer>
  /** Opens the other end with the client's first subprotocol, before the client is answered. */
  socket(request: ProxyRequest<Params> & { readonly protocol: string }): Promise<ProxySocket>
  /** Opens the other end of what is passed on as bytes, before the client is answered. */
  tunnel(request: ProxyRequest<Params> & { readonly upgrade: ProxyUpgrade }): Promise<ProxyTunnel>
}

// The API server's own limit.
const BODY_LIMIT_BYTES = 3 * 1024 * 1024

/** Answers are somebody else's text on our origin: no browser may run, frame or style anything of them. */
const INERT = { 'content-security-policy': "default-src 'none'; sandbox", 'cache-control': 'no-store' }
const HARMLESS =
  /^(application\/(json|yaml|octet-stream|[a-z.-]+\+json|vnd\.kubernetes\.[a-z.]+|com\.github\.[\w.@-]+)|text\/plain)\s*(;|$)/i

const plain = (value: string | undefined, most: number) =>
  value !== undefined && value.length <= most && /^[\x20-\x7e]*$/.test(value) ? value : undefined

type Opened = { proxied?: ProxySocket; gone?: AbortController }

/**
 * Passes everything below a path on, every method of `endpoints` and WebSockets. The last parameter of their path is
 * the rest of the URL. Also lets in a token as the password of HTTP Basic, since kubectl sends no other over plain HTTP.
 */
export function bindProxy<Params>(
  server: Server,
  endpoints: readonly AnyEndpoint[],
  handlers: ProxyHandlers<Params>,
): void {
  server.endpoints.push(...endpoints)
  // What a client sends before it is answered; nobody else is told of it.
  const early = new WeakMap<object, Buffer>()
  server.fastify.server.prependListener('upgrade', (request, _socket, head) => void early.set(request, head))
  server.fastify.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    for (const endpoint of endpoints) {
      scope.route({
        method: endpoint.method,
        url: `/api/v1${endpoint.path.replace(/:\w+$/, '*')}`,
        bodyLimit: BODY_LIMIT_BYTES,
        config: { endpointId: endpoint.id },
        onRequest: (request) => admit(server, endpoint, request, { reads: true, basic: true }),
        preHandler: (request, reply) =>
          prepareUpgrade(server, endpoint, { request, reply, early: early.get(request.raw) }, handlers),
        handler: (request, reply) => passOn(server, endpoint, request, reply, handlers),
        ...(endpoint.method === 'GET'
          ? {
              wsHandler: (ws, request) =>
                join(
                  server,
                  endpoint,
                  request,
                  socketOf(ws, () => ws.terminate()),
                  () => keepAlive(ws),
                ),
            }
          : {}),
      })
    }
  })
}

function proxyRequest<Params>(
  endpoint: AnyEndpoint,
  request: FastifyRequest,
  signal: AbortSignal,
): ProxyRequest<Params> {
  const [path = '', ...query] = (request.raw.url ?? '').split('?')
  const before = endpoint.path.slice(0, endpoint.path.lastIndexOf(':'))
  const prefix = new RegExp(`^/api/v1${before.replace(/:\w+/g, '[^/]+')}`)
  const sent = path.replace(prefix, '')
  const { '*': rest, ...named } = request.params as Record<string, string>
  const last = endpoint.path.slice(endpoint.path.lastIndexOf(':') + 1)
  const { params } = parseRequest(endpoint, { params: { ...named, [last]: rest }, query: {}, body: undefined })
  const { headers, body } = request
  return {
    params: params as Params,
    method: request.method,
    // A path that matched only after decoding is passed on as it is, and refused for its leading slash.
    path: sent,
    query: query.join('?'),
    accept: plain(headers.accept, 2_000),
    contentType: plain(headers['content-type'], 200),
    body: body instanceof Uint8Array && body.length > 0 ? body : undefined,
    subject: (request as Admitted).subject,
    requestId: request.id,
    client: clientOf(headers),
    signal,
  }
}

async function passOn<Params>(
  server: Server,
  endpoint: AnyEndpoint,
  request: FastifyRequest,
  reply: FastifyReply,
  handlers: ProxyHandlers<Params>,
): Promise<FastifyReply> {
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  const signal = AbortSignal.any([gone.signal, server.closing])
  const stop = stillAdmitted(server, endpoint, request, (problem) => gone.abort(problem), { basic: true })
  try {
    const answer = await withinOrigin(server, request, () => handlers.request(proxyRequest(endpoint, request, signal)))
    const type = answer.headers['content-type'] ?? 'application/octet-stream'
    reply.hijack()
    reply.raw.writeHead(answer.status, {
      ...(reply.getHeaders() as Record<string, string>),
      ...answer.headers,
      'content-type': HARMLESS.test(type) ? type : 'text/plain; charset=utf-8',
      ...INERT,
      'x-accel-buffering': 'no',
    })
    reply.raw.flushHeaders()
    await pour(answer.body, reply, signal)
    return reply
  } finally {
    stop()
  }
}

/** An answer that breaks off is broken off, so that nobody takes half for whole. */
async function pour(body: Readable, reply: FastifyReply, signal: AbortSignal): Promise<void> {
  try {
    for await (const chunk of body) {
      if (!reply.raw.write(chunk)) await once(reply.raw, 'drain', { signal })
    }
    reply.raw.end()
  } catch {
    reply.raw.destroy()
  } finally {
    body.on('error', () => {}).destroy()
  }
}

/** Opens the other end first, so that its refusal is an HTTP answer. */
async function prepareUpgrade<Params>(
  server: Server,
  endpoint: AnyEndpoint,
  { request, reply, early = Buffer.alloc(0) }: { request: FastifyRequest; reply: FastifyReply; early?: Buffer },
  handlers: ProxyHandlers<Params>,
): Promise<void> {
  if (!request.ws) return
  const upgrade = upgradeOf(request)
  const gone = new AbortController()
  request.raw.socket.once('close', () => gone.abort())
  const signal = AbortSignal.any([gone.signal, server.closing])
  const asked = proxyRequest<Params>(endpoint, request, signal)
  if (upgrade.to === 'websocket' && !isTunnelled(upgrade)) {
    const held = request as FastifyRequest & Opened
    held.gone = gone
    const { protocol } = upgrade
    held.proxied = await withinOrigin(server, request, () => handlers.socket({ ...asked, protocol }))
    return
  }
  const far = await withinOrigin(server, request, () => handlers.tunnel({ ...asked, upgrade }))
  joinTunnel(server, endpoint, request, reply, { upgrade, far, early, signal })
}

function join(server: Server, endpoint: AnyEndpoint, request: FastifyRequest, near: Socket, watch: () => void): void {
  const { proxied: far, gone } = request as FastifyRequest & Opened
  if (!far) {
    near.close(1011, 'There is no other end')
    return
  }
  const stop = stillAdmitted(
    server,
    endpoint,
    request,
    (problem) => near.close(4000 + problemBody(problem, request).status, problemBody(problem, request).title),
    { basic: true },
  )
  watch()
  near.onClose(() => {
    stop()
    far.close()
    gone?.abort()
  })
  far.onClose((cut) => (cut ? near.close(1011, 'The other end is gone') : near.close(1000)))
  relay(near, far)
  relay(far, near)
}

type End = Pick<Socket, 'send' | 'onFrame' | 'pause' | 'resume'>

/** Reads on only when the frame has left, so that a slow reader slows the other end. */
function relay(from: End, to: End): void {
  from.onFrame((frame) => {
    from.pause()
    void to.send(frame).then(() => from.resume())
  })
}
