import { type Client, createClient } from '@quarterdeck/client'
import { createServer, type Server } from '@quarterdeck/http'
import type { Input, Subject } from '@quarterdeck/kernel'
import { withOrigin } from '@quarterdeck/store'
import { type TestDatabase, testDatabase } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkAudit, listAuditRows } from '../../delivery/operation/audit.store.ts'
import { audit } from '../../delivery/operation/operation.store.ts'
import { checkAuditTrail, listAudit } from './audit.contract.ts'
import { auditRoutes } from './audit.routes.ts'

let database: TestDatabase
let server: Server
const OPERATION = '6f3c4c1e-3b0a-4a55-9f0e-1f2d3c4b5a69'

/** Eve reads everything, whoever comes with `within.dev` only what was done in dev. */
const environmentsWith = ({ permissions }: Subject) =>
  permissions.includes('within.dev') ? new Set(['dev']) : undefined

const as = (...permissions: string[]): Client =>
  createClient({ baseUrl: 'http://localhost', fetch: server.fetch, token: permissions.join(',') || 'none' })
const list = async (query: Input<typeof listAudit>['query'] = {}) => {
  const { items, continue: next } = await as('audit.list')(listAudit, { query })
  return { numbers: items.map(({ number }) => number), items, next }
}

beforeAll(async () => {
  database = await testDatabase()
  const { db } = database
  server = await createServer({
    logLevel: 'silent',
    authenticate: async ({ token = '' }): Promise<Subject> => ({
      name: 'eve',
      kind: 'token',
      permissions: token.split(','),
    }),
  })
  auditRoutes(server, {
    list: (filter) => listAuditRows(db, filter),
    check: () => checkAudit(db),
    environmentsWith,
  })
  const deploy = { operation: OPERATION, actor: 'ann', act: 'application.deploy', what: 'local/dev/application/Shop' }
  const origin = { peer: '192.0.2.7', client: 'qd/0.1', credential: 'c0ffee', request: 'r-1' }
  await withOrigin(origin, () => audit(db, { ...deploy, environment: 'dev', outcome: 'intent', detail: 'Deploy shop' }))
  await audit(db, { ...deploy, outcome: 'succeeded', detail: 'Its pod is ready.' })
  // Times are told to the millisecond.
  await sql`select pg_sleep(0.002)`.execute(db)
  for (const actor of ['bob', 'cy']) {
    const what = `user ${actor}`
    await audit(db, { operation: null, actor, act: 'session.create', what, outcome: 'failed', detail: '' })
  }
})
afterAll(async () => {
  await server?.close()
  await database?.close()
})

test('[TEN-16] the trail is read newest first, page by page, with who, what, when and result', async () => {
  const first = await list({ limit: 3 })
  expect(first.numbers).toEqual([4, 3, 2])
  const second = await list({ limit: 3, continue: first.next })
  expect([second.numbers, second.next]).toEqual([[1], undefined])
  expect(second.items[0]).toEqual({
    number: 1,
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    actor: 'ann',
    act: 'application.deploy',
    what: 'local/dev/application/Shop',
    outcome: 'intent',
    detail: 'Deploy shop',
    operation: OPERATION,
    environment: 'dev',
    peer: '192.0.2.7',
    client: 'qd/0.1',
    credential: 'c0ffee',
    request: 'r-1',
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  })
  expect(first.items[0]).not.toHaveProperty('operation')
})

test('it is filtered by who, act, what, operation, result and time', async () => {
  expect((await list({ actor: 'bob' })).numbers).toEqual([3])
  expect((await list({ act: 'session.create' })).numbers).toEqual([4, 3])
  expect((await list({ what: 'application/shop' })).numbers).toEqual([2, 1])
  expect((await list({ what: '%' })).numbers).toEqual([])
  expect((await list({ operation: OPERATION })).numbers).toEqual([2, 1])
  expect((await list({ outcome: 'failed', actor: 'cy' })).numbers).toEqual([4])
  const [, third] = (await list()).items
  expect((await list({ since: third?.time })).numbers).toEqual([4, 3])
  expect((await list({ until: third?.time })).numbers).toEqual([2, 1])
})

test('[TEN-16] whoever may read the trail of some environments sees what was done there, and nothing else', async () => {
  const { items } = await as('audit.list', 'within.dev')(listAudit, {})
  expect(items.map(({ number }) => number)).toEqual([1])
  expect((await list({ environment: 'dev' })).numbers).toEqual([1])
  expect((await list({ peer: '192.0.2.7' })).numbers).toEqual([1])
})

test('who may not read the trail can neither list nor check it', async () => {
  const refused = { body: { status: 403, permission: 'audit.list' } }
  await expect(as('operation.list')(listAudit, {})).rejects.toMatchObject(refused)
  await expect(as('operation.list')(checkAuditTrail, {})).rejects.toMatchObject(refused)
})

test('[TEN-16] a record that was altered in the database shows in the check, wherever it was altered', async () => {
  const check = () => as('audit.list')(checkAuditTrail, {})
  expect(await check()).toEqual({ intact: true, records: 4 })
  await sql`alter table audit_event disable trigger audit_event_append_only`.execute(database.db)
  await sql`update audit_event set actor = 'ann' where sequence = 3`.execute(database.db)
  expect(await check()).toEqual({ intact: false, records: 4, brokenAt: 3 })
  await sql`update audit_event set peer = '192.0.2.8' where sequence = 1`.execute(database.db)
  expect(await check()).toEqual({ intact: false, records: 4, brokenAt: 1 })
})
