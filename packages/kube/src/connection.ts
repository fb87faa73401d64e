import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { clusterUnreachable, isProblem, type Problem } from '@quarterdeck/kernel'
import request from 'undici/lib/api/api-request.js'
import { AnswerTooLong, textOf } from './body-text.ts'
import type { Credential } from './credential.ts'
import { type CredentialSource, type Credentials, credentialsOf } from './credentials.ts'
import type { IdentityHeaders } from './impersonation.ts'
import { impersonatorOf } from './impersonator.ts'
import type { Kubeconfig } from './kubeconfig.ts'
import { KeptPools, type Pools } from './pools.ts'
import { type Asked, statusProblem } from './status.ts'
import { type Attempt, transportProblem } from './transport-failure.ts'

// Go's API server answers indented JSON to browsers and curl by User-Agent; ours gets it compact.
const USER_AGENT = 'quarterdeck/0.1'
const DEFAULT_TIMEOUT_SECONDS = 30
const MOST_ATTEMPTS = 4
const ANSWER_BYTES = 64 * 1024 * 1024 // a page of 500 objects is a few MiB
const REFUSAL_BYTES = 1024 * 1024

/** One request to the API server. */
export interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the server's own path, parameters not included: `/api/v1/nodes`. */
  path: string
  query?: Record<string, string | number | boolean | undefined>
  /** Instead of `query`: as it is sent, without the question mark. */
  rawQuery?: string
  body?: unknown
  /** Instead of `body`: as it is sent. */
  bytes?: Uint8Array
  contentType?: string
  accept?: string
  /** As in RBAC, for sentences and the audit: get, list, watch, create, patch, delete. */
  verb: string
  /** What is asked for, for sentences: `Deployment dev/shop`. */
  what: string
  /** Default 30. For streams: until the answer begins. */
  timeoutSeconds?: number
  /** Streams only: fail when nothing arrives for so long. 0 means never. */
  quietSeconds?: number
  /** True: answers of 400 and above are answers, not problems. */
  anyStatus?: boolean
  /** True: although not a GET. */
  changesNothing?: boolean
  signal?: AbortSignal | undefined
}

/** A successful answer. `body` is parsed JSON, or text when it is not JSON. */
export interface Answer {
  status: number
  body: unknown
  /** What the API server wanted to be said about the request (its Warning headers). */
  warnings: string[]
}

/** Requests to one API server over kept-alive connections. */
export interface Connection {
  readonly cluster: string
  /** Without a trailing slash. */
  readonly server: string
  /** True: it asks as somebody else. */
  readonly impersonated: boolean
  /** The whole answer. Throws the problem that the API server's status or the transport stands for. */
  call(call: Call): Promise<Answer>
  /** The answer's body as it comes; the connection is its own. Destroying it ends the request. */
  stream(call: Call): Promise<Readable>
  /** The answer as it is, refusals included; otherwise like stream. */
  open(call: Call): Promise<Opened>
  credential(): Promise<Credential>
  /** The API server did not accept the credential; the next request comes with another, where there is another. */
  refused(): void
  /** The same server as whoever these headers name, over the credential of the impersonator. Ends with this one. */
  as(identity: IdentityHeaders): Connection
  close(): Promise<void>
}

/** The beginning of an answer. */
export interface Opened {
  statusCode: number
  headers: Record<string, string | string[] | undefined>
  body: Readable
}

/** How to reach the server of a kubeconfig as the identity that the credentials prove. */
export const tlsAndHeaders = (
  { skipTlsVerify, ca, tlsServerName }: Kubeconfig,
  { token, certificate, key }: Credentials,
): Credential => ({
  headers: { 'user-agent': USER_AGENT, ...(token ? { authorization: `Bearer ${token}` } : {}) },
  tls: {
    rejectUnauthorized: !skipTlsVerify,
    ...(ca ? { ca } : {}),
    ...(certificate && key ? { cert: certificate, key } : {}),
    ...(tlsServerName ? { servername: tlsServerName } : {}),
  },
})

/** Opens nothing until the first call. */
export const connect = (cluster: string, kubeconfig: Kubeconfig): Connection => new HttpConnection(cluster, kubeconfig)

/** Who the requests of a connection come from. */
interface Acting {
  source: CredentialSource
  pools: KeptPools
  /** Absent: the registered identity itself. */
  identity?: IdentityHeaders
}

class HttpConnection implements Connection {
  readonly cluster: string
  readonly server: string
  readonly impersonated: boolean
  readonly #kubeconfig: Kubeconfig
  readonly #base: string
  readonly #acting: Acting
  /** Shared by all who act through the impersonator. */
  #impersonator: Acting | undefined

  constructor(cluster: string, kubeconfig: Kubeconfig, acting?: Acting) {
    const { origin, pathname } = new URL(kubeconfig.server)
    this.cluster = cluster
    this.server = kubeconfig.server
    this.impersonated = acting?.identity !== undefined
    this.#kubeconfig = kubeconfig
    this.#base = pathname === '/' ? '' : pathname
    this.#acting = acting ?? {
      source: { get: credentialsOf(cluster, kubeconfig), refused: () => {} },
      pools: new KeptPools(origin),
    }
  }

  as(identity: IdentityHeaders): Connection {
    this.#impersonator ??= {
      source: impersonatorOf(this),
      pools: new KeptPools(new URL(this.server).origin, { repeats: true }),
    }
    return new HttpConnection(this.cluster, this.#kubeconfig, { ...this.#impersonator, identity })
  }

  async call(call: Call): Promise<Answer> {
    const end = performance.now() + (call.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000
    for (let attempts = 1; ; attempts++) {
      const { answer, retryAfterSeconds } = await this.#once(call)
      // The API server turned the request away unread because it has too much to do (priority and fairness).
      const again = retryAfterSeconds !== undefined && attempts < MOST_ATTEMPTS
      if (again && performance.now() + retryAfterSeconds * 1000 < end) {
        await sleep(retryAfterSeconds * 1000, undefined, call.signal ? { signal: call.signal } : {})
        continue
      }
      if (answer.status < 400 || call.anyStatus) return answer
      throw statusProblem(answer.status, answer.body, this.#asked(call))
    }
  }

  async stream(call: Call): Promise<Readable> {
    const { response, clock } = await this.#send(call, 'streams')
    clock.release()
    response.body.once('close', clock.stop)
    if (response.statusCode < 400) return response.body
    const text = await textOf(response.body, REFUSAL_BYTES).catch(() => '')
    throw statusProblem(response.statusCode, bodyOf(text, response.headers['content-type']), this.#asked(call))
  }

  async open(call: Call): Promise<Opened> {
    const { response, clock } = await this.#send(call, 'streams')
    clock.release()
    response.body.once('close', clock.stop)
    return response
  }

  async credential(): Promise<Credential> {
    const { source, identity } = this.#acting
    const { headers, tls } = tlsAndHeaders(this.#kubeconfig, await source.get())
    return { headers: { ...headers, ...identity }, tls }
  }

  refused(): void {
    this.#acting.source.refused()
  }

  async close(): Promise<void> {
    // Whoever acts as somebody uses what others use, too.
    if (this.impersonated) return
    await Promise.all([this.#acting.pools.close(), this.#impersonator?.pools.close()])
  }

  async #once(call: Call): Promise<{ answer: Answer; retryAfterSeconds?: number }> {
    const { response, clock } = await this.#send(call, 'oneOff')
    try {
      const { statusCode: status, headers } = response
      const text = await textOf(response.body, ANSWER_BYTES)
      const answer = { status, body: bodyOf(text, headers['content-type']), warnings: warningsOf(headers.warning) }
      const busy = status === 429 && headers['retry-after'] !== undefined && !text.includes('DisruptionBudget')
      return busy ? { answer, retryAfterSeconds: Number(headers['retry-after']) || 1 } : { answer }
    } catch (error) {
      throw failureOf(error, this.#attempt(call), call.signal)
    } finally {
      clock.stop()
    }
  }

  async #send(call: Call, kind: keyof Pools) {
    const sent = await this.#sendOnce(call, kind)
    if (sent.response.statusCode !== 401 || !this.impersonated) return sent
    // The token of the impersonator ends early when its ServiceAccount was made anew. Nothing has been done yet.
    sent.clock.stop()
    sent.response.body.on('error', () => {}).destroy()
    this.refused()
    return this.#sendOnce(call, kind)
  }

  async #sendOnce(call: Call, kind: keyof Pools) {
    const proof = await this.credential()
    const method = call.method ?? 'GET'
    const { timeoutSeconds } = this.#attempt(call)
    const clock = startClock(timeoutSeconds, call.signal)
    const content = call.bytes ?? (call.body === undefined ? undefined : JSON.stringify(call.body))
    const asked = {
      method,
      path: `${this.#base}${call.path}${call.rawQuery ? `?${call.rawQuery}` : queryText(call.query)}`,
      headers: {
        ...proof.headers,
        accept: call.accept ?? 'application/json',
        ...(content === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' }),
      },
      ...(content === undefined ? {} : { body: content }),
      headersTimeout: (timeoutSeconds + 2) * 1000,
      bodyTimeout: (call.quietSeconds ?? timeoutSeconds + 2) * 1000,
      signal: clock.signal,
    }
    const pool = this.#acting.pools.of(proof)[kind]
    try {
      const response = await request.call(pool, asked).catch((error: unknown) => {
        if (method !== 'GET' || !wasReset(error)) throw error
        return request.call(pool, asked) // an idle connection was closed under us; reading again is safe
      })
      return { response, clock }
    } catch (error) {
      clock.stop()
      throw failureOf(error, this.#attempt(call), call.signal)
    }
  }

  #attempt({ method = 'GET', query, timeoutSeconds = DEFAULT_TIMEOUT_SECONDS, changesNothing }: Call): Attempt {
    const write = method !== 'GET' && query?.dryRun === undefined && !changesNothing
    return { cluster: this.cluster, server: this.server, write, timeoutSeconds }
  }

  #asked(call: Call): Asked {
    const { cluster, impersonated } = this
    return { cluster, impersonated, verb: call.verb, what: call.what, write: this.#attempt(call).write }
  }
}

/** A caller's own abort goes through as it is; everything else is clusterUnreachable. */
export function failureOf(error: unknown, attempt: Attempt, signal: AbortSignal | undefined): Problem | Error {
  if (signal?.aborted) return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason))
  if (error instanceof AnswerTooLong) {
    const detail = `Cluster ${attempt.cluster} cannot be used: ${error.message}. Check that ${attempt.server} is its API server.`
    return clusterUnreachable({
      detail,
      reason: 'AnswerTooLong',
      ...(attempt.write ? { ambiguous: true } : {}),
    })
  }
  return isProblem(error) ? error : transportProblem(error, attempt)
}

const wasReset = (error: unknown) =>
  ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes((error as NodeJS.ErrnoException).code ?? '')

/** One signal for both the caller's abort and our own timeout; `release` keeps only the caller's. */
function startClock(timeoutSeconds: number, outer: AbortSignal | undefined) {
  const controller = new AbortController()
  const quiet = Object.assign(new Error(`no answer in ${timeoutSeconds} s`), { code: 'QUIET' })
  const timer = setTimeout(() => controller.abort(quiet), timeoutSeconds * 1000)
  const pass = () => controller.abort(outer?.reason)
  if (outer?.aborted) pass()
  else outer?.addEventListener('abort', pass, { once: true })
  const release = () => clearTimeout(timer)
  const stop = () => {
    release()
    outer?.removeEventListener('abort', pass)
  }
  return { signal: controller.signal, release, stop }
}

function queryText(query: Call['query']): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) parameters.set(name, String(value))
  }
  return parameters.size === 0 ? '' : `?${parameters}`
}

function bodyOf(text: string, contentType: string | string[] | undefined): unknown {
  if (!String(contentType ?? '').includes('json')) return text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** `299 - "text"`, several in one header or one each (RFC 9111 §5.5). */
function warningsOf(header: string | string[] | undefined): string[] {
  const lines = header === undefined ? [] : [header].flat()
  return lines.flatMap((line) =>
    [...line.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) => (match[1] ?? '').replace(/\\(.)/g, '$1')),
  )
}
