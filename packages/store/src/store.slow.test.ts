import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { isProblem, storeUnavailable } from '@quarterdeck/kernel'
import { type TestDatabase, testDatabase } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { AmbiguousCommitError, isUnavailable, StoreError } from './errors.ts'
import { lateStore, openStore } from './store.ts'
import { transaction } from './transaction.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase({ migrations: [] })
  await sql`create table account (name text primary key, amount int not null)`.execute(database.db)
})
beforeEach(async () => {
  await database.reset()
  await sql`insert into account values ('a', 0), ('b', 0)`.execute(database.db)
})
afterAll(() => database.close())

const amounts = async () =>
  (await sql<{ amount: number }>`select amount from account order by name`.execute(database.db)).rows.map(
    (row) => row.amount,
  )

test('[F20] a storm of conflicting serializable transactions ends with every one of them counted once', async () => {
  const add = () =>
    transaction(
      database.db,
      async (tx) => {
        const { rows } = await sql<{ amount: number }>`select amount from account where name = 'a'`.execute(tx)
        await sql`update account set amount = ${(rows[0]?.amount ?? 0) + 1} where name = 'a'`.execute(tx)
      },
      { isolation: 'serializable', retries: 50 },
    )
  await Promise.all(Array.from({ length: 20 }, add))
  expect(await amounts()).toEqual([20, 0])
})

test('[F20] a deadlock is resolved and both transactions are carried out', async () => {
  const together = Promise.withResolvers<void>()
  let arrived = 0
  const move = (from: string, to: string) =>
    transaction(database.db, async (tx) => {
      await sql`update account set amount = amount - 1 where name = ${from}`.execute(tx)
      if (++arrived === 2) together.resolve()
      await together.promise
      await sql`update account set amount = amount + 1 where name = ${to}`.execute(tx)
    })
  await Promise.all([move('a', 'b'), move('b', 'a')])
  // One was chosen as the victim and ran again, perhaps more than once.
  expect(arrived).toBeGreaterThan(2)
  expect(await amounts()).toEqual([0, 0])
})

test('[F20] retries are bounded: the conflict is reported in the end', async () => {
  let runs = 0
  const conflict = transaction(
    database.db,
    async (tx) => {
      runs++
      await sql`do $$ begin raise exception 'always' using errcode = '40001'; end $$`.execute(tx)
    },
    { retries: 2 },
  )
  await expect(conflict).rejects.toMatchObject({ body: { status: 503 }, cause: { code: '40001' } })
  expect(runs).toBe(3)
})

test('a transaction within a transaction joins it', async () => {
  const failure = transaction(database.db, async (tx) => {
    await transaction(tx, (inner) => sql`update account set amount = 5`.execute(inner))
    throw new Error('not after all')
  })
  await expect(failure).rejects.toThrow('not after all')
  expect(await amounts()).toEqual([0, 0])
})

/** Stands between a client and the server, and cuts the client off as soon as it has sent a COMMIT onwards. */
async function cutAfterCommit(): Promise<{ url: string; armed: { now: boolean }; server: Server }> {
  const url = new URL(database.url)
  const path = `${url.searchParams.get('host')}/.s.PGSQL.${url.port || 5432}`
  const armed = { now: false }
  const server = createServer((client: Socket) => {
    const upstream = connect(path)
    upstream.on('error', () => client.destroy())
    client.on('error', () => upstream.destroy())
    client.on('data', (chunk) => {
      upstream.write(chunk)
      if (armed.now && /commit/i.test(chunk.toString('latin1'))) client.destroy()
    })
    upstream.on('data', (chunk) => client.write(chunk))
    client.on('close', () => upstream.end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url.searchParams.delete('host')
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as { port: number }).port)
  return { url: url.href, armed, server }
}

test('[F12] a connection cut after COMMIT was sent gives an ambiguous commit, which is not tried again', async () => {
  const cut = await cutAfterCommit()
  const store = await openStore({ stateFolder: '', databaseUrl: cut.url })
  cut.armed.now = true
  let runs = 0
  const failure = await transaction(store.db, (tx) => {
    runs++
    return sql`update account set amount = amount + 1 where name = 'a'`.execute(tx)
  }).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(AmbiguousCommitError)
  expect(isUnavailable(failure)).toBe(true)
  expect(runs).toBe(1)
  // The server had it all: whoever looks finds it done.
  while ((await amounts())[0] !== 1) await sleep(10)
  cut.armed.now = false
  expect((await store.health()).ok).toBe(true)
  await store.close()
  cut.server.close()
})

test('a session that the server ends is replaced in the pool', async () => {
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`.execute(
    database.db,
  )
  const answers = await Promise.all(Array.from({ length: 10 }, () => database.store.health()))
  expect(answers.filter(({ ok }) => ok).length).toBeGreaterThan(0)
  expect((await database.store.health()).ok).toBe(true)
})

test('a notification arrives when its transaction commits, and only then', async () => {
  const heard: (string | undefined)[] = []
  const stop = database.store.listen('test_channel', (payload) => heard.push(payload))
  while (heard.length === 0) await sleep(5)
  await transaction(database.db, async (tx) => {
    await database.store.notify(tx, 'test_channel', 'withdrawn')
    throw new Error('roll back')
  }).catch(() => {})
  await transaction(database.db, (tx) => database.store.notify(tx, 'test_channel', 'kept'))
  while (heard.length < 2) await sleep(5)
  expect(heard).toEqual([undefined, 'kept'])
  stop()
})

test('a listener whose session was lost is told so and hears on', async () => {
  const heard: (string | undefined)[] = []
  const stop = database.store.listen('test_channel', (payload) => heard.push(payload))
  while (heard.length === 0) await sleep(5)
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen%'`.execute(
    database.db,
  )
  while (heard.length < 2) await sleep(5)
  await database.store.notify(database.db, 'test_channel', 'again')
  while (heard.length < 3) await sleep(5)
  expect(heard).toEqual([undefined, undefined, 'again'])
  stop()
})

test('times, big integers and JSON are read as they go over the wire', async () => {
  const { rows } =
    await sql`select '2026-11-21 12:00:00.5+01'::timestamptz as at, count(*) as n, '{"a":[1]}'::jsonb as doc, date '2026-02-03' as day from account`.execute(
      database.db,
    )
  expect(rows).toEqual([{ at: '2026-11-21T11:00:00.500Z', n: 2, doc: { a: [1] }, day: '2026-02-03' }])
})

test('a DATABASE_URL that is none, or leads nowhere useful, is refused with its cure', async () => {
  await expect(openStore({ stateFolder: '', databaseUrl: 'mysql://x' })).rejects.toMatchObject({ reason: 'bad-url' })
  const url = new URL(database.url)
  url.password = 'wrong'
  const refusal = await openStore({ stateFolder: '', databaseUrl: url.href }).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(StoreError)
  expect((refusal as StoreError).cure).toMatch(/password/)
})

test('a store that is not open yet refuses queries as unavailable, and serves all who waited once its schema is there', async () => {
  const { store, open } = lateStore({ stateFolder: '', databaseUrl: database.url })
  const early = await sql`select * from late`.execute(store.db).catch((error: unknown) => error)
  expect(isProblem(early, storeUnavailable)).toBe(true)
  const heard: (string | undefined)[] = []
  store.listen('test_channel', (payload) => heard.push(payload))
  await expect(
    open(async () => {
      throw new Error('the schema is not there yet')
    }),
  ).rejects.toThrow('not there yet')
  expect(isUnavailable(await sql`select 1`.execute(store.db).catch((error: unknown) => error))).toBe(true)
  await open(async ({ connect }) => {
    const session = await connect()
    await session.query('create table late (n int)')
    await session.close()
  })
  expect((await sql`select * from late`.execute(store.db)).rows).toEqual([])
  while (heard.length === 0) await sleep(5)
  await store.close()
  await sql`drop table late`.execute(database.db)
})
