import { setTimeout as sleep } from 'node:timers/promises'
import type { Transport } from '@quarterdeck/kube'
import { Backoff } from '../backoff.ts'
import { pace } from '../pace.ts'
import type { Timings } from '../reader-options.ts'
import { ConnectionLost, type RawAnswer, Refused, textOf } from './answer.ts'
import { type Channel, openChannel } from './channel.ts'

/** A GET request. */
export interface Ask {
  /** Below the server's own path: `/api/v1/nodes`. */
  path: string
  query?: Record<string, string | number | boolean | undefined>
  accept: string
  /** For sentences: list, watch, get. */
  verb: string
  what: string
}

export interface ConnectionEvents {
  /** A connection is there; `first` for the first, later ones may find another server behind the address. */
  onUp(first: boolean): void
  /** A connection could not be made; it is tried again. A sentence. */
  onDown(message: string): void
  /** The server gave a sign of life. */
  onAlive(): void
}

/**
 * The connection to one API server: one over HTTP/2, further ones only when the server's limit of streams is reached.
 * What is asked while there is none waits until there is one again.
 */
export class Connection {
  readonly transport: Transport
  readonly timings: Timings
  readonly #server: URL
  readonly #events: ConnectionEvents
  readonly #closing = new AbortController()
  readonly #channels = new Set<Channel>()
  #connecting: Promise<Channel> | undefined
  #wasUp = false
  #refused = false

  constructor(transport: Transport, timings: Timings, events: ConnectionEvents) {
    this.transport = transport
    this.timings = timings
    this.#server = new URL(transport.server)
    this.#events = events
  }

  /**
   * The beginning of a successful answer. Rejects with Refused, with ConnectionLost when the connection ended before the
   * answer began, and with the signal's reason.
   */
  ask(request: Ask, signal: AbortSignal): Promise<RawAnswer> {
    return pace.awake(() => this.#ask(request, signal))
  }

  async #ask(request: Ask, signal: AbortSignal): Promise<RawAnswer> {
    const answer = await this.#askOnce(request, signal)
    if (answer.status !== 401) return this.#successful(answer, request, signal)
    // Perhaps they were renewed, or a plugin has newer ones.
    answer.body.on('error', () => {}).destroy()
    this.#refused = true
    return this.#successful(await this.#askOnce(request, signal), request, signal)
  }

  /** Whether there is a connection now. */
  get up(): boolean {
    return this.#channels.size > 0
  }

  /** What to throw when an answer was cut off. */
  lost(why: string): ConnectionLost {
    return new ConnectionLost(`Cluster ${this.transport.cluster}: ${why}.`)
  }

  close(): void {
    this.#closing.abort(new ConnectionLost('the cluster is not read any more'))
    for (const channel of this.#channels) channel.close()
    this.#channels.clear()
  }

  async #askOnce({ path, query, accept }: Ask, outer: AbortSignal): Promise<RawAnswer> {
    const { headers } = await this.#credential().catch((error: Error) => {
      throw new ConnectionLost(error.message)
    })
    const channel = await this.#channel(outer)
    const late = AbortSignal.timeout(this.timings.answer)
    const begun = new AbortController()
    const whole = `${this.#server.pathname.replace(/\/$/, '')}${path}${queryText(query)}`
    const pass = () => begun.abort(outer.aborted ? outer.reason : late.reason)
    if (outer.aborted) pass()
    outer.addEventListener('abort', pass, { once: true })
    late.addEventListener('abort', pass, { once: true })
    try {
      return await channel.ask(whole, { ...headers, accept }, begun.signal)
    } catch (error) {
      outer.throwIfAborted()
      const reason = late.aborted ? Object.assign(new Error('no answer'), { code: 'QUIET' }) : error
      throw new ConnectionLost(this.#sentence(reason))
    } finally {
      outer.removeEventListener('abort', pass)
      late.removeEventListener('abort', pass)
    }
  }

  async #successful(answer: RawAnswer, { verb, what }: Ask, signal: AbortSignal): Promise<RawAnswer> {
    if (answer.status === 200) return answer
    const text = await textOf(answer, this.timings.answer, signal).catch((error: Error) => {
      signal.throwIfAborted()
      return error.message
    })
    const body = parsed(text)
    const retryAfter = Number(answer.headers['retry-after'] ?? (body as RetryHint)?.details?.retryAfterSeconds)
    const { message } = this.transport.refusal(answer.status, body, verb, what)
    throw new Refused(message, answer.status, body, Number.isFinite(retryAfter) ? retryAfter : undefined)
  }

  #credential() {
    const refused = this.#refused
    this.#refused = false
    return this.transport.credential({ refused })
  }

  /** One that has room for a request, which is reserved. */
  async #channel(signal: AbortSignal): Promise<Channel> {
    for (;;) {
      signal.throwIfAborted()
      for (const channel of this.#channels) if (channel.reserve()) return channel
      this.#connecting ??= this.#connect().finally(() => {
        this.#connecting = undefined
      })
      await untilAborted(this.#connecting, signal)
    }
  }

  async #connect(): Promise<Channel> {
    const { firstRetry, longestReconnect } = this.timings
    const backoff = new Backoff({ firstRetry, longestRetry: longestReconnect })
    for (;;) {
      this.#closing.signal.throwIfAborted()
      try {
        return await this.#open()
      } catch (error) {
        this.#closing.signal.throwIfAborted()
        if (this.#channels.size === 0) this.#events.onDown(this.#sentence(error))
        await sleep(backoff.next(), undefined, { signal: this.#closing.signal })
      }
    }
  }

  async #open(): Promise<Channel> {
    const { tls } = await this.#credential()
    const events = {
      onAlive: () => this.#events.onAlive(),
      onClosed: () => void this.#channels.delete(channel),
    }
    const channel: Channel = await openChannel(this.#server, tls, this.timings, events)
    if (this.#closing.signal.aborted) channel.close()
    this.#closing.signal.throwIfAborted()
    this.#channels.add(channel)
    if (this.#channels.size === 1) {
      this.#events.onUp(!this.#wasUp)
      this.#wasUp = true
    }
    return channel
  }

  #sentence(error: unknown): string {
    return this.transport.failure(error, this.timings.answer / 1000).message
  }
}

interface RetryHint {
  details?: { retryAfterSeconds?: number }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function queryText(query: Ask['query']): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) parameters.set(name, String(value))
  }
  return parameters.size === 0 ? '' : `?${parameters}`
}

/** The promise, or the signal's reason, whichever comes first. */
function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
