import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@quarterdeck/client'
import type { AuditEntry } from '@quarterdeck/kernel'
import { type Platform, startPlatform } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkAudit, listAuditRows } from '../../delivery/operation/audit.store.ts'
import { changeMaker } from '../../delivery/operation/change.routes.ts'
import {
  type Change,
  getOperation,
  listOperations,
  undoOperation,
} from '../../delivery/operation/operation.contract.ts'
import { operationReconciler } from '../../delivery/operation/operation.reconciler.ts'
import { operationRoutes } from '../../delivery/operation/operation.routes.ts'
import { type OpenAuthority, openAuthority } from '../grant/authority.routes.ts'
import { createProject, deleteProject, getProject, listProjects, updateProject } from '../project/project.contract.ts'
import { projectRoutes } from '../project/project.routes.ts'
import { placing, tenantOfProject } from '../tenant/placing.store.ts'
import { createTenant, deleteTenant, getTenant, listTenants, updateTenant } from '../tenant/tenant.contract.ts'
import { tenantRoutes } from '../tenant/tenant.routes.ts'
import { tenants } from '../tenant/tenant.store.ts'
import {
  createEnvironment,
  deleteEnvironment,
  getEnvironment,
  listEnvironments,
  updateEnvironment,
} from './environment.contract.ts'
import { environmentRoutes } from './environment.routes.ts'
import { environmentDefinitions } from './environment.store.ts'
import { usageReader } from './usage.routes.ts'

/** Tenants `retail` (projects shop, till) and `bank` (project loans), with people in them. */
let platform: Platform
let authority: OpenAuthority
const acts: AuditEntry[] = []
const people: Record<string, Client> = {}
const run = `r${Math.random().toString(36).slice(2, 7)}`
const log = { info: () => undefined, warn: () => undefined, error: () => undefined } as never

beforeAll(async () => {
  const definitions = { environment: environmentDefinitions({ applicationsIn: async () => 0, placing }) }
  platform = await startPlatform({
    cluster: { nodes: true },
    server: {
      // Made when the store is there, which is before the first request.
      authority: {
        may: (...asked) => authority.may(...asked),
        somewhere: (...asked) => authority.somewhere(...asked),
        denial: (...asked) => authority.denial(...asked),
      },
    },
    async routes(bound, { db, store, clusters }) {
      authority = openAuthority({ db, listen: store.listen, log })
      await authority.open()
      const clusterOf = (name: string) => clusters.get(name)
      const makeChange = changeMaker({ db, clusterOf, definitions })
      const { environmentsWith } = authority
      operationRoutes(bound, { db, listen: store.listen, undo: makeChange.undo, definitions, environmentsWith })
      const changed = () => authority.refresh()
      const record = async (_: unknown, entry: AuditEntry) => acts.push(entry)
      const usedIn = usageReader({ clusterOf })
      tenantRoutes(bound, { db, usedIn, record, changed })
      projectRoutes(bound, { db, tenants, usedIn, record, changed })
      environmentRoutes(bound, {
        ...{ db, makeChange, clusterOf, changed },
        tenantOf: tenantOfProject,
        countApplications: async () => ({}),
      })
    },
    reconcilers: ({ db, clusters }) => ({
      operation: operationReconciler({
        db,
        clusterOf: (name) => clusters.get(name),
        rolloutOf: () => ({ available: true, message: '', mark: '', exceeded: false }),
        definitions,
      }),
    }),
  })
  await add('root', 'administrator', '')
  const root = client('root')
  await root(createTenant, { body: { name: 'retail', title: 'Retail' } })
  await root(createTenant, { body: { name: 'bank' } })
  for (const [name, tenant] of [
    ['shop', 'retail'],
    ['till', 'retail'],
    ['loans', 'bank'],
  ] as const) {
    await root(createProject, { body: { name, tenant } })
  }
  await add('tina', 'tenant-owner', `tenant = (select id from tenant where name = 'retail')`)
  await add('paul', 'project-owner', `project = (select id from project where name = 'shop')`)
  await add('dora', 'developer', `project = (select id from project where name = 'shop')`)
  await add('carl', 'viewer', `tenant = (select id from tenant where name = 'bank')`)
}, 120_000)
afterAll(async () => {
  authority?.close()
  await platform?.close()
})

/** Somebody with a role; `place` as SQL: a column and the id it gets, '' for the platform. */
async function add(name: string, role: string, place: string): Promise<void> {
  const { db } = platform
  const { rows } = await sql<{ id: string }>`insert into account (name, "passwordHash") values (${name}, 'x')
    returning id`.execute(db)
  const id = rows[0]?.id ?? ''
  const [column, value] = place === '' ? ['', ''] : (place.split(/ = (.*)/s) as [string, string])
  const [columns, values] = column ? [`, ${column}`, `, ${value}`] : ['', '']
  await sql`insert into role_grant (role, account, grantor${sql.raw(columns)})
    select role.id, ${id}::uuid, 'test'${sql.raw(values)} from role where name = ${role}`.execute(db)
  await authority.refresh()
  people[name] = platform.as({ id, name, permissions: ['*'] })
}
const client = (name: string): Client => people[name] as Client

async function ended(change: Change) {
  if (change.kind !== 'Operation') throw new Error('a plan was answered')
  for (;;) {
    const operation = await client('root')(getOperation, { params: { operation: change.id } })
    if (operation.endTime) return operation
    await sleep(20)
  }
}
const name = (short: string) => `${run}-${short}`
const create = (who: string, short: string, body: object) =>
  client(who)(createEnvironment, {
    params: { environment: name(short) },
    query: {},
    body: { cluster: 'test', stage: 'dev', ...body },
  })
const missing = { body: { status: 404 } }
const forbidden = (permission: string) => ({ body: { status: 403, permission } })

test('[TEN-08] everybody sees the tenants, projects and environments that are theirs, and no others', async () => {
  await ended(await create('paul', 'mine', { project: 'shop' }))
  const seen = async (who: string) => ({
    tenants: (await client(who)(listTenants).catch(() => ({ items: [] }))).items.map((one) => one.name),
    projects: (await client(who)(listProjects, { query: {} })).items.map((one) => one.name),
    environments: (await client(who)(listEnvironments, { query: {} })).items.map((one) => one.name),
  })
  expect(await seen('root')).toEqual({
    tenants: ['bank', 'default', 'retail'],
    projects: ['loans', 'default', 'shop', 'till'],
    environments: [name('mine')],
  })
  expect(await seen('tina')).toEqual({ tenants: ['retail'], projects: ['shop', 'till'], environments: [name('mine')] })
  expect(await seen('paul')).toEqual({ tenants: [], projects: ['shop'], environments: [name('mine')] })
  expect(await seen('carl')).toEqual({ tenants: ['bank'], projects: ['loans'], environments: [] })
  await expect(client('carl')(getTenant, { params: { tenant: 'retail' } })).rejects.toMatchObject(missing)
  await expect(client('carl')(getProject, { params: { project: 'shop' } })).rejects.toMatchObject(missing)
  await expect(client('carl')(getEnvironment, { params: { environment: name('mine') } })).rejects.toMatchObject(missing)
})

test('environments are made where one may make them; a stranger learns nothing of one that is there', async () => {
  await expect(create('dora', 'hers', { project: 'shop' })).rejects.toMatchObject(forbidden('environment.create'))
  await expect(create('paul', 'other', { project: 'till' })).rejects.toMatchObject(missing)
  await expect(create('paul', 'other', {})).rejects.toMatchObject(missing)
  await expect(create('tina', 'nowhere', { project: 'nothing' })).rejects.toMatchObject(missing)
  await ended(await create('root', 'loan', { project: 'loans' }))
  await expect(create('tina', 'loan', { project: 'shop' })).rejects.toMatchObject(missing)
  const change = { params: { environment: name('loan') }, query: {}, body: {} }
  await expect(client('carl')(updateEnvironment, change)).rejects.toMatchObject(forbidden('environment.update'))
  await expect(client('tina')(updateEnvironment, change)).rejects.toMatchObject(missing)
})

test('a namespace that is there is taken over only by who may make environments everywhere', async () => {
  const namespace = await platform.namespace()
  await expect(create('tina', 'grab', { project: 'shop', namespace })).rejects.toMatchObject({
    body: {
      type: '/problems/plan-blocked',
      errors: [{ pointer: '/namespace', detail: expect.stringContaining('ask somebody') }],
    },
  })
  const made = await ended(await create('root', 'grab', { project: 'shop', namespace }))
  expect(made.plan.warnings[0]).toContain('is there already')
})

test('[TEN-08] environments share what their project has, and more is refused with the arithmetic', async () => {
  const root = client('root')
  await root(createProject, { body: { name: 'bounded', tenant: 'retail', quota: { cpuRequest: '8' } } })
  await ended(await create('tina', 'one', { project: 'bounded', quota: { cpuRequest: '5' } }))
  await expect(create('tina', 'two', { project: 'bounded', quota: { cpuRequest: '4' } })).rejects.toMatchObject({
    body: {
      type: '/problems/plan-blocked',
      detail: expect.stringContaining(
        'Project bounded has 8 cores of requested CPU; its environments would hold 9 cores',
      ),
      errors: [{ pointer: '/quota/cpuRequest' }],
    },
  })
  await expect(create('tina', 'two', { project: 'bounded' })).rejects.toMatchObject({
    body: { detail: expect.stringContaining('give it a quota of cpuRequest') },
  })
  expect(await client('tina')(getProject, { params: { project: 'bounded' } })).toMatchObject({
    use: [{ resource: 'cpuRequest', allowed: 8, reserved: 5, free: 3 }],
    members: [
      { name: 'root', role: 'administrator', at: 'platform' },
      { name: 'tina', role: 'tenant-owner', at: 'tenant' },
    ],
  })
  await expect(
    client('tina')(updateProject, { params: { project: 'bounded' }, body: { quota: { cpuRequest: '4' } } }),
  ).rejects.toMatchObject({ body: { type: '/problems/quota-exceeded', errors: [{ pointer: '/quota/cpuRequest' }] } })
})

test('[TEN-17] two environments that want the last of a quota at the same moment do not both get it', async () => {
  await client('root')(createProject, { body: { name: 'race', tenant: 'retail', quota: { pods: 10 } } })
  const wishes = ['a', 'b', 'c', 'd'].map((one) =>
    create('tina', `race-${one}`, { project: 'race', quota: { pods: 6 } }),
  )
  const results = await Promise.allSettled(wishes)
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  for (const result of results) if (result.status === 'fulfilled') await ended(result.value)
})

test('over-commit and the quota of a tenant are for the platform to set, not for the tenant', async () => {
  const change = (who: string, body: object) => client(who)(updateTenant, { params: { tenant: 'retail' }, body })
  await expect(change('tina', { overcommit: 10 })).rejects.toMatchObject(forbidden('quota.update'))
  await expect(change('tina', { quota: {} })).rejects.toMatchObject(forbidden('quota.update'))
  await expect(change('tina', { clusters: [] })).rejects.toMatchObject(forbidden('quota.update'))
  expect(await change('tina', { title: 'Retail banking' })).toMatchObject({ title: 'Retail banking' })
  await expect(
    client('paul')(updateProject, { params: { project: 'shop' }, body: { quota: { pods: 1 } } }),
  ).rejects.toMatchObject(forbidden('quota.update'))
  await expect(change('root', { overcommit: 0.5 })).rejects.toMatchObject({
    body: { type: '/problems/invalid-input', errors: [{ pointer: expect.stringContaining('overcommit') }] },
  })
  await expect(change('root', { quota: { cpuRequest: '1e3' } })).rejects.toMatchObject({
    body: { errors: [{ pointer: expect.stringContaining('cpuRequest'), detail: expect.stringContaining('250m') }] },
  })
  expect(await change('root', { overcommit: 1.5 })).toMatchObject({ overcommit: 1.5 })
  await ended(await create('tina', 'two', { project: 'bounded', quota: { cpuRequest: '7' } }))
  await expect(change('root', { overcommit: 1 })).rejects.toMatchObject({
    body: { type: '/problems/quota-exceeded', detail: expect.stringContaining('would hold 12 cores') },
  })
})

test('a tenant that has some clusters gets environments on no other', async () => {
  await client('root')(updateTenant, { params: { tenant: 'bank' }, body: { clusters: ['test'] } })
  await expect(
    client('root')(updateTenant, { params: { tenant: 'bank' }, body: { clusters: ['elsewhere'] } }),
  ).rejects.toMatchObject({ body: { status: 409, errors: [{ pointer: '/clusters' }] } })
  await client('root')(createTenant, { body: { name: 'guests', clusters: ['elsewhere'] } })
  await client('root')(createProject, { body: { name: 'guest', tenant: 'guests' } })
  await expect(create('root', 'guest', { project: 'guest' })).rejects.toMatchObject({
    body: { errors: [{ pointer: '/cluster', detail: expect.stringContaining('on elsewhere only') }] },
  })
})

test('an environment moves between projects of its tenant, with its label and what is granted', async () => {
  const move = (who: string, short: string, project: string) =>
    client(who)(updateEnvironment, { params: { environment: name(short) }, query: {}, body: { project } })
  await expect(move('paul', 'mine', 'till')).rejects.toMatchObject(missing)
  await expect(move('root', 'mine', 'loans')).rejects.toMatchObject({
    body: { status: 409, detail: expect.stringContaining('moves only within its tenant') },
  })
  const moved = await ended(await move('tina', 'mine', 'till'))
  expect(moved.plan.warnings[0]).toContain('It leaves project shop')
  const ref = { apiVersion: 'v1', kind: 'Namespace', name: name('mine') }
  expect((await platform.cluster.get(ref))?.metadata.labels?.['quarterdeck.dev/project']).toBe('till')
  const look = (who: string) => client(who)(getEnvironment, { params: { environment: name('mine') } })
  await expect(look('paul')).rejects.toMatchObject(missing)
  expect(await look('tina')).toMatchObject({ project: 'till' })
  await ended(await client('tina')(undoOperation, { params: { operation: moved.id }, query: {} }))
  expect(await look('paul')).toMatchObject({ project: 'shop' })
})

test('who may undo does not for that reason change or delete environments', async () => {
  const changed = await ended(
    await client('paul')(updateEnvironment, {
      params: { environment: name('mine') },
      query: {},
      body: { isolation: 'open' },
    }),
  )
  await expect(client('dora')(undoOperation, { params: { operation: changed.id }, query: {} })).rejects.toMatchObject(
    forbidden('environment.update'),
  )
  await ended(await client('paul')(undoOperation, { params: { operation: changed.id }, query: {} }))
})

test('[TEN-08] members of an environment see nothing of an earlier one that had its name', async () => {
  const before = await ended(await create('tina', 'again', { project: 'till' }))
  const gone = await ended(
    await client('tina')(deleteEnvironment, { params: { environment: name('again') }, query: {} }),
  )
  const made = await ended(await create('paul', 'again', { project: 'shop' }))
  const listed = async (who: string) => {
    const { items } = await client(who)(listOperations, { query: { environment: name('again') } })
    return items.map(({ id }) => id)
  }
  expect(await listed('paul')).toEqual([made.id])
  expect(await listed('tina')).toEqual([made.id])
  expect(await listed('root')).toEqual([made.id, gone.id, before.id])
  for (const { id } of [before, gone]) {
    await expect(client('paul')(getOperation, { params: { operation: id } })).rejects.toMatchObject(missing)
    await expect(client('paul')(undoOperation, { params: { operation: id }, query: {} })).rejects.toMatchObject(missing)
  }
  expect((await client('paul')(getOperation, { params: { operation: made.id } })).id).toBe(made.id)
  const events = (await listAuditRows(platform.db, { environments: new Set([name('again')]), limit: 100 })).map(
    ({ operation }) => operation,
  )
  expect(new Set(events)).toEqual(new Set([made.id]))
  expect(await checkAudit(platform.db)).not.toHaveProperty('broken')
})

test('what still holds something is not deleted and says what; then it goes, and what is there from the start stays', async () => {
  const root = client('root')
  await expect(client('tina')(deleteProject, { params: { project: 'shop' } })).rejects.toMatchObject({
    body: { type: '/problems/project-in-use', detail: expect.stringContaining(name('mine')) },
  })
  await expect(root(deleteTenant, { params: { tenant: 'bank' } })).rejects.toMatchObject({
    body: { type: '/problems/tenant-in-use', detail: expect.stringContaining('loans') },
  })
  await ended(await root(deleteEnvironment, { params: { environment: name('loan') }, query: {} }))
  await root(deleteProject, { params: { project: 'loans' } })
  await root(deleteTenant, { params: { tenant: 'bank' } })
  await expect(root(getTenant, { params: { tenant: 'bank' } })).rejects.toMatchObject(missing)
  await expect(root(deleteTenant, { params: { tenant: 'default' } })).rejects.toMatchObject({ body: { status: 409 } })
  await expect(root(deleteProject, { params: { project: 'default' } })).rejects.toMatchObject({ body: { status: 409 } })
  await expect(root(createTenant, { body: { name: 'retail' } })).rejects.toMatchObject({
    body: { type: '/problems/tenant-name-taken' },
  })
  await expect(root(createProject, { body: { name: 'shop', tenant: 'guests' } })).rejects.toMatchObject({
    body: { type: '/problems/project-name-taken' },
  })
  await expect(client('tina')(createTenant, { body: { name: 'more' } })).rejects.toMatchObject(
    forbidden('tenant.create'),
  )
  await expect(client('paul')(deleteProject, { params: { project: 'shop' } })).rejects.toMatchObject(
    forbidden('project.delete'),
  )
  expect(acts.map(({ act, what }) => `${act} ${what}`)).toEqual(
    expect.arrayContaining(['tenant.create tenant bank', 'project.delete project loans', 'tenant.delete tenant bank']),
  )
})
