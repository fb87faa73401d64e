import { gunzipSync } from 'node:zlib'
import type { Dispatcher } from 'undici'
import request from 'undici/lib/api/api-request.js'
import Agent from 'undici/lib/dispatcher/agent.js'
import { isLocalAddress, outsideLookup } from './address.ts'
import { RegistryError } from './registry-error.ts'

/** A whole answer, read within its limits. */
export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
  /** Where it came from in the end. */
  url: URL
}

export interface ExchangeOptions {
  /** The registry as references name it, for errors. */
  host: string
  /** Where the registry is; only this origin is trusted and is sent `authorization`. */
  base: URL
  headers: Record<string, string>
  method?: 'GET' | 'HEAD'
  limitBytes: number
  timeoutMs: number
  signal?: AbortSignal | undefined
}

// Registries hand blobs over to an object store with one redirect; more than three is a loop.
const REDIRECTS = 3
const connect = { timeout: 5_000 }
const inside = new Agent({ connect, connections: 16, keepAliveTimeout: 10_000 })
const outside = new Agent({ connect: { ...connect, lookup: outsideLookup }, connections: 16, keepAliveTimeout: 10_000 })

/**
 * One request with its redirects. Authorization stays with the origin it was meant for. A target elsewhere must not be
 * this machine unless the registry is on this machine itself, and must not fall back from TLS to plain HTTP.
 * Throws RegistryError Unreachable or Unsound.
 */
export async function exchange(start: URL, options: ExchangeOptions): Promise<Answer> {
  const { host, timeoutMs } = options
  const timeout = AbortSignal.timeout(timeoutMs)
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout
  try {
    let url = start
    for (let hops = 0; hops <= REDIRECTS; hops += 1) {
      const answer = await ask(url, options, signal)
      if (![301, 302, 303, 307, 308].includes(answer.status)) return answer
      url = redirectTarget(answer, host)
    }
  } catch (error) {
    if (error instanceof RegistryError) throw error
    options.signal?.throwIfAborted()
    throw new RegistryError('Unreachable', host, unreachable(host, timeout.aborted ? timeoutMs : error), {
      cause: error,
    })
  }
  throw new RegistryError('Unsound', host, `${host} redirects more than ${REDIRECTS} times`)
}

async function ask(url: URL, options: ExchangeOptions, signal: AbortSignal): Promise<Answer> {
  const { headers, method = 'GET', base } = options
  const { authorization, ...open } = headers
  const own = url.origin === base.origin
  const dispatcher = own ? inside : dispatcherFor(url, options)
  const response = await request.call(dispatcher, {
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method,
    signal,
    headers: {
      'accept-encoding': 'identity',
      'user-agent': 'quarterdeck',
      ...open,
      ...(own && authorization ? { authorization } : {}),
    },
  })
  const body = await readBody(response, options)
  return { status: response.statusCode, headers: response.headers, body, url }
}

/** The connections for a host that a registry sends us to, which nobody has chosen. */
function dispatcherFor(url: URL, { base, host }: ExchangeOptions): Dispatcher {
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && base.protocol === 'http:')) {
    throw new RegistryError('Unsound', host, `${host} sends on to ${url.protocol}//${url.host}, which is not HTTPS`)
  }
  if (isLocalAddress(base.hostname)) return inside
  if (isLocalAddress(url.hostname)) {
    throw new RegistryError('Unsound', host, `${host} sends on to ${url.host}, an address of this machine`)
  }
  return outside
}

function redirectTarget({ headers, url }: Answer, host: string): URL {
  const location = headers.location
  if (typeof location !== 'string' || !URL.canParse(location, url.href)) {
    throw new RegistryError('Unsound', host, `${host} redirects without saying where to`)
  }
  return new URL(location, url)
}

async function readBody(response: Dispatcher.ResponseData, { limitBytes, host }: ExchangeOptions): Promise<Buffer> {
  const tooLarge = () =>
    new RegistryError('Unsound', host, `${host} answers with more than the ${limitBytes} bytes that are accepted`)
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limitBytes) {
      response.body.destroy()
      throw tooLarge()
    }
    chunks.push(chunk)
  }
  const body = Buffer.concat(chunks)
  const encoding = String(response.headers['content-encoding'] ?? 'identity').toLowerCase()
  if (encoding === 'identity' || body.length === 0) return body
  if (encoding !== 'gzip') throw new RegistryError('Unsound', host, `${host} answers in the encoding ${encoding}`)
  try {
    return gunzipSync(body, { maxOutputLength: limitBytes })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge()
    throw new RegistryError('Unsound', host, `${host} answers with broken gzip`, { cause: error })
  }
}

function unreachable(host: string, why: unknown): string {
  if (typeof why === 'number') return `${host} did not answer within ${why / 1000} s`
  const inner = why instanceof AggregateError ? why.errors[0] : why
  const { code, message } = inner as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return `Nothing listens at ${host}`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `The name ${host} cannot be resolved`
  return `No connection to ${host}: ${message}`
}
