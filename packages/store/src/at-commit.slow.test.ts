import { type TestDatabase, testDatabase } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { atCommit } from './at-commit.ts'
import type { Db } from './db.ts'
import { AmbiguousCommitError } from './errors.ts'
import { transaction } from './transaction.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase({ migrations: [] })
  await sql`create table told (number bigint generated always as identity, text text not null unique)`.execute(
    database.db,
  )
})
beforeEach(() => database.reset())
afterAll(() => database.close())

const tell = (tx: Db, text: string | null) =>
  atCommit(tx, tx.withTables<{ told: { text: string | null } }>().insertInto('told').values({ text }))
const told = async (db: Db = database.db) =>
  (await sql<{ text: string }>`select text from told order by number`.execute(db)).rows.map(({ text }) => text)

test('what is kept for the commit is done with it, in order, and not before', async () => {
  await transaction(database.db, async (tx) => {
    await tell(tx, 'first')
    await tell(tx, "it's; commit; \\ second")
    expect(await told(tx)).toEqual([])
    await sql`insert into told (text) values ('before both')`.execute(tx)
  })
  expect(await told()).toEqual(['before both', 'first', "it's; commit; \\ second"])
})

test('beyond a transaction it is done at once', async () => {
  await tell(database.db, 'at once')
  expect(await told()).toEqual(['at once'])
})

test('nothing of it is there after a roll-back, nor in the next transaction of the session', async () => {
  const failure = transaction(database.db, async (tx) => {
    await tell(tx, 'withdrawn')
    throw new Error('not after all')
  })
  await expect(failure).rejects.toThrow('not after all')
  for (let count = 0; count < 10; count++) await transaction(database.db, (tx) => tell(tx, `next ${count}`))
  expect(await told()).toHaveLength(10)
})

test('when it fails, so does the transaction, by that error, with nothing of it kept', async () => {
  for (const text of [null, 'twice', 'a\u0000b']) {
    const failure = await transaction(database.db, async (tx) => {
      await sql`insert into told (text) values ('twice')`.execute(tx)
      await tell(tx, text)
    }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ severity: 'ERROR' })
    expect(failure).not.toBeInstanceOf(AmbiguousCommitError)
  }
  expect(await told()).toEqual([])
  expect((await database.store.health()).ok).toBe(true)
})

test('a conflict that shows at the commit is tried again', async () => {
  let runs = 0
  const add = () =>
    transaction(
      database.db,
      async (tx) => {
        runs++
        const { rows } = await sql<{ count: number }>`select count(*) from told`.execute(tx)
        await tell(tx, `number ${rows[0]?.count} of ${runs}`)
      },
      { isolation: 'serializable', retries: 50 },
    )
  await Promise.all(Array.from({ length: 5 }, add))
  expect((await told()).map((text) => text.split(' ')[1])).toEqual(['0', '1', '2', '3', '4'])
  expect(runs).toBeGreaterThan(5)
})
