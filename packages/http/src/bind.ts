import { randomUUID } from 'node:crypto'
import {
  type AnyEndpoint,
  type Endpoint,
  invalidInput,
  type Permission,
  type Scope,
  type Subject,
} from '@quarterdeck/kernel'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { type Admitted, admit, checkStepUp, clientOf, recordRead, stillAdmitted, withinOrigin } from './admission.ts'
import { isSecure, readCookie, writeCookie } from './cookie.ts'
import { requirePermission } from './guard.ts'
import type { Server } from './server.ts'
import { sendStream } from './stream.ts'
import { parseRequest, unknownMembers } from './validation.ts'

/** What a handler gets: everything parsed by the endpoint's schemas, and who asks. */
export interface Context<E extends AnyEndpoint> {
  readonly params: z.output<E['params']>
  readonly query: z.output<E['query']>
  readonly body: z.output<E['body']>
  /** Has the endpoint's permission; on an anonymous endpoint perhaps the subject `anonymous`, which has none. */
  readonly subject: Subject
  /** Whether the subject has a permission somewhere in particular. */
  may(permission: Permission, scope: Scope): boolean
  /**
   * Throws permissionMissing, or notFound for a place that the subject may not even see. A stream or socket ends when
   * what it required is lost.
   */
  require(permission: Permission, scope: Scope): void
  readonly requestId: string
  /** Header Idempotency-Key, or a new one where the client sent none. */
  readonly idempotencyKey: string
  /** Aborted when the client goes away, the sign-in ends or the server closes. */
  readonly signal: AbortSignal
  /** Network address of the client. */
  readonly peer: string
  /** What the client calls itself (User-Agent), at most 200 characters; nothing to rely on. */
  readonly client: string
  /** Whether the client reached us over TLS. */
  readonly secure: boolean
  /** Sets the session cookie (HttpOnly, SameSite=Strict); `maxAgeSeconds` 0 removes it. */
  setSessionCookie(value: string, maxAgeSeconds: number): void
  /** What the browser sent for a cookie that `setCookie` has set. */
  cookie(name: string): string | undefined
  /** Sets a cookie of this server's alone, like the session cookie; `maxAgeSeconds` 0 removes it. */
  setCookie(name: string, value: string, maxAgeSeconds: number): void
  /** Lets the browser save the answer under this name: letters, digits, dot, hyphen and underscore; others become _. */
  attachment(fileName: string): void
}

type Answer<E extends AnyEndpoint> = z.input<E['response']>

/**
 * Answers one request. For transport `json` the response, which is checked and stripped by the endpoint's schema (JSON
 * bytes only with BindOptions.unchecked); for `text` pieces of text or bytes; for `lines` one item a line. What it
 * throws is told as a problem.
 */
export type Handler<E extends AnyEndpoint> = (
  context: Context<E>,
) =>
  | Answer<E>
  | Uint8Array
  | Promise<Answer<E> | Uint8Array>
  | AsyncIterable<Answer<E> | string | Uint8Array>
  | Promise<AsyncIterable<Answer<E> | string | Uint8Array>>

export interface BindOptions {
  /** Default 1 MiB. */
  bodyLimitBytes?: number
  /**
   * True: the answer is right by construction and asked for thousands of times a second, so it is sent as it is; the
   * handler may have it as JSON bytes already. With ServerOptions.checkAnswers (tests) it is checked all the same, and
   * must hold nothing that the schema does not know.
   */
  unchecked?: boolean
  /** What a request takes of its peer's rate. Default 1; what was not let in takes 1 in any case. */
  cost?: number
}

const KEY = /^[\x21-\x7e]{1,200}$/

function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key']
  if (key === undefined || (typeof key === 'string' && KEY.test(key))) return key
  throw invalidInput({ detail: 'Idempotency-Key: 1 to 200 printable ASCII characters without spaces' })
}

/** The handler's view of a request that was let in; `signal` is called when it is asked for. Throws invalidInput. */
export function contextOf<E extends AnyEndpoint>(
  server: Server,
  endpoint: E,
  request: FastifyRequest,
  reply: FastifyReply | undefined,
  signal: () => AbortSignal,
): Context<E> {
  const { publicUrl, authority } = server
  const { subject } = request as Admitted
  const { params, query, body } = parseRequest(endpoint, request) as Pick<Context<E>, 'params' | 'query' | 'body'>
  let idempotencyKey = idempotencyKeyOf(request)
  return {
    params,
    query,
    body,
    subject,
    may: (permission, scope) => authority.may(subject, permission, scope),
    require(permission, scope) {
      requirePermission(authority, subject, permission, scope)
      checkStepUp(server, subject, endpoint, scope, permission)
      const admitted = request as Admitted
      admitted.required = [...(admitted.required ?? []), { permission, scope }]
    },
    requestId: request.id,
    get idempotencyKey() {
      idempotencyKey ??= randomUUID()
      return idempotencyKey
    },
    get signal() {
      return signal()
    },
    peer: request.ip,
    client: clientOf(request.headers),
    secure: isSecure(request, publicUrl),
    setSessionCookie(value, maxAgeSeconds) {
      if (reply) writeCookie(request, reply, { name: 'session', value, maxAgeSeconds }, publicUrl)
    },
    cookie: (name) => readCookie(request, name, publicUrl),
    setCookie(name, value, maxAgeSeconds) {
      if (reply) writeCookie(request, reply, { name, value, maxAgeSeconds }, publicUrl)
    },
    attachment(fileName) {
      const safe = fileName.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 200)
      void reply?.header('content-disposition', `attachment; filename="${safe}"`)
    },
  }
}

const isStream = (answer: unknown): answer is AsyncIterable<unknown> =>
  typeof answer === 'object' && answer !== null && Symbol.asyncIterator in answer

const statusOf = (endpoint: AnyEndpoint, answer: unknown): number =>
  endpoint.change ? ((answer as { kind?: string }).kind === 'Operation' ? 202 : 200) : endpoint.status

function checked(endpoint: AnyEndpoint, answer: unknown): unknown {
  const parsed = endpoint.response.safeParse(answer)
  if (parsed.success) return parsed.data
  throw new Error(`${endpoint.id} answered with something that is not its response: ${parsed.error.message}`)
}

function checkWhole(endpoint: AnyEndpoint, sent: unknown): void {
  const answer: unknown = sent instanceof Uint8Array ? JSON.parse(Buffer.from(sent).toString('utf8')) : sent
  checked(endpoint, answer)
  const [unknown] = unknownMembers(endpoint.response, answer, '')
  if (unknown !== undefined)
    throw new Error(`${endpoint.id} answered with ${unknown}, which its response does not have`)
}

const asItIs = (text: unknown) => text as string

function sendJson(endpoint: AnyEndpoint, status: number, answer: unknown, reply: FastifyReply): FastifyReply {
  void reply.code(status).header('cache-control', 'no-store')
  if (endpoint.status === 204) return reply.code(204).send()
  return reply
    .header('content-type', 'application/json; charset=utf-8')
    .serializer(asItIs)
    .send(answer instanceof Uint8Array ? answer : JSON.stringify(answer ?? null))
}

/** Made when it is first asked for: most answers are there before anybody could leave. */
function lazySignal(server: Server, reply: FastifyReply, gone: AbortController): () => AbortSignal {
  let signal: AbortSignal | undefined
  return () => {
    if (signal) return signal
    if (reply.raw.destroyed) gone.abort()
    else reply.raw.once('close', () => gone.abort())
    signal = AbortSignal.any([gone.signal, server.closing])
    return signal
  }
}

/** Binds one endpoint: permission first, then the schemas, then the handler. Each endpoint is bound once. */
export function bind<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Response extends z.ZodType,
>(
  server: Server,
  endpoint: Endpoint<Params, Query, Body, Response>,
  handler: Handler<Endpoint<Params, Query, Body, Response>>,
  { bodyLimitBytes, unchecked = false, cost = 1 }: BindOptions = {},
): void {
  server.endpoints.push(endpoint)
  const route = (fastify: FastifyInstance) =>
    fastify.route({
      method: endpoint.method,
      url: `/api/v1${endpoint.path}`,
      config: { endpointId: endpoint.id },
      ...(bodyLimitBytes === undefined ? {} : { bodyLimit: bodyLimitBytes }),
      onRequest: (request) => admit(server, endpoint, request, { cost }),
      handler: async (request, reply) => {
        const gone = new AbortController()
        const signal = lazySignal(server, reply, gone)
        const context = contextOf(server, endpoint, request, reply, signal)
        await recordRead(server, endpoint, request)
        if (endpoint.transport === 'json') {
          const answer: unknown = await withinOrigin(server, request, () => handler(context))
          if (unchecked && server.options.checkAnswers) checkWhole(endpoint, answer)
          return sendJson(endpoint, statusOf(endpoint, answer), unchecked ? answer : checked(endpoint, answer), reply)
        }
        const stop = stillAdmitted(server, endpoint, request, (problem) => gone.abort(problem))
        try {
          const answer: unknown = await withinOrigin(server, request, () => handler(context))
          if (!isStream(answer)) throw new Error(`${endpoint.id} answers with a stream, its handler did not`)
          void reply.header('cache-control', 'no-store')
          await sendStream(request, reply, answer, { lines: endpoint.transport === 'lines', signal: signal() })
          return reply
        } finally {
          stop()
        }
      },
    })
  if (!endpoint.form) return void route(server.fastify)
  // A form is what any page may send without asking: taken here and nowhere else.
  void server.fastify.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
      done(null, Object.fromEntries(new URLSearchParams(body as string))),
    )
    route(scope)
  })
}
