import { type AuditEntry, isProblem, type Subject } from '@quarterdeck/kernel'
import { type Platform, startPlatform } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { audit } from '../../delivery/operation/operation.store.ts'
import { grantsForRequests } from '../grant/asked.routes.ts'
import { type OpenAuthority, openAuthority } from '../grant/authority.routes.ts'
import { listGrants } from '../grant/grant.contract.ts'
import { grantRoutes } from '../grant/grant.routes.ts'
import { knownPermissions } from '../role/permission.contract.ts'
import { keepAnAdministrator } from '../user/user.routes.ts'
import {
  approveRequest,
  createRequest,
  listRequests,
  proposeRole,
  refuseRequest,
  requestDecided,
  requestNeedless,
  withdrawRequest,
} from './request.contract.ts'
import { requestRoutes } from './request.routes.ts'
import { smallestRole } from './request.rules.ts'

let platform: Platform
let authority: OpenAuthority
const record = (tx: Platform['db'], entry: AuditEntry) => audit(tx, { ...entry, operation: null })
const run = (text: string) => sql.raw(text).execute(platform.db)
const client = (name: string, more: Partial<Subject> = {}) => {
  const id = authority.decisions.facts.idOf('account', name)
  return platform.as({ name, permissions: ['*'], ...(id === undefined ? {} : { id }), ...more })
}
const caught = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error) => error,
  )
const trail = async () =>
  (
    await sql<{ actor: string; act: string; what: string }>`
    select actor, act, what from audit_event order by sequence`.execute(platform.db)
  ).rows

/** owner and second: project owners of shop · other: project owner of bank · li: viewer of shop · new: nothing. */
beforeAll(async () => {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined } as never
  let opened: OpenAuthority | undefined
  platform = await startPlatform({
    cluster: false,
    server: {
      authority: {
        may: (...all) => opened?.may(...all) ?? false,
        somewhere: (...all) => opened?.somewhere(...all) ?? false,
        denial: (...all) => opened?.denial(...all) ?? { detail: '', grantedBy: [] },
      },
    },
    routes: (server, { db, store }) => {
      opened = openAuthority({ db, listen: store.listen, log })
      authority = opened
      grantRoutes(server, { db, authority, record, keepAnAdministrator })
      requestRoutes(server, { db, record, ...grantsForRequests({ authority, record }) })
    },
  })
  await run(`insert into project (name, tenant) select unnest(array['shop', 'bank']), id from tenant`)
  for (const project of ['shop', 'bank']) {
    await run(`insert into environment (name, cluster, namespace, stage, "createTime", operation, state, project)
      select '${project}-prod', 'one', '${project}-prod', 'prod', now(), gen_random_uuid(), 'Ready', id from project
      where name = '${project}'`)
  }
  for (const [name, role, project] of [
    ['owner', 'project-owner', 'shop'],
    ['second', 'project-owner', 'shop'],
    ['other', 'project-owner', 'bank'],
    ['li', 'viewer', 'shop'],
    ['new', 'none', ''],
  ]) {
    await run(`insert into account (name, "passwordHash") values ('${name}', 'x')`)
    await run(`insert into role_grant (role, account, project, grantor) select role.id, account.id, project.id, 'test'
      from role, account, project where role.name = '${role}' and account.name = '${name}' and project.name = '${project}'`)
  }
  await authority.open()
}, 60_000)
afterAll(async () => {
  authority?.close()
  await platform?.close()
})

const wanted = { permission: 'application.deploy' as const, environment: 'shop-prod', reason: 'Release 41' }
const seenBy = async (name: string) =>
  (await client(name)(listRequests, { query: { which: 'to-decide', state: 'open' } })).items
const may = (name: string, permission: 'application.deploy') => {
  const id = authority.decisions.facts.idOf('account', name) ?? ''
  return authority.may({ id, name, kind: 'user', permissions: ['*'] }, permission, { environment: 'shop-prod' })
}

test('[SLF-03] whoever lacks a permission asks, those who could grant it see and approve it, and it ends by itself', async () => {
  const asked = await client('li')(createRequest, { body: { ...wanted, durationSeconds: 3_600 } })
  expect(asked).toMatchObject({ user: 'li', role: 'tester', state: 'open', mine: true, decidable: false })
  expect((await seenBy('owner')).map(({ id, decidable }) => [id, decidable])).toEqual([[asked.id, true]])
  for (const name of ['other', 'new', 'li']) expect(await seenBy(name)).toEqual([])
  expect((await caught(client('other')(approveRequest, { params: { request: asked.id }, body: {} }))).body.status).toBe(
    404,
  )
  const approved = await client('owner')(approveRequest, { params: { request: asked.id }, body: {} })
  expect(approved).toMatchObject({ state: 'approved', decider: 'owner' })
  expect(may('li', 'application.deploy')).toBe(true)
  const { items } = await client('owner')(listGrants, { query: { user: 'li', role: 'tester' } })
  const lasts = Date.parse(items[0]?.expireTime ?? '') - authority.now()
  expect(lasts).toBeGreaterThan(3_500_000)
  expect(lasts).toBeLessThanOrEqual(3_600_000)
  expect(items[0]?.id).toBe(approved.grant)
  expect((await trail()).map(({ actor, act, what }) => `${actor} ${act} ${what}`)).toEqual([
    'li grant-request.create request of li for role tester in environment shop-prod',
    'owner grant.create role tester of li in environment shop-prod',
    'owner grant-request.approve request of li for role tester in environment shop-prod',
  ])
  const needless = await caught(client('li')(createRequest, { body: wanted }))
  expect(isProblem(needless, requestNeedless)).toBe(true)
})

test('[A19] nobody decides on a request of their own, nor twice, nor after their right to grant was taken', async () => {
  const own = await client('owner')(createRequest, { body: { role: 'tenant-owner', project: 'shop', reason: 'x' } })
  expect((await caught(client('owner')(approveRequest, { params: { request: own.id }, body: {} }))).body.status).toBe(
    403,
  )
  expect((await caught(client('second')(approveRequest, { params: { request: own.id }, body: {} }))).body.status).toBe(
    404,
  )
  await client('owner')(withdrawRequest, { params: { request: own.id } })
  const asked = await client('li')(createRequest, {
    body: { role: 'developer', environment: 'shop-prod', reason: 'On call' },
  })
  const params = { request: asked.id }
  const both = await Promise.allSettled(
    ['owner', 'second'].map((name) => client(name)(approveRequest, { params, body: {} })),
  )
  expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect(
    isProblem(await caught(client('owner')(refuseRequest, { params, body: { reason: 'late' } })), requestDecided),
  ).toBe(true)
  const again = await client('li')(createRequest, { body: { role: 'dba', environment: 'shop-prod', reason: 'Look' } })
  await run(`delete from role_grant using account where account.id = role_grant.account and account.name = 'second'`)
  await authority.refresh()
  const revoked = await caught(client('second')(approveRequest, { params: { request: again.id }, body: {} }))
  expect(revoked.body.status).toBe(404)
  await client('owner')(refuseRequest, { params: { request: again.id }, body: { reason: 'Ask the DBAs' } })
  const mine = await client('li')(listRequests, { query: { which: 'mine' } })
  expect(mine.items.map(({ role, state, decision = '' }) => `${role} ${state} ${decision}`)).toEqual([
    'dba refused Ask the DBAs',
    'developer approved ',
    'tester approved ',
  ])
})

test('asking about a place that one may not see tells nothing about whether it is there', async () => {
  const ask = async (environment: string) => {
    const { id, createTime, ...rest } = await client('new')(createRequest, { body: { ...wanted, environment } })
    const params = { request: id }
    const twice = await caught(client('new')(createRequest, { body: { ...wanted, environment } }))
    expect(twice.body.status).toBe(409)
    await client('new')(withdrawRequest, { params })
    const end = await caught(client('new')(withdrawRequest, { params }))
    return JSON.stringify([rest, end.body.title]).replaceAll(environment, 'X')
  }
  expect(await ask('bank-prod')).toBe(await ask('nowhere'))
})

test('a request for a place that was made anew under the same name is not for the new one', async () => {
  const asked = await client('li')(createRequest, {
    body: { role: 'dba', environment: 'shop-prod', reason: 'x' },
  })
  await run(`delete from environment where name = 'shop-prod'`)
  await run(`insert into environment (name, cluster, namespace, stage, "createTime", operation, state, project)
    select 'shop-prod', 'one', 'shop-prod', 'prod', now(), gen_random_uuid(), 'Ready', id from project where name = 'shop'`)
  await authority.refresh()
  expect(await seenBy('owner')).toEqual([])
  expect((await caught(client('owner')(approveRequest, { params: { request: asked.id }, body: {} }))).body.status).toBe(
    404,
  )
  await client('li')(withdrawRequest, { params: { request: asked.id } })
})

test('a limited token does not ask, and nobody has requests without end', async () => {
  const limited = client('li', { kind: 'token', permissions: ['application.list'] })
  expect((await caught(limited(createRequest, { body: wanted }))).body.status).toBe(403)
  for (let number = 0; number < 20; number++) {
    await client('new')(createRequest, { body: { role: 'viewer', environment: `none-${number}`, reason: 'x' } })
  }
  const more = await caught(
    client('new')(createRequest, { body: { role: 'viewer', environment: 'one-more', reason: 'x' } }),
  )
  expect(more.body).toMatchObject({ status: 409, detail: expect.stringContaining('20 open requests') })
  const pages = await client('new')(listRequests, { query: { which: 'mine', state: 'open', limit: 15 } })
  const rest = await client('new')(listRequests, {
    query: { which: 'mine', state: 'open', limit: 15, continue: pages.continue },
  })
  expect([pages.items.length, rest.items.length, rest.continue]).toEqual([15, 5, undefined])
})

test('input that is wrong is refused with the field', async () => {
  const refused = async (body: object) => {
    const { status, errors } = (await caught(client('li')(createRequest, { body } as never))).body
    return [status, errors?.[0]?.pointer]
  }
  expect(await refused({ ...wanted, reason: ' ' })).toEqual([400, '/body/reason'])
  expect(await refused({ ...wanted, role: 'viewer' })).toEqual([400, '/body/role'])
  expect(await refused({ ...wanted, permission: 'application.fly' })).toEqual([400, '/body/permission'])
  expect(await refused({ ...wanted, project: 'shop' })).toEqual([400, '/body/environment'])
  expect(await refused({ ...wanted, durationSeconds: 1 })).toEqual([400, '/body/durationSeconds'])
  expect(await refused({ role: 'nothing', environment: 'shop-prod', reason: 'x' })).toEqual([404, undefined])
  expect((await caught(client('li')(proposeRole, { query: { permission: 'x.y' } } as never))).body.status).toBe(400)
})

test('the role that is proposed for a permission has it, and no built-in role that has it has fewer', () => {
  expect(smallestRole('application.list').role).toBe('viewer')
  expect(smallestRole('application.restart').role).toBe('tester')
  expect(smallestRole('cluster.remove').role).toBe('administrator')
  for (const permission of knownPermissions) {
    const { permissions } = smallestRole(permission)
    expect([permission, permissions.includes('*') || permissions.includes(permission)]).toEqual([permission, true])
  }
})
