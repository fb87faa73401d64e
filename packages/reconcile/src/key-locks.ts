import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection, Log, Store } from '@quarterdeck/store'

/**
 * PostgreSQL advisory locks of many keys on one session. When the session goes, so do all its locks: `signal` aborts,
 * and other replicas may take the keys at once.
 */
export class KeyLocks {
  readonly #store: Pick<Store, 'connect'>
  readonly #log: Log
  readonly #onReady: () => void
  #session: { connection: Connection; gone: AbortController } | undefined
  #closed = false

  /** `onReady` is called each time there is a session to lock with. */
  constructor(store: Pick<Store, 'connect'>, log: Log, onReady: () => void) {
    this.#store = store
    this.#log = log
    this.#onReady = onReady
    void this.#run()
  }

  /** False while there is no session; then nothing can be locked. */
  get ready(): boolean {
    return this.#session !== undefined
  }

  /** Undefined when another process holds the key. Throws when the session is lost. */
  async tryLock(id: string): Promise<{ signal: AbortSignal; unlock(): Promise<void> } | undefined> {
    const session = this.#session
    if (!session) throw new Error('There is no session to lock with')
    const number = lockNumber(id)
    const [row] = await session.connection.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [
      number,
    ])
    if (!row?.locked) return undefined
    return {
      signal: session.gone.signal,
      async unlock() {
        if (session.gone.signal.aborted) return
        await session.connection
          .query('select pg_advisory_unlock($1)', [number])
          .catch(() => session.connection.close())
      },
    }
  }

  /** Gives all keys up. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#session?.connection.close()
  }

  async #run(): Promise<void> {
    for (let pauseMs = 20; !this.#closed; pauseMs = Math.min(pauseMs * 2, 2_000)) {
      try {
        const connection = await this.#store.connect()
        const gone = new AbortController()
        this.#session = { connection, gone }
        if (this.#closed) await connection.close()
        else this.#onReady()
        await connection.ended
        this.#session = undefined
        gone.abort(new Error('The session that holds the locks was lost'))
        pauseMs = 20
      } catch (error) {
        if (!this.#closed)
          this.#log.warn({ error: (error as Error).message }, 'no session for the locks of reconcilers')
      }
      if (!this.#closed) await sleep(pauseMs, undefined, { ref: false })
    }
  }
}

/** A 64-bit number for a lock. Two keys with one number would merely wait for each other. */
export const lockNumber = (id: string): string => createHash('sha256').update(id).digest().readBigInt64BE().toString()
