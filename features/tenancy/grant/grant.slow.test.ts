import { type AuditEntry, isProblem, type Subject } from '@quarterdeck/kernel'
import { type Platform, startPlatform } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { audit } from '../../delivery/operation/operation.store.ts'
import { createRole, deleteRole, exceedsOwn, listRoles, roleGranted, updateRole } from '../role/role.contract.ts'
import { roleRoutes } from '../role/role.routes.ts'
import { keepAnAdministrator } from '../user/user.routes.ts'
import { type OpenAuthority, openAuthority } from './authority.routes.ts'
import { getUserPermission, listHolders, listUserPermissions } from './explain.contract.ts'
import { explainRoutes } from './explain.routes.ts'
import { createGrant, deleteGrant, type Grant, grantExists, listGrants, updateGrant } from './grant.contract.ts'
import { grantReconciler } from './grant.reconciler.ts'
import { grantCounts, grantedTo, grantRoutes } from './grant.routes.ts'

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
const trail = async (act: string) =>
  (
    await sql<{ actor: string; what: string; detail: string }>`
    select actor, what, detail from audit_event where act = ${act} order by sequence`.execute(platform.db)
  ).rows

/** admin: administrator · owner: project owner of shop · li, wang: nothing; wang is in devs with 3 others. */
beforeAll(async () => {
  let parts: { authority?: OpenAuthority } = {}
  platform = await startPlatform({
    cluster: false,
    server: {
      authority: {
        may: (...all) => parts.authority?.may(...all) ?? false,
        somewhere: (...all) => parts.authority?.somewhere(...all) ?? false,
        denial: (...all) => parts.authority?.denial(...all) ?? { detail: '', grantedBy: [] },
      },
    },
    routes: async (server, { db, store }) => {
      const log = { info: () => undefined, warn: () => undefined, error: () => undefined } as never
      authority = openAuthority({ db, listen: store.listen, log })
      parts = { authority }
      grantRoutes(server, { db, authority, record, keepAnAdministrator })
      explainRoutes(server, { authority })
      roleRoutes(server, {
        db,
        record,
        grantCounts: () => grantCounts(authority),
        grantedTo,
        missing: authority.missing,
        refresh: authority.refresh,
      })
    },
    reconcilers: ({ db }) => ({ grant: grantReconciler({ db, record }) }),
  })
  for (const name of ['admin', 'owner', 'li', 'wang', 'd1', 'd2', 'd3']) {
    await run(`insert into account (name, "passwordHash") values ('${name}', 'x')`)
  }
  await run(`insert into user_group (name) values ('devs')`)
  await run(`insert into user_group_member select user_group.id, account.id from user_group, account
    where account.name in ('wang', 'd1', 'd2', 'd3')`)
  await run(`insert into tenant (name) values ('retail')`)
  await run(
    `insert into project (name, tenant) select name, tenant.id from (values ('shop'), ('bank')) p(name), tenant
    where tenant.name = 'retail'`.replace('select name', 'select p.name'),
  )
  for (const [name, project] of [
    ['shop-dev', 'shop'],
    ['shop-prod', 'shop'],
    ['bank-prod', 'bank'],
  ]) {
    await run(`insert into environment (name, cluster, namespace, stage, "createTime", operation, state, project)
      select '${name}', 'one', '${name}', 'dev', now(), gen_random_uuid(), 'Ready', id from project where name = '${project}'`)
  }
  await run(`insert into role_grant (role, account, grantor) select role.id, account.id, 'test'
    from role, account where role.name = 'administrator' and account.name = 'admin'`)
  await run(`insert into role_grant (role, account, project, grantor) select role.id, account.id, project.id, 'test'
    from role, account, project where role.name = 'project-owner' and account.name = 'owner' and project.name = 'shop'`)
  await authority.open()
}, 60_000)
afterAll(async () => {
  authority?.close()
  await platform?.close()
})

const give = async (name: string, body: Parameters<typeof createGrant.body.parse>[0] & object) => {
  const made = await client(name)(createGrant, { body } as never)
  if (made.kind !== 'Grant') throw new Error('A grant was answered with an effect')
  return made as Grant
}

test('[TEN-07] a grant opens at once what the role permits, there and nowhere else, and leaves a line in the audit trail', async () => {
  const grant = await give('owner', {
    role: 'developer',
    user: 'li',
    environment: 'shop-dev',
    reason: 'Joins the team',
  })
  expect(grant).toMatchObject({ role: 'developer', user: 'li', environment: 'shop-dev', grantor: 'owner' })
  const li = client('li')
  const held = await li(listUserPermissions, { params: { user: 'li' }, query: { environment: 'shop-dev' } })
  expect(held.items.find(({ permission }) => permission === 'application.deploy')?.through).toEqual([
    { grant: grant.id, role: 'developer', environment: 'shop-dev' },
  ])
  expect(
    (await li(listUserPermissions, { params: { user: 'li' }, query: { environment: 'shop-prod' } })).items,
  ).toEqual([])
  expect(await trail('grant.create')).toContainEqual({
    actor: 'owner',
    what: 'role developer of li in environment shop-dev',
    detail: 'Until it is taken back; Joins the team',
  })
  const again = await caught(give('owner', { role: 'developer', user: 'li', environment: 'shop-dev' }))
  expect(isProblem(again, grantExists)).toBe(true)
  await client('owner')(deleteGrant, { params: { grant: grant.id } })
  expect((await li(listUserPermissions, { params: { user: 'li' }, query: { environment: 'shop-dev' } })).items).toEqual(
    [],
  )
})

test('[A16] nobody gives what they do not have themselves, where they do not have it, or with a credential that does not carry it', async () => {
  const body = { role: 'tenant-owner', user: 'owner', project: 'shop' }
  const more = await caught(client('owner')(createGrant, { body }))
  expect(isProblem(more, exceedsOwn)).toBe(true)
  expect(more.body).toMatchObject({ permission: 'tenant.update', scope: { project: 'shop' }, grantedBy: ['admin'] })
  expect(more.body.detail).toContain('admin can.')
  for (const place of [
    { project: 'bank' },
    { environment: 'bank-prod' },
    { tenant: 'retail' },
    { platform: true as const },
  ]) {
    const refused = await caught(client('owner')(createGrant, { body: { role: 'viewer', user: 'li', ...place } }))
    expect([place, [403, 404].includes(refused.body.status)]).toEqual([place, true])
  }
  const wanted = { body: { role: 'developer', user: 'li', project: 'shop' } }
  const weak = client('owner', { kind: 'token', permissions: ['grant.create', 'application.list'] })
  expect(isProblem(await caught(weak(createGrant, wanted)), exceedsOwn)).toBe(true)
  const narrow = client('owner', { kind: 'token', within: { environment: 'shop-dev' } })
  expect((await caught(narrow(createGrant, wanted))).body.status).toBe(404)
  expect(await client('owner')(listGrants, { query: { user: 'li' } })).toMatchObject({ items: [], total: 0 })
})

test('[A16] a place that the giver may not see is answered like one that is not there', async () => {
  const at = async (environment: string) => {
    const body = { role: 'viewer', user: 'li', environment }
    const { status, detail } = (await caught(client('owner')(createGrant, { body }))).body
    return { status, detail: detail.replace(environment, 'X') }
  }
  expect(await at('bank-prod')).toEqual(await at('nowhere'))
})

test('[A20] nobody gives for longer than they have it; an end in the past is refused', async () => {
  const soon = new Date(Date.now() + 3_600_000).toISOString()
  const later = new Date(Date.now() + 7_200_000).toISOString()
  const lent = await give('admin', { role: 'project-owner', user: 'wang', project: 'bank', expireTime: soon })
  const forever = await caught(give('wang', { role: 'project-owner', user: 'd1', project: 'bank' }))
  expect(isProblem(forever, exceedsOwn)).toBe(true)
  expect(forever.body.errors[0].pointer).toBe('/body/expireTime')
  expect(
    isProblem(
      await caught(give('wang', { role: 'viewer', user: 'd1', project: 'bank', expireTime: later })),
      exceedsOwn,
    ),
  ).toBe(true)
  const short = await give('wang', { role: 'viewer', user: 'd1', project: 'bank', expireTime: soon })
  const longer = await caught(client('wang')(updateGrant, { params: { grant: short.id }, body: { expireTime: null } }))
  expect(isProblem(longer, exceedsOwn)).toBe(true)
  const past = await caught(
    give('admin', { role: 'viewer', user: 'd1', platform: true, expireTime: '2020-01-01T00:00:00Z' }),
  )
  expect(past.body).toMatchObject({ status: 400, errors: [{ pointer: '/body/expireTime' }] })
  for (const grant of [short.id, lent.id]) await client('admin')(deleteGrant, { params: { grant } })
})

test('[A20] a grant that has run out is cleared away with a line in the audit trail, and can be given anew before that', async () => {
  const end = new Date(Date.now() + 2_000).toISOString()
  const brief = { role: 'auditor', user: 'd2', tenant: 'retail', expireTime: end }
  const first = await give('admin', brief)
  await expect.poll(() => authority.now(), { timeout: 10_000 }).toBeGreaterThan(Date.parse(end))
  expect(await client('admin')(listGrants, { query: { user: 'd2' } })).toMatchObject({ items: [], total: 0 })
  const { expireTime: _, ...lasting } = brief
  const second = await give('admin', { ...lasting, expireTime: new Date(authority.now() + 2_000).toISOString() })
  expect(second.id).not.toBe(first.id)
  await expect.poll(() => authority.now(), { timeout: 10_000 }).toBeGreaterThan(Date.parse(second.expireTime ?? ''))
  await platform.resync()
  expect(await trail('grant.expire')).toMatchObject([{ actor: 'quarterdeck', what: 'role auditor of d2 in retail' }])
  await platform.resync()
  expect(await trail('grant.expire')).toHaveLength(1)
})

test('what a grant would open is told before it is given', async () => {
  await give('admin', { role: 'viewer', user: 'wang', environment: 'shop-dev' })
  const body = { role: 'tester', group: 'devs', environment: 'shop-dev' }
  const effect = await client('admin')(createGrant, { query: { dryRun: true }, body })
  expect(effect).toMatchObject({
    kind: 'Effect',
    people: 4,
    gaining: 4,
    environments: { total: 1, names: ['shop-dev'] },
  })
  if (effect.kind !== 'Effect') throw new Error('A dry run has granted')
  expect(effect).toMatchObject({ clusters: ['one'], future: false })
  const people = Object.fromEntries(effect.permissions.map((one) => [one.permission, one.people]))
  expect(people).toMatchObject({ 'application.deploy': 4, 'container.logs': 4, 'application.list': 3 })
  expect((await client('admin')(listGrants, { query: { group: 'devs' } })).total).toBe(0)
  const whole = await client('admin')(createGrant, {
    query: { dryRun: true },
    body: { role: 'viewer', user: 'admin', tenant: 'retail' },
  })
  expect(whole).toMatchObject({ people: 1, gaining: 0, environments: { total: 3 }, future: true })
})

test('[TEN-07] who has access where is listed page by page, by holder, role and place, and only where one may see it', async () => {
  for (const user of ['d1', 'd2', 'd3']) await give('admin', { role: 'viewer', user, project: 'shop' })
  await give('admin', { role: 'viewer', user: 'd1', project: 'bank' })
  const names = async (name: string, query: object) =>
    (await client(name)(listGrants, { query })).items.map(({ user, project }) => `${user} ${project}`)
  expect(await names('admin', { role: 'viewer', project: 'shop' })).toEqual(['d3 shop', 'd2 shop', 'd1 shop'])
  const first = await client('admin')(listGrants, { query: { project: 'shop', role: 'viewer', limit: 2 } })
  expect([first.items.length, first.total]).toEqual([2, 3])
  expect(await names('admin', { project: 'shop', role: 'viewer', limit: 2, continue: first.continue })).toEqual([
    'd1 shop',
  ])
  expect(await names('owner', { user: 'd1' })).toEqual(['d1 shop'])
  expect(await names('admin', { user: 'd1' })).toEqual(['d1 bank', 'd1 shop'])
  expect(
    (await client('owner')(listGrants, { query: { environment: 'shop-dev', inherited: 'true' } })).items
      .map(({ role }) => role)
      .sort(),
  ).toEqual(['administrator', 'project-owner', 'viewer', 'viewer', 'viewer', 'viewer'])
  expect((await caught(client('li')(listGrants, {}))).body).toMatchObject({ status: 403, permission: 'grant.list' })
  expect((await caught(client('owner')(listGrants, { query: { project: 'bank' } }))).body.status).toBe(404)
  const wrong = await caught(client('admin')(listGrants, { query: { continue: 'nonsense' } }))
  expect(wrong.body).toMatchObject({ status: 400, errors: [{ pointer: '/query/continue' }] })
})

test('[TEN-07] why somebody may do something, or who could let them, is answered', async () => {
  const owner = client('owner')
  const query = { environment: 'shop-dev' }
  const asked = (user: string, permission: 'application.list' | 'secret.read') =>
    owner(getUserPermission, { params: { user, permission }, query })
  expect(await asked('d1', 'application.list')).toMatchObject({
    allowed: true,
    detail: 'd1 may application.list in environment shop-dev, through role viewer in project shop',
  })
  expect(await asked('d1', 'secret.read')).toMatchObject({
    allowed: false,
    detail: 'd1 does not have secret.read in environment shop-dev. owner or admin can grant it.',
    grantedBy: ['owner', 'admin'],
  })
  const holders = await owner(listHolders, { query: { permission: 'secret.read', ...query } })
  expect(holders.items.map(({ user, through }) => [user, through[0]?.role])).toEqual([
    ['admin', 'administrator'],
    ['owner', 'project-owner'],
  ])
  const page = await owner(listHolders, { query: { permission: 'application.list', ...query, limit: 2 } })
  expect([page.items.map(({ user }) => user), page.continue]).toEqual([['admin', 'd1'], 'd1'])
  expect(
    (await caught(client('li')(getUserPermission, { params: { user: 'd1', permission: 'secret.read' }, query }))).body
      .status,
  ).toBe(404)
  const nobody = await caught(asked('nobody', 'secret.read'))
  expect(nobody.body).toMatchObject({ status: 404, detail: expect.stringContaining('qd user list') })
  await run(`update account set "disableTime" = now() where name = 'd3'`)
  await authority.refresh()
  expect(await asked('d3', 'application.list')).toMatchObject({
    allowed: false,
    detail: expect.stringContaining('disabled'),
  })
})

test('[A18] who comes back under the same name has none of the grants, nor has a place', async () => {
  await give('admin', { role: 'developer', user: 'd2', environment: 'bank-prod' })
  await run(`delete from account where name = 'd2'`)
  await run(`insert into account (name, "passwordHash") values ('d2', 'x')`)
  await authority.refresh()
  expect(
    (await client('d2')(listUserPermissions, { params: { user: 'd2' }, query: { environment: 'bank-prod' } })).items,
  ).toEqual([])
  expect((await client('admin')(listGrants, { query: { user: 'd2' } })).total).toBe(0)
})

test('the last administrator stays one', async () => {
  const { items } = await client('admin')(listGrants, { query: { role: 'administrator' } })
  const grant = items[0]?.id ?? ''
  expect((await caught(client('admin')(deleteGrant, { params: { grant } }))).body.status).toBe(409)
  const soon = new Date(Date.now() + 60_000).toISOString()
  expect(
    (await caught(client('admin')(updateGrant, { params: { grant }, body: { expireTime: soon } }))).body.status,
  ).toBe(409)
  expect(
    authority.may(
      { id: authority.decisions.facts.idOf('account', 'admin') ?? '', name: 'admin', kind: 'user', permissions: ['*'] },
      'role.update',
      {},
    ),
  ).toBe(true)
})

test('input that is wrong is refused with the field', async () => {
  const refused = async (body: object) => {
    const { status, errors } = (await caught(client('admin')(createGrant, { body } as never))).body
    return [status, errors?.[0]?.pointer]
  }
  expect(await refused({ role: 'viewer', user: 'li' })).toEqual([400, '/body/environment'])
  expect(await refused({ role: 'viewer', user: 'li', project: 'shop', tenant: 'retail' })).toEqual([
    400,
    '/body/environment',
  ])
  expect(await refused({ role: 'viewer', user: 'li', group: 'devs', project: 'shop' })).toEqual([400, '/body/user'])
  expect(await refused({ role: 'viewer', project: 'shop' })).toEqual([400, '/body/user'])
  expect(await refused({ role: 'viewer', user: 'li', project: 'shop', grantor: 'admin' })).toEqual([
    400,
    '/body/grantor',
  ])
  for (const body of [
    { role: 'nothing', user: 'li', project: 'shop' },
    { role: 'viewer', user: 'nobody', project: 'shop' },
    { role: 'viewer', group: 'nobody', project: 'shop' },
    { role: 'viewer', user: 'li', project: 'nowhere' },
  ]) {
    expect((await refused(body))[0]).toBe(404)
  }
})

test('[A16] a role is made of what one has oneself, cannot be widened beyond it, and built-in ones cannot be changed', async () => {
  const admin = client('admin')
  await admin(createRole, {
    body: { name: 'role-maker', permissions: ['role.update', 'role.list', 'application.restart'] },
  })
  const grant = await give('admin', { role: 'role-maker', user: 'li', platform: true })
  const li = client('li')
  const made = await li(createRole, {
    body: { name: 'restart-only', title: 'Restart only', permissions: ['application.restart'] },
  })
  expect(made).toMatchObject({ name: 'restart-only', builtIn: false, grants: 0 })
  const own = await caught(
    li(updateRole, { params: { role: 'role-maker' }, body: { permissions: ['role.update', 'secret.read'] } }),
  )
  expect(isProblem(own, exceedsOwn)).toBe(true)
  expect(own.body.permission).toBe('secret.read')
  for (const body of [
    { name: 'all', permissions: ['*' as const] },
    { name: 'copy', from: 'administrator' },
  ]) {
    expect(isProblem(await caught(li(createRole, { body })), exceedsOwn)).toBe(true)
  }
  expect((await caught(admin(updateRole, { params: { role: 'viewer' }, body: { title: 'x' } }))).body).toMatchObject({
    status: 409,
    detail: expect.stringContaining('--from viewer'),
  })
  expect((await caught(admin(deleteRole, { params: { role: 'viewer' } }))).body.status).toBe(409)
  expect(
    (await caught(admin(createRole, { body: { name: 'viewer', permissions: ['application.list'] } }))).body.status,
  ).toBe(409)
  const clone = await admin(createRole, { body: { name: 'tester-plus', from: 'tester' } })
  expect(clone.permissions).toContain('container.logs')
  expect(
    (await caught(client('owner')(createRole, { body: { name: 'mine', permissions: ['application.list'] } }))).body
      .status,
  ).toBe(403)
  await client('admin')(deleteGrant, { params: { grant: grant.id } })
})

test('a change of a role counts at once for whoever has it; a role that is granted is not deleted, and it says where', async () => {
  const admin = client('admin')
  const grant = await give('admin', { role: 'restart-only', group: 'devs', environment: 'shop-prod' })
  const may = async () =>
    (
      await client('wang')(listUserPermissions, { params: { user: 'wang' }, query: { environment: 'shop-prod' } })
    ).items.map(({ permission, through }) => `${permission} ${through[0]?.group}`)
  expect(await may()).toEqual(['application.restart devs'])
  await admin(updateRole, {
    params: { role: 'restart-only' },
    body: { permissions: ['application.restart', 'container.logs'] },
  })
  expect(await may()).toEqual(['application.restart devs', 'container.logs devs'])
  expect((await trail('role.update')).at(-1)).toMatchObject({
    what: 'role restart-only',
    detail: 'added container.logs',
  })
  const refused = await caught(admin(deleteRole, { params: { role: 'restart-only' } }))
  expect(isProblem(refused, roleGranted)).toBe(true)
  expect(refused.body.detail).toContain('group devs in environment shop-prod')
  const { items } = await admin(listRoles)
  expect(items.find(({ name }) => name === 'restart-only')?.grants).toBe(1)
  await admin(deleteGrant, { params: { grant: grant.id } })
  await admin(deleteRole, { params: { role: 'restart-only' } })
  expect((await admin(listRoles)).items.map(({ name }) => name)).not.toContain('restart-only')
})
