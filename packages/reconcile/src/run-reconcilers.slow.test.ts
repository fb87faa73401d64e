import { setTimeout as sleep } from 'node:timers/promises'
import { transaction } from '@quarterdeck/store'
import { type TestDatabase, testDatabase } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { hint } from './hint.ts'
import type { Reconciler } from './reconciler.ts'
import { type Reconcilers, type RunOptions, runReconcilers } from './run-reconcilers.ts'

let database: TestDatabase
let running: Reconcilers[]
beforeAll(async () => {
  database = await testDatabase({ migrations: [] })
  await sql`create table wanted (name text primary key)`.execute(database.db)
  await sql`create table made (name text primary key)`.execute(database.db)
})
beforeEach(async () => {
  running = []
  await database.reset()
})
afterEach(async () => {
  for (const reconcilers of running) await reconcilers.close({ drainMs: 100 })
})
afterAll(() => database.close())

function start(reconciler: Reconciler, options: Partial<RunOptions> = {}): Reconcilers {
  const made = runReconcilers({
    store: database.store,
    reconcilers: { thing: reconciler },
    resyncSeconds: 3_600,
    ...options,
  })
  running.push(made)
  return made
}

const names = async (table: 'wanted' | 'made') =>
  (await sql<{ name: string }>`select name from ${sql.table(table)} order by 1`.execute(database.db)).rows.map(
    (row) => row.name,
  )

/** Makes each wanted name, removes each that is not wanted. */
function maker(): Reconciler & { runs: string[] } {
  const runs: string[] = []
  return {
    runs,
    keys: async () => [...new Set([...(await names('wanted')), ...(await names('made'))])],
    async reconcile(key) {
      runs.push(key)
      if ((await names('wanted')).includes(key))
        await sql`insert into made values (${key}) on conflict do nothing`.execute(database.db)
      else await sql`delete from made where name = ${key}`.execute(database.db)
      return {}
    },
  }
}

const want = (name: string, hinted = true) =>
  transaction(database.db, async (tx) => {
    await sql`insert into wanted values (${name})`.execute(tx)
    if (hinted) await hint(tx, 'thing', name)
  })

test('a hint reaches the reconciler without waiting for a resync', async () => {
  const reconcilers = start(maker())
  await reconcilers.settle()
  await want('a')
  await reconcilers.settle()
  expect(await names('made')).toEqual(['a'])
})

test('the hint of a transaction that is rolled back wakes nobody', async () => {
  const reconciler = maker()
  const reconcilers = start(reconciler)
  await transaction(database.db, async (tx) => {
    await hint(tx, 'thing', 'a')
    throw new Error('roll back')
  }).catch(() => {})
  await reconcilers.settle()
  expect(reconciler.runs).toEqual([])
})

test('a lost hint is repaired by the resync, on either side', async () => {
  const reconcilers = start(maker())
  await reconcilers.settle()
  await want('a', false)
  await sql`insert into made values ('orphan')`.execute(database.db)
  await reconcilers.settle()
  expect(await names('made')).toEqual(['orphan'])
  await reconcilers.resync()
  await reconcilers.settle()
  expect(await names('made')).toEqual(['a'])
})

test('work that was waiting before the start is done at the start', async () => {
  await want('a', false)
  const reconcilers = start(maker())
  while ((await names('made')).length === 0) await sleep(5)
  await reconcilers.settle()
  expect(await names('made')).toEqual(['a'])
})

test('hints that are sent while the listening session is lost are made up for when it is back', async () => {
  const reconcilers = start(maker())
  await reconcilers.settle()
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen%'`.execute(
    database.db,
  )
  await want('a')
  while ((await names('made')).length === 0) await sleep(5)
})

test('a key that is asked for many times while it runs runs once more, not many times', async () => {
  let release = () => {}
  let runs = 0
  const reconcilers = start({
    keys: async () => [],
    async reconcile() {
      if (++runs === 1)
        await new Promise<void>((resolve) => {
          release = resolve
        })
      return {}
    },
  })
  reconcilers.enqueue('thing', 'a')
  while (runs === 0) await sleep(5)
  for (let i = 0; i < 100; i++) reconcilers.enqueue('thing', 'a')
  release()
  await reconcilers.settle()
  expect(runs).toBe(2)
})

test('several runners share the work and never reconcile one key at once', async () => {
  const inside = new Map<string, number>()
  let overlaps = 0
  const done = new Set<string>()
  const reconciler = (): Reconciler => ({
    keys: async () => [],
    async reconcile(key) {
      inside.set(key, (inside.get(key) ?? 0) + 1)
      if ((inside.get(key) ?? 0) > 1) overlaps++
      await sleep(Math.random() * 20)
      inside.set(key, (inside.get(key) ?? 0) - 1)
      done.add(key)
      return {}
    },
  })
  const runners = [start(reconciler()), start(reconciler()), start(reconciler())]
  for (let round = 0; round < 20; round++) {
    for (const runner of runners) for (let key = 0; key < 6; key++) runner.enqueue('thing', `key-${key}`)
    await sleep(5)
  }
  for (const runner of runners) await runner.settle()
  expect(overlaps).toBe(0)
  expect(done.size).toBe(6)
})

test('the key of a runner whose session is gone is taken over, and the old run is told to stop', async () => {
  const events: string[] = []
  const stuck = start({
    keys: async () => [],
    reconcile: (_key, { signal }) =>
      new Promise((resolve, reject) => {
        // A process that died does not come back for its key.
        if (events.length > 0) return resolve({})
        events.push('first began')
        signal.addEventListener('abort', () => {
          events.push('first was told')
          reject(signal.reason)
        })
      }),
  })
  stuck.enqueue('thing', 'a')
  while (!events.includes('first began')) await sleep(5)
  const second = start({
    keys: async () => [],
    async reconcile() {
      events.push('second')
      return {}
    },
  })
  second.enqueue('thing', 'a')
  await second.settle()
  expect(events).toEqual(['first began'])
  await sql`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`.execute(
    database.db,
  )
  while (!events.includes('second')) await sleep(5)
  expect(events.slice(0, 3).sort()).toEqual(['first began', 'first was told', 'second'])
})

test('a reconcile that throws is tried again until it succeeds, and others go on meanwhile', async () => {
  let failures = 0
  const done: string[] = []
  const reconcilers = start({
    keys: async () => [],
    async reconcile(key) {
      if (key === 'bad' && failures++ < 3) throw new Error('not yet')
      done.push(key)
      return {}
    },
  })
  reconcilers.enqueue('thing', 'bad')
  reconcilers.enqueue('thing', 'good')
  while (!done.includes('bad')) await sleep(10)
  expect(done).toEqual(['good', 'bad'])
  expect(reconcilers.metrics().thing).toMatchObject({ succeeded: 2, failed: 3 })
})

test('a reconcile that asks to look again is run again, and settle says for how long it would wait', async () => {
  let runs = 0
  const reconcilers = start({
    keys: async () => [],
    async reconcile() {
      return ++runs === 1 ? { requeueAfterSeconds: 0.05 } : {}
    },
  })
  reconcilers.enqueue('thing', 'a')
  expect(await reconcilers.settle()).toEqual([0.05])
  while (runs < 2) await sleep(10)
})

test('close waits for what runs and starts nothing more', async () => {
  const events: string[] = []
  const reconcilers = start(
    {
      keys: async () => [],
      async reconcile(key) {
        events.push(`${key} began`)
        await sleep(50)
        events.push(`${key} ended`)
        return {}
      },
    },
    { concurrency: 1 },
  )
  reconcilers.enqueue('thing', 'a')
  reconcilers.enqueue('thing', 'b')
  while (events.length === 0) await sleep(5)
  await reconcilers.close()
  expect(events).toEqual(['a began', 'a ended'])
})

test('close tells a run that does not end to stop', async () => {
  let begun = false
  let told = false
  const reconcilers = start({
    keys: async () => [],
    reconcile: (_key, { signal }) =>
      new Promise((_resolve, reject) => {
        begun = true
        signal.addEventListener('abort', () => {
          told = true
          reject(signal.reason)
        })
      }),
  })
  reconcilers.enqueue('thing', 'a')
  while (!begun) await sleep(5)
  await reconcilers.close({ drainMs: 20 })
  expect(told).toBe(true)
})

test('a failed reconcile is logged with its error, as pino writes errors', async () => {
  const lines: object[] = []
  const logger = { info() {}, error() {}, warn: (fields: object) => void lines.push(fields) }
  let failed = false
  const reconcilers = start(
    {
      keys: async () => [],
      async reconcile() {
        if (failed) return {}
        failed = true
        throw new Error('the cluster has gone')
      },
    },
    { logger },
  )
  reconcilers.enqueue('thing', 'a')
  while (lines.length === 0) await sleep(5)
  // pino writes an Error under the name err only; elsewhere it becomes {}.
  expect(lines[0]).toMatchObject({ kind: 'thing', key: 'a', failures: 1, err: new Error('the cluster has gone') })
})

test('what runs asked to wait for is kept of the last thousand runs only', async () => {
  const reconcilers = start({ keys: async () => [], reconcile: async () => ({ requeueAfterSeconds: 3_600 }) })
  await reconcilers.settle()
  for (let index = 0; index < 1_005; index++) reconcilers.enqueue('thing', `key-${index}`)
  expect(await reconcilers.settle()).toHaveLength(1_000)
})
