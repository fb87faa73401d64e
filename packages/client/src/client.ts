import { type AnyEndpoint, invalidInput, type Output, Problem, type ProblemBody } from '@quarterdeck/kernel'
import type { z } from 'zod'
import { problemOf, unreachable } from './failure.ts'
import { lineValues } from './lines.ts'

/** Query values may be passed as they are meant (true, 3) as well as in the form they travel in ('true', '3'). */
type QueryValues<Q extends z.ZodType> = {
  [K in keyof z.input<Q>]: z.input<Q>[K] | (K extends keyof z.output<Q> ? z.output<Q>[K] : never)
}
/** True where nothing need be passed: nothing declared (zod gives Record<string, never>), or all of it optional. */
type Omissible<T> = unknown extends T
  ? true
  : undefined extends T
    ? true
    : string extends keyof T
      ? true
      : Record<never, never> extends T
        ? true
        : false
type Part<K extends string, T> = Omissible<T> extends true ? { [Key in K]?: T } : { [Key in K]: T }

/** What to pass for an endpoint: the parts that it declares. */
export type Call<E extends AnyEndpoint> = Part<'params', z.input<E['params']>> &
  Part<'query', QueryValues<E['query']>> &
  Part<'body', z.input<E['body']>>

export interface CallOptions {
  /** Header Idempotency-Key. Change endpoints get a random one when absent. */
  idempotencyKey?: string
  signal?: AbortSignal
}

type Arguments<E extends AnyEndpoint> =
  Record<never, never> extends Call<E>
    ? [call?: Call<E>, options?: CallOptions]
    : [call: Call<E>, options?: CallOptions]

export interface ClientOptions {
  /** Origin of the server, `http://127.0.0.1:7070`; empty in the browser for the page's own. */
  baseUrl: string
  fetch?: typeof globalThis.fetch
  /** Sent as Authorization: Bearer. Absent in the browser, which sends its cookie. */
  token?: string
}

/** Calls endpoints as their contracts say. Rejects with Problem; of type server-unreachable when nothing answers. */
export interface Client {
  <E extends AnyEndpoint>(endpoint: E, ...rest: Arguments<E>): Promise<Output<E>>
  /** Items of an endpoint with transport `lines`, as they come. Throws the problem that ends a broken stream. */
  lines<E extends AnyEndpoint>(endpoint: E, ...rest: Arguments<E>): AsyncGenerator<Output<E>, void, undefined>
  /** The text of an endpoint with transport `text`, in pieces as they come. */
  text<E extends AnyEndpoint>(endpoint: E, ...rest: Arguments<E>): AsyncGenerator<string, void, undefined>
  /** ws: or wss: URL of an endpoint with transport `websocket`. */
  socketUrl<E extends AnyEndpoint>(endpoint: E, call: Call<E>): string
  /** Absolute or, with an empty baseUrl, relative URL of an endpoint: for links and `curl`. */
  url<E extends AnyEndpoint>(endpoint: E, call: Call<E>): string
  readonly baseUrl: string
  readonly token: string | undefined
}

const FORM = 'application/x-www-form-urlencoded'
const formOf = (body: unknown): string => new URLSearchParams(body as Record<string, string>).toString()

type AnyCall = { params?: Record<string, unknown>; query?: Record<string, unknown>; body?: unknown }

function pathOf(endpoint: AnyEndpoint, params: Record<string, unknown>): string {
  return endpoint.path.replace(/:(\w+)/g, (_, name: string) => {
    const value = String(params[name] ?? '')
    // Dots alone would be taken as a step in the path, an empty one would reach another endpoint.
    if (value === '' || value === '.' || value === '..') {
      throw invalidInput({
        detail: `${name}: give a name`,
        errors: [{ pointer: `/params/${name}`, detail: 'Give a name' }],
      })
    }
    return encodeURIComponent(value)
  })
}

function queryOf(query: Record<string, unknown>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null) search.append(name, String(one))
    }
  }
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}

/** A client for one server. In the browser `baseUrl` is empty. */
export function createClient({ baseUrl, fetch = globalThis.fetch, token }: ClientOptions): Client {
  const base = baseUrl.replace(/\/+$/, '')
  const urlOf = (endpoint: AnyEndpoint, call: AnyCall) =>
    `${base}/api/v1${pathOf(endpoint, call.params ?? {})}${queryOf(call.query ?? {})}`

  async function send(endpoint: AnyEndpoint, call: AnyCall = {}, options: CallOptions = {}): Promise<Response> {
    const { signal } = options
    const headers: Record<string, string> = { accept: 'application/json, application/jsonl, text/plain' }
    if (token) headers.authorization = `Bearer ${token}`
    if (call.body !== undefined) headers['content-type'] = endpoint.form ? FORM : 'application/json'
    const key = options.idempotencyKey ?? (endpoint.change ? randomKey() : undefined)
    if (key) headers['idempotency-key'] = key
    const url = urlOf(endpoint, call)
    try {
      const response = await fetch(url, {
        method: endpoint.method,
        headers,
        credentials: 'same-origin',
        redirect: 'error',
        ...(signal ? { signal } : {}),
        ...(call.body === undefined ? {} : { body: endpoint.form ? formOf(call.body) : JSON.stringify(call.body) }),
      })
      if (!response.ok) throw await problemOf(response)
      return response
    } catch (error) {
      throw unreachable(error, base, signal)
    }
  }

  async function* text(endpoint: AnyEndpoint, call?: AnyCall, options?: CallOptions) {
    const response = await send(endpoint, call, options)
    if (!response.body) return
    try {
      const decoder = new TextDecoder()
      for await (const piece of pieces(response.body)) yield decoder.decode(piece, { stream: true })
    } catch (error) {
      throw unreachable(error, base, options?.signal)
    }
  }

  async function* lines(endpoint: AnyEndpoint, call?: AnyCall, options?: CallOptions) {
    for await (const value of lineValues(text(endpoint, call, options))) {
      const problem = (value as { $problem?: ProblemBody } | null)?.$problem
      if (problem) throw new Problem(problem)
      yield value
    }
  }

  async function json(endpoint: AnyEndpoint, call?: AnyCall, options?: CallOptions): Promise<unknown> {
    const response = await send(endpoint, call, options)
    if (response.status === 204) return undefined
    try {
      return await response.json()
    } catch (error) {
      if (error instanceof SyntaxError) throw await problemOf(new Response('', { status: 502 }))
      throw unreachable(error, base, options?.signal)
    }
  }

  const socketUrl = (endpoint: AnyEndpoint, call: AnyCall) => {
    const absolute = new URL(urlOf(endpoint, call), (globalThis as { location?: { href: string } }).location?.href)
    absolute.protocol = absolute.protocol === 'https:' ? 'wss:' : 'ws:'
    return absolute.href
  }
  return Object.assign(json, { lines, text, socketUrl, url: urlOf, baseUrl: base, token }) as unknown as Client
}

/** crypto.randomUUID needs a secure context, which a console on plain HTTP in a LAN is not; this does not. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Chunks of a body; cancels it when the consumer stops. Not every browser iterates a ReadableStream itself. */
async function* pieces(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}
