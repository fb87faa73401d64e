import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestDatabase, testDatabase } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Db } from './db.ts'
import { findMigrations, type MigrationFile, migrate } from './migrations.ts'
import { schemaDump } from './schema-dump.ts'

let database: TestDatabase
let folder: string
beforeEach(async () => {
  database = await testDatabase({ migrations: [] })
  folder = mkdtempSync(join(tmpdir(), 'quarterdeck-migrations-'))
})
afterEach(async () => {
  await database.close()
  rmSync(folder, { recursive: true, force: true })
})

const step = (name: string, up: (db: Db) => Promise<unknown>): MigrationFile => ({
  name,
  checksum: '',
  load: async () => ({ up: async (db) => void (await up(db)) }),
})
const create = (name: string) =>
  step(`20261121T0900_${name}`, (db) => sql`create table ${sql.table(name)} (n int)`.execute(db))
const tables = async () => {
  const { rows } = await sql<{
    name: string
  }>`select tablename as name from pg_tables where schemaname = 'public' order by 1`.execute(database.db)
  return rows.map(({ name }) => name).filter((name) => name !== 'quarterdeck_migration')
}

test('migrations run once, in the order of their names', async () => {
  expect(await migrate(database.store, [create('b'), create('a')])).toEqual(['20261121T0900_a', '20261121T0900_b'])
  expect(await migrate(database.store, [create('b'), create('a'), create('c')])).toEqual(['20261121T0900_c'])
  expect(await tables()).toEqual(['a', 'b', 'c'])
})

test('processes that start together run each migration once', async () => {
  const runs = await Promise.all([1, 2, 3].map(() => migrate(database.store, [create('a'), create('b')])))
  expect(runs.map((names) => names.length).sort()).toEqual([0, 0, 2])
})

test('[F24] a migration that fails at any of its statements leaves nothing of itself, and the next start carries on', async () => {
  const statements = ['create table one (n int)', 'create table two (n int)', 'alter table one add column m int']
  for (let failing = 0; failing < statements.length; failing++) {
    const broken = step('20261121T0901_many', async (db) => {
      for (const [index, text] of statements.entries()) {
        if (index === failing) throw new Error('interrupted')
        await sql.raw(text).execute(db)
      }
    })
    await expect(migrate(database.store, [create('a'), broken])).rejects.toThrow('interrupted')
    expect(await tables()).toEqual(['a'])
  }
  const whole = step('20261121T0901_many', async (db) => {
    for (const text of statements) await sql.raw(text).execute(db)
  })
  expect(await migrate(database.store, [create('a'), whole])).toEqual(['20261121T0901_many'])
  expect(await tables()).toEqual(['a', 'one', 'two'])
})

test('[F24] a process killed in the middle of a migration leaves nothing of it, and the next start carries on', async () => {
  const program = `
    const { openStore, migrate } = await import(${JSON.stringify(join(import.meta.dirname, 'index.ts'))})
    const { sql } = await import('kysely')
    const store = await openStore({ stateFolder: '', databaseUrl: ${JSON.stringify(database.url)} })
    const up = async (db) => {
      await sql.raw('create table half (n int)').execute(db)
      console.log('half')
      await sql.raw('select pg_sleep(600)').execute(db)
    }
    await migrate(store, [{ name: '20261121T0901_half', checksum: '', load: async () => ({ up }) }])`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: import.meta.dirname,
  })
  if (child.stdout) await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  // The server notices a dead client only when it next speaks to it; ask it to look.
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like '%pg_sleep(600)%' and pid <> pg_backend_pid()`.execute(
    database.db,
  )
  const half = step('20261121T0901_half', (db) => sql`create table half (n int)`.execute(db))
  expect(await migrate(database.store, [half])).toEqual(['20261121T0901_half'])
  expect(await tables()).toEqual(['half'])
})

test('a database that is newer than the code is refused by name', async () => {
  await migrate(database.store, [create('a'), create('z')])
  await expect(migrate(database.store, [create('a')])).rejects.toMatchObject({
    reason: 'newer-database',
    message: expect.stringContaining('20261121T0900_z'),
  })
})

test('migrations are found by path, and one without a time in its name is refused', async () => {
  const where = join(folder, 'traffic', 'domain', 'migrations')
  mkdirSync(where, { recursive: true })
  const text = 'export const createDomain = { async up() {} }\n'
  writeFileSync(join(where, '20261121T0900_create_domain.ts'), text)
  const [found] = findMigrations(folder)
  expect(found?.name).toBe('20261121T0900_create_domain')
  expect(await found?.load()).toHaveProperty('up')
  writeFileSync(join(where, 'create_domain.ts'), text)
  expect(() => findMigrations(folder)).toThrow('<YYYYMMDDTHHMM>_<what>.ts')
})

test('the dump of a schema says its tables, columns, constraints, indexes and triggers, the same every time', async () => {
  await sql`create table part (id int generated always as identity primary key, name text not null default 'x' unique, doc jsonb)`.execute(
    database.db,
  )
  await sql`create index part_doc on part using gin (doc)`.execute(database.db)
  const dump = await schemaDump(database.db)
  expect(dump).toBe(`create table "part" (
  id integer generated always as identity not null,
  name text default 'x'::text not null,
  doc jsonb,
  constraint part_name_key UNIQUE (name),
  constraint part_pkey PRIMARY KEY (id)
);
CREATE INDEX part_doc ON public.part USING gin (doc);
`)
  expect(await schemaDump(database.db)).toBe(dump)
})
