import { Kysely, PostgresDialect, type PostgresPoolClient } from 'kysely'
import pg from 'pg'
import { sender } from './at-commit.ts'
import type { Db } from './db.ts'
import { isConnectionFailure, isRetriable, isUnavailable, unavailable } from './errors.ts'
import type { Log } from './log.ts'

/** A session of one's own beside the pool: for locks, LISTEN and migrations. */
export interface Connection {
  /** Rows of one statement; parameters are $1, $2, … */
  query<Row extends object = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>
  /** Kysely over this one session. */
  readonly db: Db
  /** Resolves when the session has ended, by whatever cause. */
  readonly ended: Promise<void>
  /** Called for each notification of a channel this session listens to. */
  onNotification(listener: (channel: string, payload: string) => void): void
  /** Ends the session, and with it its locks. Safe to repeat. */
  close(): Promise<void>
}

const { builtins } = pg.types
const instant = (text: string) => new Date(text).toISOString()
const parsers: Record<number, (text: string) => unknown> = {
  [builtins.INT8]: Number,
  [builtins.TIMESTAMPTZ]: instant,
  [builtins.DATE]: (text) => text,
}
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    (format !== 'binary' && parsers[oid]) ||
    pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
}

/** The options common to every session. */
export function sessionOptions(address: pg.ClientConfig): pg.ClientConfig {
  return { ...address, types, application_name: 'quarterdeck', keepAlive: true, connectionTimeoutMillis: 5_000 }
}

/** Statements end after this long, so that a hung server gives 503 within five seconds (reliability.md P-4). */
const statementMs = 4_500

export function openPool(address: pg.ClientConfig, max: number, log: Log): pg.Pool {
  const pool = new pg.Pool({
    ...sessionOptions(address),
    max,
    pipeline: true,
    idleTimeoutMillis: 60_000,
    statement_timeout: statementMs,
    query_timeout: statementMs + 500,
  })
  pool.on('error', (error) => log.warn({ error: error.message }, 'an idle database session was lost'))
  // From its first moment: a session can be told its end in the same packet in which it is told that it is ready, before
  // anybody who asked for it has run (seen 2026-11-21: the error was nobody's, and ended the process).
  pool.on('connect', (client) => {
    client.on('error', (error) => lost.set(client, error))
  })
  return pool
}

/** Why a pool's session has ended. */
const lost = new WeakMap<pg.PoolClient, Error>()

/**
 * Kysely over a pool that `current` gives, or throws while there is none. A session that failed or timed out is never
 * given back. What says that the store cannot answer comes out as the problem store-unavailable.
 */
export function poolDb(current: () => pg.Pool): Db {
  const pool = {
    options: {},
    connect: () => checkOut(current()),
    end: async () => {},
  }
  return new Kysely<Record<never, never>>({ dialect: new PostgresDialect({ pool }) })
}

async function checkOut(pool: pg.Pool): Promise<PostgresPoolClient> {
  const client = await pool.connect().catch((error: unknown) => {
    throw unavailable(error)
  })
  const send = sender(client)
  const session = {
    async query(sql: string, parameters: unknown[]) {
      const broken = lost.get(client)
      if (broken) throw unavailable(broken)
      try {
        return await send(sql, parameters)
      } catch (error) {
        if (isConnectionFailure(error)) lost.set(client, error as Error)
        // A serialization failure is for transaction() to see.
        throw isUnavailable(error) && !isRetriable(error) ? unavailable(error) : error
      }
    },
    release(destroy?: boolean) {
      client.release(lost.get(client) ?? destroy)
    },
  }
  return session as unknown as PostgresPoolClient
}

/** Opens one session without time limits on its statements. */
export async function openConnection(address: pg.ClientConfig): Promise<Connection> {
  const client = new pg.Client(sessionOptions(address))
  const ended = new Promise<void>((resolve) => {
    client.once('end', resolve)
    client.on('error', () => resolve())
  })
  await client.connect()
  // One statement at a time, in the order of the calls: several keys share a session of locks.
  let last: Promise<unknown> = Promise.resolve()
  const query = (sql: string, parameters: unknown[]): Promise<pg.QueryResult> => {
    const result = last.then(() => client.query(sql, parameters))
    last = result.catch(() => {})
    return result
  }
  const session = { query, release() {} } as unknown as PostgresPoolClient
  const single = { options: {}, connect: async () => session, end: async () => {} }
  return {
    query: async (sql, parameters = []) => (await query(sql, [...parameters])).rows,
    db: new Kysely<Record<never, never>>({ dialect: new PostgresDialect({ pool: single }) }),
    ended,
    onNotification: (listener) =>
      void client.on('notification', ({ channel, payload }) => listener(channel, payload ?? '')),
    close: () => client.end().catch(() => {}),
  }
}
