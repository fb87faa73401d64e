import compress from '@fastify/compress'
import cookie from '@fastify/cookie'
import websocket from '@fastify/websocket'
import {
  type AnyEndpoint,
  type Authority,
  CREDENTIALS_ALONE,
  type Permission,
  type Problem,
  type Scope,
  type Subject,
} from '@quarterdeck/kernel'
import { type FastifyInstance, fastify, LogController } from 'fastify'
import { serveConsole } from './console.ts'
import { checkHost } from './guard.ts'
import { securityHeaders } from './headers.ts'
import { type Readiness, serveHealth } from './health.ts'
import { idleConnections } from './idle-connections.ts'
import { type Figure, measure } from './metrics.ts'
import { openApiDocument } from './openapi.ts'
import { noSuchRoute, sendProblem, serverClosing } from './problem-handler.ts'
import { serveProblems } from './problem-page.ts'
import { createRateLimit, type RateLimit } from './rate-limit.ts'
import { requestIdFrom, webFetch } from './web-fetch.ts'

/** What a request brought to say who sends it; a token wins over a cookie. */
export interface Credential {
  /** Value of the session cookie. */
  session?: string
  /** What follows `Authorization: Bearer`. */
  token?: string
}

/**
 * Who acts with this credential; undefined when it is unknown, expired or revoked. `passive` asks again for a stream
 * or socket that is already open, and must not extend the session. `peer` is the network address that it comes from.
 */
export type Authenticate = (
  credential: Credential,
  options: { passive: boolean; peer: string },
) => Promise<Subject | undefined>

export interface ServerOptions {
  authenticate: Authenticate
  /** Absent: what a credential carries is what its owner may, everywhere. */
  authority?: Authority
  /**
   * Asked after the permission, for everything but anonymous endpoints: a problem when a one-time password has to be
   * given first. Absent: none is ever needed.
   */
  stepUp?: (subject: Subject, endpoint: AnyEndpoint, scope: Scope, permission: Permission) => Problem | undefined
  /** Absent: always ready. */
  readiness?: () => Promise<Readiness>
  /** pino's level; `silent` for tests. Default `info`. */
  logLevel?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Where log lines go; default stdout. */
  logTo?: { write(line: string): void }
  /** Address to listen on; default 127.0.0.1. On loopback only loopback names and `publicUrl`'s are answered. */
  host?: string
  /** How users reach the server (QUARTERDECK_URL); decides about secure cookies behind a TLS proxy. */
  publicUrl?: string
  /** Proxies whose X-Forwarded-* are believed; default none. */
  trustProxy?: string | string[]
  /** Folder of the built console; absent or empty: a page that says so. */
  consoleFolder?: string
  /** Version in the OpenAPI document. */
  version?: string
  /** Runs what a request asks for; absent: as it is. For those who write down where an act came from. */
  within?: <T>(origin: { peer: string; client: string; credential?: string; request: string }, fn: () => T) => T
  /** Writes a sensitive read into the audit trail, before it is answered; what it rejects with stops the request. */
  recordRead?: (subject: Subject, endpoint: AnyEndpoint, params: Record<string, unknown>) => Promise<void>
  /** Requests of one peer: `burst` at once, `perSecond` on average; some cost less than 1. Default 5,000 and 1,000. */
  rateLimit?: { burst: number; perSecond: number }
  /** True in tests: answers that are sent unchecked for speed (BindOptions) are checked all the same. */
  checkAnswers?: boolean
}

/** One HTTP server. Endpoints are bound before `listen`. */
export interface Server {
  /** For packages/http and its tests; features use bind and bindSocket. */
  readonly fastify: FastifyInstance
  readonly options: ServerOptions
  readonly authority: Authority
  readonly publicUrl: URL | undefined
  readonly endpoints: AnyEndpoint[]
  readonly rateLimit: RateLimit
  /** Who else has figures for /metrics; asked each time. */
  readonly figures: (() => readonly Figure[])[]
  /** Ends the streams and sockets that are open when the server closes. */
  readonly closing: AbortSignal
  /** Answers a request without a network, for tests: `createClient({ baseUrl: 'http://localhost', fetch: server.fetch })`. */
  readonly fetch: typeof globalThis.fetch
  /** Starts listening; the URL it is reached at. Port 0 takes a free one. Rejects with code EADDRINUSE. */
  listen(port: number): Promise<string>
  /** Ends streams and sockets, lets requests under way finish, stops listening. */
  close(): Promise<void>
}

const BODY_LIMIT_BYTES = 1024 * 1024

const noSchemas = (): never => {
  throw new Error('A route here has no Fastify schema; use an endpoint')
}

/** A server without endpoints. */
export async function createServer(options: ServerOptions): Promise<Server> {
  const host = options.host ?? '127.0.0.1'
  const publicUrl = options.publicUrl ? new URL(options.publicUrl) : undefined
  const app = fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    genReqId: requestIdFrom,
    requestIdHeader: false,
    logger: {
      level: options.logLevel ?? 'info',
      redact: ['req.headers.authorization', 'req.headers.cookie'],
      ...(options.logTo ? { stream: options.logTo } : {}),
    },
    logController: new LogController({ disableRequestLogging: true }),
    exposeHeadRoutes: false,
    trustProxy: options.trustProxy ?? false,
    requestTimeout: 60_000,
    keepAliveTimeout: 72_000,
    forceCloseConnections: 'idle',
    // Requests and answers go by the endpoints' own schemas; Ajv and fast-json-stringify are not even loaded.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    routerOptions: { maxParamLength: 500 },
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply.headers(securityHeaders)),
    clientErrorHandler: malformedRequest,
  })
  const controller = new AbortController()
  const endpoints: AnyEndpoint[] = []
  const { burst, perSecond } = options.rateLimit ?? { burst: 5_000, perSecond: 1_000 }
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply))
  app.setNotFoundHandler((request, reply) => sendProblem(noSuchRoute(request), request, reply))
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...securityHeaders, 'x-request-id': request.id })
    checkHost(request, host, publicUrl)
  })
  const endIdle = idleConnections(app.server)
  app.addHook('preClose', async () => {
    controller.abort(serverClosing({ detail: 'Connect again in a moment', retryAfterSeconds: 2 }))
    endIdle()
  })
  readJson(app)
  await app.register(websocket, {
    options: { maxPayload: BODY_LIMIT_BYTES, perMessageDeflate: false },
    preClose: (done) => closeSockets(app, done),
  })
  await app.register(cookie)
  await app.register(compress, {
    threshold: 2_048,
    encodings: ['gzip'],
    customTypes: /^application\/(json|problem\+json)/,
  })
  const figures: Server['figures'] = []
  measure(app, figures)
  serveHealth(app, options.readiness)
  serveProblems(app, endpoints)
  let document: string | undefined
  app.get('/api/v1/openapi.json', (_request, reply) => {
    document ??= JSON.stringify(openApiDocument(endpoints, { version: options.version ?? '0' }))
    return reply.type('application/json; charset=utf-8').header('cache-control', 'no-cache').send(document)
  })
  await serveConsole(app, options.consoleFolder)
  return {
    fastify: app,
    options,
    authority: options.authority ?? CREDENTIALS_ALONE,
    publicUrl,
    endpoints,
    rateLimit: createRateLimit({ burst, perSecond }),
    figures,
    closing: controller.signal,
    fetch: webFetch(app),
    listen: (port) => app.listen({ host, port }),
    close: () => app.close(),
  }
}

/** JSON and nothing else; an empty body is no body; `__proto__` and `constructor.prototype` are refused. */
function readJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) done(null, undefined)
    else parse(request, body as string, done)
  })
}

function closeSockets(app: FastifyInstance, done: () => void): void {
  for (const client of app.websocketServer.clients) {
    client.close(1001, 'The server is closing')
    setTimeout(() => client.terminate(), 1_000).unref()
  }
  done()
}

/** What cannot even be parsed as HTTP. */
function malformedRequest(error: Error & { code?: string }, socket: import('node:net').Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
  const body = JSON.stringify({ type: 'about:blank', title: status.slice(4), status: Number(status.slice(0, 3)) })
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  )
}
