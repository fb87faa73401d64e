import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread } from 'node:worker_threads'
import {
  type Connection,
  findMigrations,
  lockFolder,
  type MigrationFile,
  migrate,
  openStore,
  processIdentity,
  type Store,
  StoreError,
} from '@quarterdeck/store'

/** A database of one's own on the real PostgreSQL of this test run. */
export interface TestDatabase {
  readonly store: Store
  readonly db: Store['db']
  /** postgres://… for a second opener, or for DATABASE_URL of a server under test. */
  readonly url: string
  /** Empties all tables but the record of migrations. */
  reset(): Promise<void>
  /** Ends the sessions and drops the database. */
  close(): Promise<void>
}

const featuresFolder = join(import.meta.dirname, '../../../features')

/**
 * Opens a fresh database with the schema of `migrations` (all features' when absent). The first call of a test run
 * starts one embedded server that all its files share and that ends with the run; a schema is migrated once and then
 * copied. The server keeps nothing over a power cut (fsync is off); tests of durability open a store themselves.
 */
export async function testDatabase(options: { migrations?: readonly MigrationFile[] } = {}): Promise<TestDatabase> {
  const serverUrl = await sharedServer()
  const name = `test_${process.pid}_${randomBytes(6).toString('hex')}`
  const admin = await openStore({ stateFolder: '', databaseUrl: serverUrl, poolSize: 1 })
  try {
    const session = await admin.connect()
    const template = await templateOf(serverUrl, session, options.migrations ?? findMigrations(featuresFolder))
    await session.query(`create database ${name} template ${template}`)
    await session.close()
  } finally {
    await admin.close()
  }
  const url = withDatabase(serverUrl, name)
  const store = await openStore({ stateFolder: '', databaseUrl: url, poolSize: 5 })
  return { store, db: store.db, url, reset: () => truncate(store), close: () => drop(serverUrl, store, name) }
}

async function truncate(store: Store): Promise<void> {
  const session = await store.connect()
  try {
    const tables = await session.query<{ name: string }>(
      "select format('%I', tablename) as name from pg_tables where schemaname = 'public' and tablename <> 'quarterdeck_migration'",
    )
    // An append-only table refuses even this through its triggers; as a replica they do not run.
    await session.query('set session_replication_role = replica')
    if (tables.length > 0) {
      await session.query(`truncate ${tables.map((table) => table.name).join(', ')} restart identity cascade`)
    }
  } finally {
    await session.close()
  }
}

async function drop(serverUrl: string, store: Store, name: string): Promise<void> {
  await store.close()
  const admin = await openStore({ stateFolder: '', databaseUrl: serverUrl, poolSize: 1 })
  const session = await admin.connect()
  await session.query(`drop database if exists ${name} with (force)`)
  await session.close()
  await admin.close()
}

/** The name of the database that has this schema, made when it is missing. One session makes it, others wait. */
async function templateOf(serverUrl: string, session: Connection, files: readonly MigrationFile[]): Promise<string> {
  const text = JSON.stringify(files.map((file) => [file.name, file.checksum]))
  const name = `template_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
  await session.query('select pg_advisory_lock(hashtext($1))', [name])
  const [found] = await session.query('select 1 from pg_database where datname = $1 and datistemplate', [name])
  if (!found) {
    await session.query(`drop database if exists ${name} with (force)`)
    await session.query(`create database ${name}`)
    const store = await openStore({ stateFolder: '', databaseUrl: withDatabase(serverUrl, name), poolSize: 1 })
    await migrate(store, files).finally(() => store.close())
    await session.query(`alter database ${name} is_template true`)
  }
  await session.query('select pg_advisory_unlock(hashtext($1))', [name])
  return name
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

/** The process that the whole test run lives in: Vitest's own, whether it runs files in processes or in threads. */
const runPid = process.env.VITEST_POOL_ID !== undefined && isMainThread ? process.ppid : process.pid
let shared: Promise<string> | undefined

function sharedServer(): Promise<string> {
  shared ??= startShared()
  return shared
}

async function startShared(): Promise<string> {
  const run = createHash('sha256')
    .update(`${runPid} ${processIdentity(runPid)}`)
    .digest('hex')
    .slice(0, 12)
  const folder = join(tmpdir(), `quarterdeck-test-${run}`)
  const urlFile = join(folder, 'url')
  for (;;) {
    if (existsSync(urlFile)) return readFileSync(urlFile, 'utf8')
    try {
      const lock = await lockFolder(folder)
      if (!existsSync(urlFile)) await start(folder, urlFile)
      lock.release()
    } catch (error) {
      if (!(error instanceof StoreError && error.reason === 'in-use')) throw error
      await sleep(50)
    }
  }
}

async function start(folder: string, urlFile: string): Promise<void> {
  const serverSettings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' }
  const store = await openStore({ stateFolder: folder, serverSettings, keepServer: true, poolSize: 1 })
  const script =
    'while kill -0 "$1" 2>/dev/null; do sleep 1; done; kill -INT "$2"; while kill -0 "$2" 2>/dev/null; do sleep 0.1; done; rm -rf "$3"'
  const reaper = spawn('/bin/sh', ['-c', script, 'sh', String(runPid), String(store.serverPid()), folder], {
    detached: true,
    stdio: 'ignore',
    cwd: '/',
  })
  reaper.unref()
  writeFileSync(`${urlFile}.half`, store.url, { mode: 0o600 })
  renameSync(`${urlFile}.half`, urlFile)
  await store.close()
}
