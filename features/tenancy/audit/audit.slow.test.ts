import { createHmac, verify } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createServerOfHttp } from 'node:http'
import { type AddressInfo, createServer as createServerOfTcp, type Server as NetServer } from 'node:net'
import { type Client, createClient } from '@quarterdeck/client'
import { createServer, type Server } from '@quarterdeck/http'
import type { AuditEntry, Input, Subject } from '@quarterdeck/kernel'
import { withOrigin } from '@quarterdeck/store'
import { type TestDatabase, testDatabase } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  checkAudit,
  guardOfAudit,
  hashesOfAudit,
  listAuditRows,
  sortInAuditText,
} from '../../delivery/operation/audit.store.ts'
import { audit } from '../../delivery/operation/operation.store.ts'
import {
  type AuditFilter,
  type AuditRecord,
  checkAuditTrail,
  exportAudit,
  listAudit,
  listAuditSeals,
} from './audit.contract.ts'
import { auditRoutes } from './audit.routes.ts'
import { guardOf } from './guard.rules.ts'
import { openSealer, type Sealer } from './seal.reconciler.ts'
import { listSeals } from './seal.store.ts'
import { send } from './send.routes.ts'
import { listAuditSinks, saveAuditSink } from './sink.contract.ts'
import { sinkRoutes } from './sink.routes.ts'
import { type Trail, watchTrail } from './trail.reconciler.ts'

let database: TestDatabase
let server: Server
let trail: Trail
let sealer: Sealer
let now = '2026-11-21T12:00:00.000Z'
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
  const list = (filter: AuditFilter) => listAuditRows(db, filter)
  const record = (entry: AuditEntry) => audit(db, { ...entry, operation: null })
  sealer = openSealer(new Uint8Array(32).fill(7))
  trail = watchTrail({
    db,
    sealer: () => sealer,
    list,
    sortIn: () => sortInAuditText(db),
    hashesOf: (numbers) => hashesOfAudit(db, numbers),
    guard: async () => guardOf(await guardOfAudit(db), undefined),
    checkChain: () => checkAudit(db),
    send,
    open: (sealed) => sealed.replace('sealed ', ''),
    log: { info: () => {}, warn: () => {}, error: () => {} },
    now: () => now,
  })
  const { check, lastCheck } = trail
  const seals = async () => ({ publicKey: sealer.publicKey, items: await listSeals(db) })
  auditRoutes(server, { list, check, lastCheck, seals, record, environmentsWith })
  sinkRoutes(server, {
    db,
    list,
    send,
    seal: (secret) => `sealed ${secret}`,
    open: (sealed) => sealed.replace('sealed ', ''),
    record: (tx, entry) => audit(tx, { ...entry, operation: null }),
    hint: async () => undefined,
  })
  await sql`insert into environment (name, cluster, namespace, stage, "createTime", operation, state)
    values ('dev', 'local', 'dev', 'dev', now(), ${OPERATION}, 'Ready')`.execute(db)
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
  expect((await list({ what: '\\' })).numbers).toEqual([])
  expect((await list({ text: 'POD is' })).numbers).toEqual([2])
  expect((await list({ text: 'dev/app' })).numbers).toEqual([2, 1])
  expect((await list({ what: 'pod is' })).numbers).toEqual([])
  expect((await list({ about: 'User cy' })).numbers).toEqual([4])
  expect((await list({ about: 'dev/application' })).numbers).toEqual([2, 1])
  expect((await list({ about: 'user c' })).numbers).toEqual([])
  expect((await list({ about: '.*(' })).numbers).toEqual([])
  expect((await list({ operation: OPERATION })).numbers).toEqual([2, 1])
  expect((await list({ outcome: 'failed', actor: 'cy' })).numbers).toEqual([4])
  const [, third] = (await list()).items
  expect((await list({ since: third?.time })).numbers).toEqual([4, 3])
  expect((await list({ until: third?.time })).numbers).toEqual([2, 1])
  const paged = await list({ until: third?.time, limit: 1 })
  expect((await list({ until: third?.time, limit: 1, continue: paged.next })).numbers).toEqual([1])
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

const reconcile = (key: string) => trail.reconciler.reconcile(key, { signal: new AbortController().signal })
const sinks = (act: (client: Client) => unknown) => act(as('audit.export'))

test('[TEN-16] records are exported oldest first as lines, and the export is a record itself', async () => {
  const exported: AuditRecord[] = []
  for await (const one of as('audit.export').lines(exportAudit, { query: { actor: 'ann' } })) exported.push(one)
  expect(exported.map(({ number }) => number)).toEqual([1, 2])
  const [newest] = (await list()).items
  expect(newest).toMatchObject({ actor: 'eve', act: 'audit.export', detail: 'Records with actor ann' })
  await expect(as('audit.list').lines(exportAudit, {}).next()).rejects.toMatchObject({ body: { status: 403 } })
})

test('[TEN-16] what is recorded goes to a syslog server in order, each once it is reachable again', async () => {
  const got: string[] = []
  const listener = createServerOfTcp((socket) =>
    socket.setEncoding('utf8').on('data', (text) => got.push(String(text))),
  )
  const port = await listening(listener)
  const body = { kind: 'syslog' as const, url: `tcp://127.0.0.1:${port}`, from: 'beginning' as const }
  await sinks((client) => client(saveAuditSink, { params: { sink: 'central' }, body }))
  await reconcile('sink/central')
  await vi.waitFor(() => expect(numbersIn(got).slice(1)).toEqual([1, 2, 3, 4, 5, 6]))
  await closed(listener)
  await audit(database.db, { operation: null, actor: 'ann', act: 'a.b', what: 'x', outcome: 'succeeded', detail: '' })
  expect(await reconcile('sink/central')).toEqual({ requeueAfterSeconds: 4 })
  const [failing] = (await as('audit.export')(listAuditSinks)).items
  expect(failing).toMatchObject({ sent: 6, waiting: 1, failures: 1, message: expect.stringContaining('ECONNREFUSED') })
  got.length = 0
  listener.listen(port, '127.0.0.1')
  await reconcile('sink/central')
  await vi.waitFor(() => expect(numbersIn(got)).toEqual([7]))
  await closed(listener)
})

test('[TEN-16] a webhook gets signed JSON lines; who answers with anything but success gets them again', async () => {
  const got: { body: string; signature: unknown }[] = []
  let status = 200
  const listener = createServerOfHttp(async (request, answer) => {
    const body = (await request.setEncoding('utf8').toArray()).join('')
    got.push({ body, signature: request.headers['x-quarterdeck-signature'] })
    answer.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:1/elsewhere' } : {}).end()
  })
  const port = await listening(listener)
  const secret = 'sixteen characters'
  const body = { kind: 'webhook' as const, url: `http://127.0.0.1:${port}/audit`, secret }
  await sinks((client) => client(saveAuditSink, { params: { sink: 'hook' }, body }))
  expect(got[0]?.signature).toBe(
    `sha256=${createHmac('sha256', secret)
      .update(got[0]?.body ?? '')
      .digest('hex')}`,
  )
  status = 302
  const before = got.length
  await reconcile('sink/hook')
  const [hook] = (await as('audit.export')(listAuditSinks)).items.filter(({ name }) => name === 'hook')
  expect(hook).toMatchObject({ failures: 1, message: 'It answers with status 302', secret: true })
  expect(JSON.stringify(hook)).not.toContain(secret)
  status = 200
  await reconcile('sink/hook')
  const [refused, taken] = got.slice(before).map((one) => one.body)
  expect(taken).toBe(refused)
  await closed(listener)
})

test.each([
  [{ kind: 'webhook', url: 'tcp://127.0.0.1:1' }, '/body/url'],
  [{ kind: 'syslog', url: 'https://127.0.0.1/x' }, '/body/url'],
  [{ kind: 'syslog', url: 'tcp://127.0.0.1' }, '/body/url'],
  [{ kind: 'webhook', url: 'http://user:password@127.0.0.1/' }, '/body/url'],
  [{ kind: 'webhook', url: 'http://127.0.0.1:1/', secret: 'short' }, '/body/secret'],
] as const)('a target that cannot be one is refused by its field and nothing is kept: %j', async (body, pointer) => {
  const asked = as('audit.export')(saveAuditSink, { params: { sink: 'bad' }, body })
  await expect(asked).rejects.toMatchObject({ body: { status: 400, errors: [{ pointer }] } })
})

test('a target that nobody answers at is not kept', async () => {
  const body = { kind: 'webhook' as const, url: 'http://127.0.0.1:1/' }
  const asked = as('audit.export')(saveAuditSink, { params: { sink: 'nobody' }, body })
  await expect(asked).rejects.toMatchObject({ body: { status: 422, type: '/problems/audit-sink-unreachable' } })
  const { items } = await as('audit.export')(listAuditSinks)
  expect(items.map(({ name }) => name)).not.toContain('nobody')
})

test('[TEN-16] each day the last record is sealed, once', async () => {
  await reconcile('trail')
  await reconcile('trail')
  const { items, publicKey } = await as('audit.list')(listAuditSeals)
  expect(items).toHaveLength(1)
  const [one] = items
  const signed = Buffer.from(`quarterdeck audit seal 1\n${one?.sequence}\n${one?.hash}\n${one?.time}\n`)
  expect(verify(null, signed, publicKey, Buffer.from(one?.signature ?? '', 'base64'))).toBe(true)
  now = '2026-11-22T00:00:01.000Z'
  await audit(database.db, { operation: null, actor: 'ann', act: 'a.b', what: 'x', outcome: 'succeeded', detail: '' })
  await reconcile('trail')
  expect((await as('audit.list')(listAuditSeals)).items).toHaveLength(2)
})

test('[TEN-16] whoever writes the whole trail anew, hashes and all, is found out by the seals', async () => {
  const db = database.db
  await sql`create unlogged table kept as select * from audit_event`.execute(db)
  await sql`alter table audit_event disable trigger audit_event_append_only`.execute(db)
  await sql`do $$ declare event audit_event; before text := ''; begin
    update audit_event set actor = 'nobody' where sequence = 2;
    for event in select * from audit_event order by sequence loop
      before := audit_event_hash(before, event);
      update audit_event set hash = before where sequence = event.sequence;
    end loop; end $$`.execute(db)
  const found = await as('audit.list')(checkAuditTrail, {})
  expect(found).toMatchObject({ intact: false, seals: 2 })
  expect(found).not.toHaveProperty('brokenAt')
  expect(found.brokenSeal).toBeGreaterThan(2)
  await sql`update audit_event set actor = kept.actor, hash = kept.hash from kept
    where kept.sequence = audit_event.sequence`.execute(db)
  await sql`alter table audit_event enable trigger audit_event_append_only`.execute(db)
  expect(await as('audit.list')(checkAuditTrail, {})).toMatchObject({ intact: true })
})

test('[TEN-16] what keeps records from being changed is told: here a trigger alone, and then nothing', async () => {
  const check = () => as('audit.list')(checkAuditTrail, {})
  expect(await check()).toMatchObject({ appendOnly: 'trigger', remark: expect.stringContaining('update, delete') })
  await sql`alter table audit_seal disable trigger audit_seal_append_only`.execute(database.db)
  expect(await check()).toMatchObject({ appendOnly: 'no', remark: expect.stringContaining('switched off: audit_seal') })
  await sql`alter table audit_seal enable trigger audit_seal_append_only`.execute(database.db)
})

test('[TEN-16] an end that is cut off shows, though the chain of what is left is whole', async () => {
  const { db } = database
  await audit(db, { operation: null, actor: 'eve', act: 'a.b', what: 'x', outcome: 'succeeded', detail: '' })
  await reconcile('end')
  const { records, intact } = await as('audit.list')(checkAuditTrail, {})
  expect(intact).toBe(true)
  await sql`create table cut as select * from audit_event where sequence = ${records}`.execute(db)
  await sql`alter table audit_event disable trigger user`.execute(db)
  await sql`delete from audit_event where sequence = ${records}`.execute(db)
  expect(await checkAudit(db)).toEqual({ records: records - 1 })
  await reconcile('end')
  const last = await as('audit.list')(checkAuditTrail, { query: { last: 'true' } })
  expect(last).toMatchObject({ intact: false, missingFrom: records })
  // Another record in its place is not it.
  await sql`alter table audit_event enable trigger user`.execute(db)
  await audit(db, { operation: null, actor: 'eve', act: 'a.b', what: 'y', outcome: 'succeeded', detail: '' })
  expect(await as('audit.list')(checkAuditTrail, {})).toMatchObject({ intact: false, missingFrom: records })
  await sql`alter table audit_event disable trigger user`.execute(db)
  await sql`delete from audit_event where sequence = ${records}`.execute(db)
  await sql`insert into audit_event select * from cut`.execute(db)
  await sql`alter table audit_event enable trigger user`.execute(db)
  expect(await as('audit.list')(checkAuditTrail, {})).toMatchObject({ intact: true })
})

test('[TEN-16] a record that was altered in the database shows in the check, wherever it was altered', async () => {
  const check = (last: boolean) => as('audit.list')(checkAuditTrail, { query: { last: String(last) } })
  const { records } = await check(false)
  await sql`alter table audit_event disable trigger audit_event_append_only`.execute(database.db)
  await sql`update audit_event set actor = 'ann' where sequence = 3`.execute(database.db)
  expect(await check(true)).toMatchObject({ intact: true })
  await reconcile('trail')
  expect(await check(true)).toMatchObject({ intact: false, records, brokenAt: 3 })
  await sql`update audit_event set peer = '192.0.2.8' where sequence = 1`.execute(database.db)
  expect(await check(false)).toMatchObject({ intact: false, brokenAt: 1 })
})

const numbersIn = (texts: string[]): number[] =>
  [...texts.join('').matchAll(/number="(\d+)"/g)].map(([, number]) => Number(number))

async function listening(server: NetServer): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function closed(server: NetServer): Promise<void> {
  server.close()
  await once(server, 'close')
}
