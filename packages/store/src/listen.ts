import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Connection } from './connection.ts'
import type { Db } from './db.ts'
import type { Log } from './log.ts'

/** Called with each payload. `undefined`: notifications may have been missed, look everywhere. */
export type Listener = (payload: string | undefined) => void

/** Sends when `tx` commits, never when it does not. At most 7,999 bytes. */
export async function notify(tx: Db, channel: string, payload: string): Promise<void> {
  await sql`select pg_notify(${channel}, ${payload})`.execute(tx)
}

/**
 * Shares one session among all who listen, and opens it again when it is lost. Missed notifications are not replayed;
 * the listeners are told that there may be some.
 */
export class Notifications {
  readonly #open: () => Promise<Connection>
  readonly #log: Log
  readonly #channels = new Map<string, Set<Listener>>()
  #connection: Connection | undefined
  #running: Promise<void> | undefined
  #closed = false

  constructor(open: () => Promise<Connection>, log: Log) {
    this.#open = open
    this.#log = log
  }

  /** Listens until the returned function is called. The first call of `fn` says that the listening has begun. */
  listen(channel: string, fn: Listener): () => void {
    const listeners = this.#channels.get(channel) ?? new Set()
    listeners.add(fn)
    if (listeners.size === 1) this.#channels.set(channel, listeners)
    this.#running ??= this.#run()
    const connection = this.#connection
    if (connection)
      this.#subscribe(connection, channel).then(
        () => listeners.has(fn) && fn(undefined),
        () => {},
      )
    return () => {
      listeners.delete(fn)
      if (listeners.size > 0 || this.#channels.get(channel) !== listeners) return
      this.#channels.delete(channel)
      this.#connection?.query(`unlisten "${channel}"`).catch(() => {})
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#connection?.close()
  }

  async #subscribe(connection: Connection, channel: string): Promise<void> {
    if (!/^[a-z_]+$/.test(channel)) throw new Error(`Not a channel name: ${channel}`)
    await connection.query(`listen "${channel}"`)
  }

  async #run(): Promise<void> {
    for (let pauseMs = 20; !this.#closed; pauseMs = Math.min(pauseMs * 2, 2_000)) {
      let connection: Connection | undefined
      try {
        connection = await this.#open()
        connection.onNotification((channel, payload) => this.#deliver(channel, payload))
        for (const channel of this.#channels.keys()) await this.#subscribe(connection, channel)
        this.#connection = connection
        if (this.#closed) await connection.close()
        for (const channel of this.#channels.keys()) this.#deliver(channel, undefined)
        pauseMs = 20
        await connection.ended
      } catch (error) {
        await connection?.close()
        if (!this.#closed) this.#log.warn({ error: (error as Error).message }, 'the store cannot be listened to')
      }
      this.#connection = undefined
      if (!this.#closed) await sleep(pauseMs, undefined, { ref: false })
    }
  }

  #deliver(channel: string, payload: string | undefined): void {
    for (const fn of this.#channels.get(channel) ?? []) fn(payload)
  }
}
