import { type TestDatabase, testDatabase } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sqlState } from './errors.ts'
import { lateStore, openStore, type Store } from './store.ts'

let database: TestDatabase
let store: Store
const opened: Store[] = []

/** As a server opens it. */
async function asServer(databaseUrl = database.url): Promise<Store> {
  const late = lateStore({ stateFolder: '', databaseUrl, asServer: true, poolSize: 2 })
  await late.open()
  opened.push(late.store)
  return late.store
}

beforeAll(async () => {
  database = await testDatabase()
  store = await asServer()
  await sql`insert into audit_event (actor, act, what, outcome, detail) values ('ann', 'a.b', 'x', 'succeeded', '')`.execute(
    store.db,
  )
  await sql`insert into audit_seal values (1, 'x', now(), 'x')`.execute(store.db)
})
afterAll(async () => {
  for (const one of opened) await one.close()
  await database?.close()
})

const role = async (of: Store) =>
  (
    await sql<{ role: string; owner: boolean }>`
    select current_user as role, pg_has_role(relowner, 'member') as owner from pg_class where relname = 'audit_event'`.execute(
      of.db,
    )
  ).rows[0]

const DENIED = '42501'
test.each([
  `update audit_event set actor = 'nobody'`,
  `update audit_seal set hash = 'y'`,
  `delete from audit_event`,
  `delete from audit_seal`,
  `truncate audit_event`,
  `truncate audit_seal, audit_event cascade`,
  `drop table audit_event`,
  `drop trigger audit_event_append_only on audit_event`,
  `alter table audit_event disable trigger all`,
  `alter table audit_event rename to other`,
  `alter table audit_event add column more text`,
  `create or replace rule quiet as on insert to audit_event do instead nothing`,
  `create trigger mine before insert on audit_event for each row execute function refuse_change()`,
  `create or replace function refuse_change() returns trigger language plpgsql as 'begin return null; end'`,
  `create or replace function chain_audit_event() returns trigger language plpgsql as 'begin return null; end'`,
  `create or replace function public.hashtextextended(text, int) returns bigint language sql as 'select 1::bigint'`,
  `drop function chain_audit_event() cascade`,
  `grant quarterdeck to current_user`,
  `do $$ begin lock table audit_event in access exclusive mode; end $$`,
  `set session_replication_role = replica`,
  `set role quarterdeck`,
  `set session authorization quarterdeck`,
  `alter role current_user superuser`,
  `create role another login`,
  `copy audit_event to program 'cat'`,
  `create schema mine`,
  `update quarterdeck_migration set checksum = ''`,
])('[TEN-16] whoever speaks to the database as the server cannot: %s', async (text) => {
  const failure = await sql
    .raw(text)
    .execute(store.db)
    .catch((error: unknown) => error)
  expect(sqlState(failure)).toBe(DENIED)
})

test('[TEN-16] leaving the role leads nowhere else', async () => {
  for (const text of ['reset role', 'set role none', 'reset session authorization', 'discard all']) {
    await sql.raw(text).execute(store.db)
    expect(await role(store)).toEqual({ role: expect.stringMatching(/_server$/), owner: false })
  }
})

test('[TEN-16] a table of their own by the same name does not stand in for the trail', async () => {
  const { numbers } = await store.db.connection().execute(async (session) => {
    await sql`create temporary table audit_event (sequence bigint, hash text)`.execute(session)
    await sql`insert into pg_temp.audit_event values (40, 'forged')`.execute(session)
    await sql`insert into public.audit_event (sequence, time, format, hash, actor, act, what, outcome, detail)
      values (41, '2020-01-01', 1, 'forged', 'eve', 'a.b', 'x', 'succeeded', '')`.execute(session)
    const { rows } = await sql<{ sequence: number }>`select sequence from public.audit_event
      where sequence > 1 and format = 3 and time > now() - interval '1 minute' and hash <> 'forged'`.execute(session)
    return { numbers: rows.map(({ sequence }) => sequence) }
  })
  expect(numbers).toEqual([2])
})

test('[TEN-16] it appends and reads, and uses every other table as before; locks and listeners act as it, too', async () => {
  await sql`insert into tenant (name) values ('retail')`.execute(store.db)
  await sql`update tenant set name = 'stores' where name = 'retail'`.execute(store.db)
  await sql`delete from tenant where name = 'stores'`.execute(store.db)
  const session = await store.connect()
  expect(await session.query('select current_user = $1 as same', [(await role(store))?.role])).toEqual([{ same: true }])
  await session.close()
  expect(store.serverRole()).toEqual({ name: (await role(store))?.role })
})

test('a second server has the same role, with what was added meanwhile; what became append-only is taken away', async () => {
  await sql`create table later (name text)`.execute(database.db)
  const second = await asServer()
  expect(await role(second)).toEqual(await role(store))
  await sql`update later set name = ''`.execute(store.db)
  await sql`create trigger later_append_only before update or delete or truncate on later
    for each statement execute function refuse_change()`.execute(database.db)
  await asServer()
  const failure = await sql`update later set name = ''`.execute(store.db).catch((error: unknown) => error)
  expect(sqlState(failure)).toBe(DENIED)
})

test('where the owner may not make roles, the server says so and goes on', async () => {
  const name = `plain_${process.pid}`
  await sql.raw(`create role ${name} login password 'sixteen letters'`).execute(database.db)
  const address = new URL(database.url)
  const target = `${address.pathname.slice(1)}_plain`
  const admin = await openStore({ stateFolder: '', databaseUrl: database.url, poolSize: 1 })
  await sql.raw(`create database ${target} owner ${name}`).execute(admin.db)
  Object.assign(address, { username: name, password: 'sixteen letters', pathname: `/${target}` })
  const plain = await asServer(address.href)
  expect(plain.serverRole()).toEqual({
    reason: expect.stringContaining('permission denied'),
    cure: expect.stringContaining(`ALTER ROLE "${name}" CREATEROLE`),
  })
  expect((await plain.health()).ok).toBe(true)
  await plain.close()
  await sql.raw(`alter role ${name} createrole`).execute(admin.db)
  const able = await asServer(address.href)
  expect(able.serverRole()).toEqual({ name: `${target}_server` })
  await able.close()
  await sql.raw(`drop database ${target} with (force)`).execute(admin.db)
  await admin.close()
})

test('a role of that name that is not ours is left alone', async () => {
  const target = `foreign_${process.pid}`
  await sql.raw(`create role ${target}_server superuser login password 'theirs'`).execute(database.db)
  await sql.raw(`create database ${target}`).execute(database.db)
  const address = new URL(database.url)
  address.pathname = `/${target}`
  const other = await asServer(address.href)
  expect(other.serverRole()).toMatchObject({ reason: `There is a role ${target}_server that Quarterdeck has not made` })
  await other.close()
  await sql.raw(`drop database ${target} with (force)`).execute(database.db)
})
