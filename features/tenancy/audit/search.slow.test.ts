import { type Client, createClient } from '@quarterdeck/client'
import { createServer, type Server } from '@quarterdeck/http'
import type { Subject } from '@quarterdeck/kernel'
import { type TestDatabase, testDatabase } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { auditQuery, listAuditRows, sortInAuditText } from '../../delivery/operation/audit.store.ts'
import { audit } from '../../delivery/operation/operation.store.ts'
import type { AuditFilter } from './audit.contract.ts'
import { deleteAuditSearch, listAuditSearches, saveAuditSearch } from './search.contract.ts'
import { searchRoutes } from './search.routes.ts'

let database: TestDatabase
let server: Server
const accounts = new Map<string, string>()

const as = (name: string, ...permissions: string[]): Client =>
  createClient({ baseUrl: 'http://localhost', fetch: server.fetch, token: [name, ...permissions].join(',') })
const reader = (name: string) => as(name, 'audit.list')

beforeAll(async () => {
  database = await testDatabase()
  const { db } = database
  for (const name of ['ann', 'eve']) {
    const { rows } = await sql<{ id: string }>`insert into account (name) values (${name}) returning id`.execute(db)
    accounts.set(name, rows[0]?.id ?? '')
  }
  server = await createServer({
    logLevel: 'silent',
    authenticate: async ({ token = '' }): Promise<Subject> => {
      const [name = '', ...permissions] = token.split(',')
      const id = accounts.get(name)
      return { name, kind: 'user', permissions, ...(id === undefined ? {} : { id }) }
    },
  })
  searchRoutes(server, { db, record: (tx, entry) => audit(tx, { ...entry, operation: null }) })
})
afterAll(async () => {
  await server?.close()
  await database?.close()
})

const save = (name: string, search: string, shared = false) =>
  reader(name)(saveAuditSearch, { params: { search }, body: { filter: { actor: 'bob', hours: 24 }, shared } })
const namesOf = async (name: string) =>
  (await reader(name)(listAuditSearches)).items.map(({ owner, name }) => `${owner}/${name}`)

test('[TEN-16] a search is kept for its user alone until it is shared; one of the same name is replaced', async () => {
  expect(await save('ann', 'What bob did')).toMatchObject({
    name: 'What bob did',
    owner: 'ann',
    mine: true,
    shared: false,
    filter: { actor: 'bob', hours: 24 },
  })
  await save('eve', '失败的登录')
  expect(await namesOf('ann')).toEqual(['ann/What bob did'])
  expect(await namesOf('eve')).toEqual(['eve/失败的登录'])
  await save('ann', 'What bob did', true)
  expect(await namesOf('ann')).toEqual(['ann/What bob did'])
  expect(await namesOf('eve')).toEqual(['eve/失败的登录', 'ann/What bob did'])
  const [newest] = await listAuditRows(database.db, { limit: 1 })
  expect(newest).toMatchObject({ actor: 'ann', act: 'audit-search.save', what: 'audit search What bob did' })
})

test('[TEN-16] nobody deletes or replaces what another has shared, and who may not read the trail has none', async () => {
  const params = { search: 'What bob did' }
  await expect(reader('eve')(deleteAuditSearch, { params })).rejects.toMatchObject({ body: { status: 404 } })
  await save('eve', 'What bob did')
  expect(await namesOf('ann')).toEqual(['ann/What bob did'])
  await reader('eve')(deleteAuditSearch, { params })
  expect(await namesOf('eve')).toContain('ann/What bob did')
  await expect(as('eve', 'operation.list')(listAuditSearches)).rejects.toMatchObject({ body: { status: 403 } })
  await expect(save('machine', 'x')).rejects.toMatchObject({ body: { status: 403 } })
})

test('bad input is refused by its field and nothing is kept', async () => {
  const params = { search: 'bad' }
  const body = { filter: { hours: 1, since: '2026-01-01T00:00:00.000Z' } }
  await expect(reader('ann')(saveAuditSearch, { params, body })).rejects.toMatchObject({
    body: { status: 400, errors: [{ pointer: '/body/filter/hours' }] },
  })
  expect(await namesOf('ann')).toEqual(['ann/What bob did'])
})

test('a user has a bounded number of them, and none when the account is gone', async () => {
  await sql`insert into audit_search (account, name, owner, shared, filter)
    select ${accounts.get('eve')}, 'search ' || n, 'eve', true, '{}' from generate_series(1, 199) n`.execute(
    database.db,
  )
  await expect(save('eve', 'one more')).rejects.toMatchObject({ body: { status: 400 } })
  expect(await save('eve', '失败的登录')).toMatchObject({ mine: true })
  await sql`delete from account where name = 'eve'`.execute(database.db)
  expect(await namesOf('ann')).toEqual(['ann/What bob did'])
})

test('[TEN-16] a long trail is searched by its indexes: who, act, from where, object, text and time', async () => {
  const { db } = database
  const session = await database.store.connect()
  // Only what may be planned matters here, so they are no links of the chain.
  await session.query('alter table audit_event disable trigger user')
  await session.query(`insert into audit_event (sequence, time, actor, act, what, outcome, detail, peer, hash)
    select 100 + n, now() - interval '1 year' + n * interval '1 minute', 'user-' || n % 3000, 'noun.verb' || n % 1500,
      'cluster/environment-' || n % 400 || '/application/shop-' || n, 'succeeded', 'Revision ' || md5(n::text),
      '10.0.0.' || n % 2000, '' from generate_series(1, 30000) n`)
  await session.query('alter table audit_event enable trigger user')
  await session.close()
  await sortInAuditText(db)
  await sql`analyze audit_event`.execute(db)
  const day = (text: string) => new Date(Date.now() + Date.parse(text) - Date.parse('2026-11-21')).toISOString()
  const span = { since: day('2025-11-22'), until: day('2025-11-23') }
  const asked: [Partial<AuditFilter>, string][] = [
    [{}, 'audit_event_pkey'],
    [{ actor: 'user-7' }, 'audit_event_actor'],
    [{ act: 'noun.verb7' }, 'audit_event_act'],
    [{ peer: '10.0.0.7' }, 'audit_event_peer'],
    [{ what: 'application/shop-7777' }, 'audit_event_text'],
    [{ about: 'application/shop-7777' }, 'audit_event_text'],
    [{ text: 'c4ca4238a0b92382' }, 'audit_event_text'],
    [span, 'audit_event_time'],
    [{ ...span, before: 1000 }, 'audit_event_time'],
    [{ ...span, after: 1000 }, 'audit_event_time'],
  ]
  for (const [filter, index] of asked) {
    const { sql: text, parameters } = auditQuery(db, { limit: 101, ...filter }).compile()
    const plan = await database.store.connect()
    const lines = await plan.query<Record<string, string>>(`explain ${text}`, parameters)
    await plan.close()
    const said = lines.map((line) => line['QUERY PLAN']).join('\n')
    expect(said, JSON.stringify(filter)).toContain(index)
    expect(said, JSON.stringify(filter)).not.toContain('Seq Scan')
  }
  expect((await listAuditRows(db, { limit: 10, text: 'C4CA4238A0B92382' })).map(({ sequence }) => sequence)).toEqual([
    101,
  ])
})
