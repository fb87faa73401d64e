import type { Subject } from '@quarterdeck/kernel'
import { type TestDatabase, testDatabase } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OpenAuthority, openAuthority } from './authority.routes.ts'

let database: TestDatabase
let authority: OpenAuthority
const run = (text: string) => sql.raw(text).execute(database.db)
const log = { info: () => undefined, warn: () => undefined, error: () => undefined } as never

beforeAll(async () => {
  database = await testDatabase()
  authority = openAuthority({ db: database.db, listen: database.store.listen, log })
  await authority.open()
})
afterAll(async () => {
  authority?.close()
  await database?.close()
})

/** Everything in memory, in an order that does not depend on how it came there. */
const stateOf = ({ decisions: { facts } }: OpenAuthority) =>
  [facts.accounts, facts.groups, facts.roles, facts.grants, facts.places].map((map) =>
    [...map].sort(([a], [b]) => (a < b ? -1 : 1)),
  )
const subjectOf = (name: string): Subject => {
  const id = authority.decisions.facts.idOf('account', name)
  return { ...(id === undefined ? {} : { id }), name, kind: 'user', permissions: ['*'] }
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
}

const NAMES = ['amber', 'birch', 'cedar', 'delta']
/** One change of what decisions are made of; some change nothing. */
function change(random: () => number): string {
  const any = () => NAMES[Math.floor(random() * NAMES.length)] ?? ''
  const [a, b] = [any(), any()]
  const changes = [
    `insert into account (name, "passwordHash") values ('${a}', 'x') on conflict do nothing`,
    `delete from account where name = '${a}'`,
    `update account set "disableTime" = case when "disableTime" is null then now() end where name = '${a}'`,
    `insert into user_group (name) values ('${a}') on conflict do nothing`,
    `delete from user_group where name = '${a}'`,
    `insert into user_group_member select user_group.id, account.id from user_group, account
       where user_group.name = '${a}' and account.name = '${b}' on conflict do nothing`,
    `delete from user_group_member using account where account.id = account and account.name = '${a}'`,
    `insert into tenant (name) values ('${a}') on conflict do nothing`,
    `insert into project (name, tenant) select '${a}', id from tenant where name = '${b}' on conflict do nothing`,
    `update project set tenant = tenant.id from tenant where tenant.name = '${b}' and project.name = '${a}'`,
    `insert into environment (name, cluster, namespace, stage, "createTime", operation, state)
       values ('${a}', 'one', '${a}', 'dev', now(), gen_random_uuid(), 'Ready') on conflict do nothing`,
    `delete from environment where name = '${a}'`,
    `update environment set project = project.id from project where project.name = '${b}' and environment.name = '${a}'`,
    `insert into role (name, permissions) values ('${a}', '["grant.create"]') on conflict do nothing`,
    `update role set permissions = '["application.list"]' where name = '${a}'`,
    `insert into role_grant (role, account, environment, grantor)
       select role.id, account.id, environment.id, 'test' from role, account, environment
       where not "builtIn" and account.name = '${a}' and environment.name = '${b}' on conflict do nothing`,
    `insert into role_grant (role, "group", project, grantor, "expireTime")
       select role.id, user_group.id, project.id, 'test', now() + interval '1 hour' from role, user_group, project
       where role.name = 'viewer' and user_group.name = '${a}' and project.name = '${b}' on conflict do nothing`,
    `delete from role_grant where id in (select id from role_grant limit 1)`,
  ]
  return changes[Math.floor(random() * changes.length)] ?? ''
}

test('what is read change by change is what is read at once', async () => {
  const random = seeded(20261121)
  for (let round = 0; round < 40; round++) {
    for (let times = 0; times < 8; times++) await run(change(random))
    await authority.refresh()
    const fresh = openAuthority({ db: database.db, listen: () => () => undefined, log })
    await fresh.open()
    expect(stateOf(authority)).toEqual(stateOf(fresh))
    fresh.close()
  }
  expect(authority.decisions.facts.grants.size).toBeGreaterThan(0)
})

test('a change by a transaction that began before the last reading is not missed', async () => {
  await run(`insert into account (name, "passwordHash") values ('slow', 'x')`)
  await authority.refresh()
  const connection = await database.store.connect()
  await connection.query('begin')
  await connection.query(`insert into role_grant (role, account, grantor) select role.id, account.id, 'test'
    from role, account where role.name = 'auditor' and account.name = 'slow'`)
  // Others come and go meanwhile, and are read.
  for (const name of ['quick', 'quicker']) {
    await run(`insert into account (name, "passwordHash") values ('${name}', 'x')`)
    await authority.refresh()
  }
  expect(authority.may(subjectOf('slow'), 'audit.list', {})).toBe(false)
  await connection.query('commit')
  await authority.refresh()
  expect(authority.may(subjectOf('slow'), 'audit.list', {})).toBe(true)
  await connection.close()
})

test('[A20] a grant ends at its time by the clock of the store, and whoever listens is told', async () => {
  await run(`insert into account (name, "passwordHash") values ('brief', 'x')`)
  await run(`insert into role_grant (role, account, grantor, "expireTime")
    select role.id, account.id, 'test', clock_timestamp() + interval '2 seconds'
    from role, account where role.name = 'auditor' and account.name = 'brief'`)
  await authority.refresh()
  const told = Promise.withResolvers<void>()
  const may = () => authority.may(subjectOf('brief'), 'audit.list', {})
  const stop = authority.onChange(() => may() || told.resolve())
  expect(may()).toBe(true)
  await told.promise
  stop()
  await run(`delete from account where name = 'brief'`)
})

test('a change that nobody asked for is followed, and tells only when something is different', async () => {
  await authority.refresh()
  const told = Promise.withResolvers<void>()
  const before = authority.generation
  const stop = authority.onChange(() => told.resolve())
  await run(`update account set "lastSignInTime" = now()`)
  await authority.refresh()
  expect(authority.generation).toBe(before)
  await run(`insert into account (name, "passwordHash") values ('followed', 'x')`)
  await told.promise
  expect(authority.generation).toBe(before + 1)
  expect(authority.identityOf(subjectOf('followed'))?.user).toBe('quarterdeck:user:followed')
  stop()
})
