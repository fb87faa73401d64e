import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { sql } from 'kysely'
import type { Db } from './db.ts'
import { StoreError } from './errors.ts'
import type { Store } from './store.ts'

/** One step of the schema. It runs once, in a transaction of its own, and is never edited after a release. */
export interface Migration {
  up(db: Db): Promise<void>
}

/** A migration's file, found but not yet loaded. */
export interface MigrationFile {
  /** Without the ending: `20261121T0900_create_domain`. Names give the order. */
  name: string
  /** Of the file's text; tells in the record which text ran. */
  checksum: string
  load(): Promise<Migration>
}

/** Whether a name has the form `<YYYYMMDDTHHMM>_<what>`. */
const wellNamed = /^\d{8}T\d{4}_[a-z0-9_]+$/

/**
 * All `migrations/*.ts` of a folder of features, of one area or of one noun, in order. Throws when two have one name, or a
 * name has no time.
 */
export function findMigrations(folder: string): MigrationFile[] {
  const found = nounsOf(folder)
    .map((noun) => join(noun, 'migrations'))
    .filter((migrations) => existsSync(migrations))
    .flatMap((migrations) => readdirSync(migrations).map((file) => join(migrations, file)))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map(migrationFile)
  found.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const [index, { name }] of found.entries()) {
    if (!wellNamed.test(name)) throw new Error(`A migration is called <YYYYMMDDTHHMM>_<what>.ts, not ${name}.ts`)
    if (found[index - 1]?.name === name) throw new Error(`Two migrations are called ${name}`)
  }
  return found
}

/** Not globSync, whose patterns alone cost 15 ms of a start. */
function nounsOf(folder: string): string[] {
  const areas = foldersIn(folder)
  return [folder, ...areas, ...areas.flatMap(foldersIn)]
}

const foldersIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map(({ name }) => join(folder, name))

function migrationFile(path: string): MigrationFile {
  const name = basename(path, '.ts')
  return {
    name,
    checksum: createHash('sha256').update(readFileSync(path)).digest('hex'),
    async load() {
      const found = Object.values(await import(pathToFileURL(path).href)).filter(isMigration)
      const [migration, ...more] = found
      if (!migration || more.length > 0) throw new Error(`${path} must export exactly one migration`)
      return migration
    },
  }
}

const isMigration = (value: unknown): value is Migration =>
  typeof value === 'object' && value !== null && typeof (value as { up?: unknown }).up === 'function'

const table = (db: Db) =>
  db.withTables<{ quarterdeck_migration: { name: string; checksum: string; applied: string } }>()

// Any constant that nothing else in this database locks.
const lockKey = 7_070_001

/**
 * Brings the schema up to the code, one transaction a migration; several processes may try at once, one does it. What
 * was interrupted goes on at the next call. Throws StoreError `newer-database` when the database has migrations that
 * the code does not know. Returns the names it ran.
 */
export async function migrate(
  store: Pick<Store, 'connect'>,
  files: readonly MigrationFile[],
  onProgress?: (done: number, total: number, name: string) => void,
): Promise<string[]> {
  const connection = await store.connect()
  try {
    await connection.query('select pg_advisory_lock($1)', [lockKey])
    await connection.query(
      'create table if not exists quarterdeck_migration (name text primary key, checksum text not null, applied timestamptz not null default now())',
    )
    const pending = await findPending(connection.db, files)
    for (const [index, file] of pending.entries()) {
      onProgress?.(index, pending.length, file.name)
      await run(connection.db, file)
    }
    return pending.map(({ name }) => name)
  } finally {
    await connection.close()
  }
}

async function findPending(db: Db, files: readonly MigrationFile[]): Promise<MigrationFile[]> {
  const rows = await table(db).selectFrom('quarterdeck_migration').select('name').execute()
  const known = new Set(files.map(({ name }) => name))
  const unknown = rows.map(({ name }) => name).filter((name) => !known.has(name))
  if (unknown.length > 0) {
    throw new StoreError(
      'newer-database',
      `The database is newer than this Quarterdeck: it has ${unknown.sort().join(', ')}`,
      'Start the newer Quarterdeck again, or restore a backup from before it',
    )
  }
  const done = new Set(rows.map(({ name }) => name))
  return files.filter(({ name }) => !done.has(name)).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

async function run(db: Db, file: MigrationFile): Promise<void> {
  const migration = await file.load()
  await db.transaction().execute(async (tx) => {
    await sql`set local statement_timeout = 0`.execute(tx)
    await migration.up(tx)
    await table(tx)
      .insertInto('quarterdeck_migration')
      .values({ name: file.name, checksum: file.checksum, applied: sql<string>`now()` })
      .execute()
  })
}
