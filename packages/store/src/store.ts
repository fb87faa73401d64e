import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type pg from 'pg'
import { type Connection, openConnection, openPool, poolDb } from './connection.ts'
import type { Db } from './db.ts'
import { EmbeddedServer, type StoreProgress } from './embedded-server.ts'
import { isUnavailable, StoreError, sqlState, unavailable } from './errors.ts'
import { type Listener, Notifications, notify } from './listen.ts'
import { type Log, silentLog } from './log.ts'
import { ensureServerRole, type ServerRole } from './server-role.ts'

export interface StoreOptions {
  /** The platform's own folder; the embedded server lives in its `store`. Not used with `databaseUrl`. */
  stateFolder: string
  /** postgres://…: an institution's own server instead of the embedded one. Not a pooler in transaction mode. */
  databaseUrl?: string | undefined
  logger?: Log | undefined
  onProgress?: ((progress: StoreProgress) => void) | undefined
  /** Sessions of the pool at most; 10 when absent. */
  poolSize?: number | undefined
  /** For tests: settings of the embedded server that give durability away for speed. */
  serverSettings?: Record<string, string> | undefined
  /**
   * The sessions act as a role that owns nothing and only appends to what is append-only; `prepare` alone acts as the
   * owner. For servers. Absent: all act as the owner, as tools and tests need it.
   */
  asServer?: boolean | undefined
  /** Close leaves the embedded server running, to be adopted by the next opener. */
  keepServer?: boolean | undefined
}

/** How the store is just now. */
export interface StoreHealth {
  ok: boolean
  kind: Store['kind']
  /** Of one small query; only when ok. */
  latencyMs?: number
  /** Only when not ok. */
  reason?: string
  cure?: string
}

/** The open store. */
export interface Store {
  readonly db: Db
  readonly kind: 'embedded' | 'external'
  /** Calls `fn` with each payload until the returned function is called; survives lost connections. */
  listen(channel: string, fn: Listener): () => void
  /** Sends when `tx` commits, never when it does not. At most 7,999 bytes. */
  notify(tx: Db, channel: string, payload: string): Promise<void>
  /** A session of one's own beside the pool, for session-level locks. The caller closes it. */
  connect(): Promise<Connection>
  /** Never throws; answers within about five seconds. */
  health(): Promise<StoreHealth>
  /** Sessions of the pool: open, of these idle, and requests that wait for one. */
  poolStats(): { total: number; idle: number; waiting: number }
  /** With StoreOptions.asServer: the role that the sessions act as, or why they act as the owner. */
  serverRole(): ServerRole | undefined
  /** Process id of the embedded server. */
  serverPid(): number | undefined
  /** postgres://… of this database, for a second opener that is no server of its own. Holds the owner's password. */
  readonly url: string
  /** Ends all sessions, and the embedded server. Safe to repeat. */
  close(): Promise<void>
}

/** A store that can be handed out before it is open. */
export interface LateStore {
  /** Until `open` has resolved, queries throw the problem store-unavailable, and connect and listen wait. */
  readonly store: Store
  /**
   * Opens: the server, the pool, then `prepare` (migrations), then everybody else. Throws StoreError, or what `prepare`
   * threw; may be called again then.
   */
  open(prepare?: (store: Pick<Store, 'connect'>) => Promise<unknown>): Promise<void>
}

/**
 * Opens the store: the embedded PostgreSQL of `stateFolder` (made, started or adopted), or the server of `databaseUrl`.
 * Resolves when queries are answered. Throws StoreError with reason and cure.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { store, open } = lateStore(options)
  await open()
  return store
}

interface Opened {
  pool: pg.Pool
  /** Of the sessions. */
  address: pg.ClientConfig
  /** Of those that change the schema. */
  ownerAddress: pg.ClientConfig
  role: ServerRole | undefined
  server: EmbeddedServer | undefined
}

/** A store to be opened later, so that the page is served before the database runs. */
export function lateStore(options: StoreOptions): LateStore {
  const log = options.logger ?? silentLog
  const state: State = {
    opened: undefined,
    ready: Promise.withResolvers<Opened>(),
    kind: options.databaseUrl ? 'external' : 'embedded',
  }
  state.ready.promise.catch(() => {})
  async function open(prepare?: (store: Pick<Store, 'connect'>) => Promise<unknown>) {
    const server = options.databaseUrl
      ? undefined
      : await EmbeddedServer.open({
          folder: join(options.stateFolder, 'store'),
          log,
          onProgress: options.onProgress,
          settings: options.serverSettings,
        })
    let pool: pg.Pool | undefined
    let owner: Connection | undefined
    try {
      const ownerAddress = server
        ? { ...server.address, database: 'quarterdeck' }
        : externalAddress(options.databaseUrl ?? '')
      options.onProgress?.({ stage: 'connect', message: 'Connecting to the database' })
      if (server) await createDatabase(server)
      owner = await firstAnswer(ownerAddress, server !== undefined)
      await prepare?.({ connect: () => openConnection(ownerAddress) })
      const { address, role } = options.asServer
        ? await ensureServerRole(owner, ownerAddress)
        : { address: ownerAddress, role: undefined }
      if (role && 'reason' in role) log.warn({ ...role }, 'the audit trail is append-only by its triggers alone')
      pool = openPool(address, options.poolSize ?? 10, log)
      await owner.close()
      state.opened = { pool, address, ownerAddress, role, server }
      state.ready.resolve(state.opened)
    } catch (error) {
      await owner?.close()
      await pool?.end()
      await server?.close()
      throw error
    }
  }
  return { store: assemble(state, log, options.keepServer ?? false), open }
}

interface State {
  opened: Opened | undefined
  readonly ready: PromiseWithResolvers<Opened>
  readonly kind: Store['kind']
}

function assemble(state: State, log: Log, keep: boolean): Store {
  const current = () => {
    if (state.opened) return state.opened
    throw unavailable(undefined, 'The database is being started')
  }
  const connect = async () => openConnection((await state.ready.promise).address)
  const db = poolDb(() => current().pool)
  const notifications = new Notifications(connect, log)
  let closing: Promise<void> | undefined
  async function close() {
    state.ready.reject(new Error('The store is closed'))
    await notifications.close()
    // A query that hangs must not keep the platform from stopping.
    await Promise.race([state.opened?.pool.end(), sleep(5_000, undefined, { ref: false })])
    await state.opened?.server?.close({ keep })
  }
  return {
    db,
    kind: state.kind,
    get url() {
      const { ownerAddress } = current()
      return ownerAddress.connectionString ?? urlOf(ownerAddress)
    },
    listen: (channel, fn) => notifications.listen(channel, fn),
    notify,
    connect,
    health: () => health(db, state),
    poolStats: () => {
      const pool = state.opened?.pool
      return { total: pool?.totalCount ?? 0, idle: pool?.idleCount ?? 0, waiting: pool?.waitingCount ?? 0 }
    },
    serverRole: () => state.opened?.role,
    serverPid: () => state.opened?.server?.pid,
    close: () => (closing ??= close()),
  }
}

async function health(db: Db, { kind, opened }: State): Promise<StoreHealth> {
  const begin = performance.now()
  try {
    await sql`select 1`.execute(db)
    return { ok: true, kind, latencyMs: performance.now() - begin }
  } catch (error) {
    const failure = opened?.server?.failure
    if (failure) return { ok: false, kind, reason: failure.message, cure: failure.cure }
    const { message, cause } = error as Error
    return {
      ok: false,
      kind,
      reason: cause instanceof Error ? cause.message : message,
      cure: 'It is tried again by itself',
    }
  }
}

async function createDatabase(server: EmbeddedServer): Promise<void> {
  const admin = await openConnection({ ...server.address, database: 'postgres' })
  try {
    const [found] = await admin.query("select 1 from pg_database where datname = 'quarterdeck'")
    if (!found) await admin.query('create database quarterdeck')
  } finally {
    await admin.close()
  }
}

function externalAddress(databaseUrl: string): pg.ClientConfig {
  const url = URL.canParse(databaseUrl) ? new URL(databaseUrl) : undefined
  if (url?.protocol !== 'postgres:' && url?.protocol !== 'postgresql:') {
    throw new StoreError(
      'bad-url',
      'DATABASE_URL is not the address of a PostgreSQL database',
      'Write it as postgres://user:password@host:5432/database',
    )
  }
  return { connectionString: databaseUrl }
}

/** The first session, tried for ten seconds: a server that is just starting refuses for a moment. */
async function firstAnswer(address: pg.ClientConfig, embedded: boolean): Promise<Connection> {
  for (const end = Date.now() + 10_000; ; await sleep(100)) {
    try {
      return await openConnection(address)
    } catch (error) {
      // 28: wrong user or password · 3D: no such database; waiting helps neither.
      const final = /^(28|3D)/.test(sqlState(error) ?? '')
      if (!final && isUnavailable(error) && Date.now() < end) continue
      const cure = embedded
        ? 'Look at postgres.log in the store folder'
        : sqlState(error)?.startsWith('28')
          ? 'Check the user and the password in DATABASE_URL'
          : 'Check that DATABASE_URL names the right host, port and database and that the server runs'
      throw new StoreError('failed', `The database does not answer: ${(error as Error).message}`, cure, {
        cause: error,
      })
    }
  }
}

function urlOf({ host = '', port, user, password, database }: pg.ClientConfig): string {
  const credentials = `${encodeURIComponent(user ?? '')}:${encodeURIComponent(String(password))}`
  return `postgres://${credentials}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`
}
