import { sql } from 'kysely'
import { expect, test } from 'vitest'
import {
  accepted,
  between,
  change,
  configMap,
  ended,
  get,
  namespace,
  outcomes,
  platform,
  withThings,
} from '../../../test/platform/things.ts'
import { checkAudit } from './audit.store.ts'
import { getOperation, listOperations, type Operation, undoOperation } from './operation.contract.ts'

withThings()

/** Looked at in one piece, and in pieces of two records. */
async function brokenAudit(): Promise<number | undefined> {
  const whole = await checkAudit(platform.db)
  expect(await checkAudit(platform.db, 2)).toEqual(whole)
  return whole.broken
}

test('a change is accepted, carried out and recorded as intent and result', async () => {
  const operation = await ended(await change('one', { values: { a: '1' } }, { reason: 'because' }))
  expect(operation).toMatchObject({ state: 'Succeeded', actor: 'tester', reason: 'because', undoable: true })
  expect((await configMap('one'))?.data).toEqual({ a: '1' })
  expect(await outcomes(operation.id)).toEqual(['intent', 'succeeded'])
  expect(operation.plan.changes[0]).toMatchObject({ action: 'create', fields: [{ path: 'data.a', after: '1' }] })
})

test('the audit trail cannot be altered, and where somebody does it all the same, it shows', async () => {
  const made = await Promise.all(['a', 'b', 'c', 'd'].map((name) => change(name, {})))
  for (const one of made) await ended(one)
  expect(await brokenAudit()).toBeUndefined()
  const trail = platform.db.withTables<{ audit_event: { actor: string; sequence: number } }>()
  await expect(trail.updateTable('audit_event').set({ actor: 'nobody' }).execute()).rejects.toThrow('append-only')
  await expect(trail.deleteFrom('audit_event').execute()).rejects.toThrow('append-only')
  const forge = (statement: ReturnType<typeof sql>) =>
    platform.db.connection().execute(async (session) => {
      await sql`set session_replication_role = replica`.execute(session)
      await statement.execute(session)
      await sql`set session_replication_role = origin`.execute(session)
    })
  await forge(sql`update audit_event set actor = 'nobody' where sequence = 3`)
  expect(await brokenAudit()).toBe(3)
  await forge(sql`update audit_event set actor = 'tester' where sequence = 3`)
  expect(await brokenAudit()).toBeUndefined()
  await forge(sql`delete from audit_event where sequence = 2`)
  expect(await brokenAudit()).toBe(3)
  await platform.reset()
})

test('the same key and request is one operation however often and at once it is sent; another request is refused', async () => {
  const key = `key-${namespace}`
  const answers = await Promise.all(Array.from({ length: 8 }, () => change('one', { values: { a: '1' } }, {}, key)))
  const ids = new Set(answers.map((answer) => accepted(answer).id))
  expect(ids.size).toBe(1)
  const operation = await ended(answers[0] as Operation)
  expect(accepted(await change('one', { values: { a: '1' } }, {}, key)).id).toBe(operation.id)
  expect((await platform.writes(namespace)).filter(({ name }) => name === 'one')).toHaveLength(1)
  await expect(change('one', { values: { a: '2' } }, {}, key)).rejects.toMatchObject({
    body: { type: '/problems/idempotency-key-reused', status: 422 },
  })
})

test('keys are forgotten after a week and not before', async () => {
  const age = (key: string, interval: string) =>
    sql`update idempotency_key set "createTime" = now() - ${interval}::interval where key = ${key}`.execute(platform.db)
  for (const key of ['old', 'young']) await ended(await change(key, {}, {}, `${key}-${namespace}`))
  await age(`old-${namespace}`, '8 days')
  await age(`young-${namespace}`, '6 days')
  between.now = () => new Date(Date.now() + 2 * 3_600_000)
  await platform.resync()
  const { rows } = await sql<{
    key: string
  }>`select key from idempotency_key where key like ${`%${namespace}`}`.execute(platform.db)
  expect(rows).toEqual([{ key: `young-${namespace}` }])
})

test('operations are listed newest first, page by page, and filtered by state', async () => {
  const made: string[] = []
  for (const value of ['1', '2', '3']) made.push((await ended(await change('one', { values: { value } }))).id)
  const pages: string[] = []
  let next: string | undefined
  do {
    const page = await platform.client(listOperations, { query: { limit: 2, ...(next ? { continue: next } : {}) } })
    pages.push(...page.items.map(({ id }) => id))
    next = page.continue
  } while (next && pages.length < 200)
  expect(pages.filter((id) => made.includes(id))).toEqual(made.toReversed())
  const running = await platform.client(listOperations, { query: { running: true } })
  expect(running.items.filter(({ id }) => made.includes(id))).toEqual([])
  await expect(platform.client(listOperations, { query: { continue: 'x' } })).rejects.toMatchObject({
    body: { status: 400 },
  })
  await expect(get('00000000-0000-4000-8000-000000000000')).rejects.toMatchObject({ body: { status: 404 } })
})

test('who may only look can neither change nor undo', async () => {
  const operation = await ended(await change('one', {}))
  const viewer = platform.as({ name: 'viewer', permissions: ['operation.list'] })
  expect((await viewer(getOperation, { params: { operation: operation.id } })).id).toBe(operation.id)
  await expect(viewer(undoOperation, { params: { operation: operation.id }, query: {} })).rejects.toMatchObject({
    body: { permission: 'operation.undo' },
  })
})
