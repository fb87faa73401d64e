import type { Readable } from 'node:stream'
import type { SecureContextOptions } from 'node:tls'
import { isProblem, type Problem } from '@quarterdeck/kernel'
import { Pool } from 'undici'
import { credentialsOf } from './credentials.ts'
import type { Kubeconfig } from './kubeconfig.ts'
import { statusProblem } from './status.ts'
import { type Attempt, transportProblem } from './transport-failure.ts'

// Go's API server answers indented JSON to browsers and curl by User-Agent; ours gets it compact.
const USER_AGENT = 'quarterdeck/0.1'
const CONNECT_TIMEOUT_MS = 5_000
const DEFAULT_TIMEOUT_SECONDS = 30
const ONE_OFF_CONNECTIONS = 32

/** One request to the API server. */
export interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the server's own path, parameters not included: `/api/v1/nodes`. */
  path: string
  query?: Record<string, string | number | boolean | undefined>
  body?: unknown
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
  signal?: AbortSignal | undefined
}

/** A successful answer. `body` is parsed JSON, or text when it is not JSON. */
export interface Answer {
  status: number
  body: unknown
  /** What the API server wanted to be said about the request (its Warning headers). */
  warnings: string[]
}

/** What a TLS or WebSocket client needs to reach the same server as the same identity. */
export interface Credential {
  headers: Record<string, string>
  tls: SecureContextOptions & { servername?: string; rejectUnauthorized: boolean }
}

/** Requests to one API server over kept-alive connections. */
export interface Connection {
  readonly cluster: string
  /** Without a trailing slash. */
  readonly server: string
  /** The whole answer. Throws the problem that the API server's status or the transport stands for. */
  call(call: Call): Promise<Answer>
  /** The answer's body as it comes; the connection is its own. Destroying it ends the request. */
  stream(call: Call): Promise<Readable>
  credential(): Promise<Credential>
  close(): Promise<void>
}

interface Pools {
  oneOff: Pool
  streams: Pool
  certificate: string | undefined
}

/** Opens nothing until the first call. */
export function connect(cluster: string, kubeconfig: Kubeconfig): Connection {
  const { server } = kubeconfig
  const { origin, pathname } = new URL(server)
  const base = pathname === '/' ? '' : pathname
  const credentials = credentialsOf(cluster, kubeconfig)
  let pools: Pools | undefined

  async function credential(): Promise<Credential> {
    const { token, certificate, key } = await credentials()
    return {
      headers: { 'user-agent': USER_AGENT, ...(token ? { authorization: `Bearer ${token}` } : {}) },
      tls: {
        rejectUnauthorized: !kubeconfig.skipTlsVerify,
        ...(kubeconfig.ca ? { ca: kubeconfig.ca } : {}),
        ...(certificate && key ? { cert: certificate, key } : {}),
        ...(kubeconfig.tlsServerName ? { servername: kubeconfig.tlsServerName } : {}),
      },
    }
  }

  function poolsFor({ tls }: Credential): Pools {
    const certificate = tls.cert?.toString()
    if (pools && pools.certificate === certificate) return pools
    void pools?.oneOff.close() // lets what is under way finish; a renewed certificate needs new connections
    void pools?.streams.close()
    const common = { connect: { ...tls, timeout: CONNECT_TIMEOUT_MS }, keepAliveTimeout: 30_000 }
    pools = {
      oneOff: new Pool(origin, { ...common, connections: ONE_OFF_CONNECTIONS }),
      streams: new Pool(origin, { ...common, connections: null }),
      certificate,
    }
    return pools
  }

  async function send(call: Call, kind: 'oneOff' | 'streams') {
    const proof = await credential()
    const method = call.method ?? 'GET'
    const write = method !== 'GET' && call.query?.dryRun === undefined
    const timeoutSeconds = call.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS
    const attempt: Attempt = { cluster, server, write, timeoutSeconds }
    const clock = startClock(timeoutSeconds, call.signal)
    const request = {
      method,
      path: `${base}${call.path}${queryText(call.query)}`,
      headers: {
        ...proof.headers,
        accept: call.accept ?? 'application/json',
        ...(call.body === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' }),
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      headersTimeout: (timeoutSeconds + 2) * 1000,
      bodyTimeout: (call.quietSeconds ?? timeoutSeconds + 2) * 1000,
      signal: clock.signal,
    }
    const pool = poolsFor(proof)[kind]
    try {
      const response = await pool.request(request).catch((error: unknown) => {
        if (method !== 'GET' || !wasReset(error)) throw error
        return pool.request(request) // an idle connection was closed under us; reading again is safe
      })
      return { response, clock, attempt }
    } catch (error) {
      clock.stop()
      throw failureOf(error, attempt, call.signal)
    }
  }

  return {
    cluster,
    server,
    credential,
    async call(call) {
      const { response, clock, attempt } = await send(call, 'oneOff')
      let text: string
      try {
        text = await response.body.text()
      } catch (error) {
        throw failureOf(error, attempt, call.signal)
      } finally {
        clock.stop()
      }
      const body = bodyOf(text, response.headers['content-type'])
      if (response.statusCode >= 400 && !call.anyStatus) {
        throw statusProblem(response.statusCode, body, { ...call, cluster, write: attempt.write })
      }
      return { status: response.statusCode, body, warnings: warningsOf(response.headers.warning) }
    },
    async stream(call) {
      const { response, clock, attempt } = await send(call, 'streams')
      clock.release()
      response.body.once('close', clock.stop)
      if (response.statusCode < 400) return response.body
      const text = await response.body.text().catch(() => '')
      const body = bodyOf(text, response.headers['content-type'])
      throw statusProblem(response.statusCode, body, { ...call, cluster, write: attempt.write })
    },
    async close() {
      const held = pools
      pools = undefined
      await Promise.all([held?.oneOff.destroy(), held?.streams.destroy()])
    },
  }
}

/** A caller's own abort goes through as it is; everything else is clusterUnreachable. */
export function failureOf(error: unknown, attempt: Attempt, signal: AbortSignal | undefined): Problem | Error {
  if (signal?.aborted) return signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason))
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
