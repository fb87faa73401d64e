import { setTimeout as sleep } from 'node:timers/promises'
import { clusterUnreachable } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import { type Platform, startPlatform } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { changeMaker } from '../../delivery/operation/change.routes.ts'
import {
  getOperation,
  type MakeChange,
  type Operation,
  type Plan,
  undoOperation,
} from '../../delivery/operation/operation.contract.ts'
import { operationReconciler } from '../../delivery/operation/operation.reconciler.ts'
import { operationRoutes } from '../../delivery/operation/operation.routes.ts'
import { placing, tenantOfProject } from '../tenant/placing.store.ts'
import { ensureFirstEnvironment } from './change-environment.routes.ts'
import {
  createEnvironment,
  deleteEnvironment,
  getEnvironment,
  listEnvironments,
  updateEnvironment,
} from './environment.contract.ts'
import { environmentRoutes } from './environment.routes.ts'
import { environmentDefinitions } from './environment.store.ts'

let platform: Platform
let makeChange: MakeChange
let clusterOf: (name: string) => Promise<Cluster>
/** Stands for the application feature. */
const applications: Record<string, number> = {}
let reachable = true
const places = { tenantOf: tenantOfProject, changed: async () => {} }

beforeAll(async () => {
  const definitions = {
    environment: environmentDefinitions({ applicationsIn: async (_, name) => applications[name] ?? 0, placing }),
  }
  platform = await startPlatform({
    cluster: { nodes: true },
    routes(server, { db, store, clusters }) {
      clusterOf = async (name) => {
        if (!reachable) throw clusterUnreachable({ detail: `Cluster ${name}: nothing listens there.` })
        return clusters.get(name)
      }
      const change = changeMaker({ db, clusterOf, definitions })
      makeChange = change
      operationRoutes(server, {
        db,
        listen: (channel, fn) => store.listen(channel, fn),
        undo: change.undo,
        definitions,
        environmentsWith: () => undefined,
      })
      environmentRoutes(server, { db, makeChange, clusterOf, ...places, countApplications: async () => applications })
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
}, 60_000)
afterAll(() => platform?.close())

let name: string
beforeEach(() => {
  name = `e${Math.random().toString(36).slice(2, 8)}`
})
afterEach(() => {
  reachable = true
  for (const key of Object.keys(applications)) delete applications[key]
})

const create = (body: object = {}, query: object = {}) =>
  platform.client(createEnvironment, {
    params: { environment: name },
    query,
    body: { cluster: 'test', stage: 'test', ...body },
  })
const remove = (query: object = {}) => platform.client(deleteEnvironment, { params: { environment: name }, query })
const get = () => platform.client(getEnvironment, { params: { environment: name } })
const namespace = (of = name) => platform.cluster.get({ apiVersion: 'v1', kind: 'Namespace', name: of })
async function ended(change: Operation | Plan): Promise<Operation> {
  if (change.kind !== 'Operation') throw new Error('a plan was answered')
  for (;;) {
    const operation = await platform.client(getOperation, { params: { operation: change.id } })
    if (operation.endTime) return operation
    await sleep(20)
  }
}

test('an environment is a namespace with its stage on it', async () => {
  const operation = await ended(await create({ title: 'For testers' }))
  expect(operation).toMatchObject({ state: 'Succeeded', environment: name })
  expect((await namespace())?.metadata.labels).toMatchObject({
    'quarterdeck.dev/stage': 'test',
    'app.kubernetes.io/managed-by': 'quarterdeck',
  })
  expect(await get()).toMatchObject({ state: 'Ready', stage: 'test', title: 'For testers', applications: 0 })
})

test('making it again changes nothing; another stage changes the label and can be undone', async () => {
  await ended(await create())
  const again = await ended(await create())
  expect(new Set(again.plan.changes.map(({ action }) => action))).toEqual(new Set(['unchanged']))
  const changed = await ended(await create({ stage: 'prod' }))
  expect(await get()).toMatchObject({ stage: 'prod' })
  await ended(await platform.client(undoOperation, { params: { operation: changed.id }, query: {} }))
  expect(await get()).toMatchObject({ stage: 'test' })
  expect((await namespace())?.metadata.labels?.['quarterdeck.dev/stage']).toBe('test')
})

test('a namespace belongs to one environment, and those of Kubernetes itself to none', async () => {
  await ended(await create())
  const first = name
  name = `${name}x`
  await expect(create({ namespace: first })).rejects.toMatchObject({ body: { type: '/problems/namespace-taken' } })
  await expect(create({ namespace: 'kube-system' })).rejects.toMatchObject({
    body: { errors: [{ pointer: '/namespace' }] },
  })
  await expect(create({ cluster: 'nowhere' })).rejects.toMatchObject({ body: { status: 404 } })
  name = first
  await expect(create({ namespace: 'elsewhere' })).rejects.toMatchObject({
    body: { status: 409, detail: expect.stringContaining('cannot move') },
  })
})

test('deleting takes the namespace along and the environment goes when that is gone', async () => {
  await ended(await create())
  const plan = await remove({ dryRun: true })
  expect(plan.kind === 'Plan' && plan.changes[0]).toMatchObject({
    action: 'delete',
    effect: 'Everything in the namespace is deleted with it',
  })
  const operation = await ended(await remove())
  expect(operation.state).toBe('Succeeded')
  expect(await namespace()).toBeUndefined()
  await expect(get()).rejects.toMatchObject({ body: { status: 404 } })
  expect(
    (await ended(await platform.client(undoOperation, { params: { operation: operation.id }, query: {} }))).state,
  ).toBe('Succeeded')
  expect(await get()).toMatchObject({ state: 'Ready', stage: 'test' })
}, 60_000)

const podIn = (namespace: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'theirs', namespace },
  spec: { containers: [{ name: 'theirs', image: 'hello:1' }] },
})

test('a namespace that was there before the environment stays with all that runs in it, only our labels go', async () => {
  const labels = { team: 'theirs' }
  await platform.cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })
  const pod = podIn(name)
  await platform.cluster.create(pod)
  const made = await ended(await create())
  expect(made.plan.warnings[0]).toMatch(/is there already; Pod theirs in it stay.*will leave it there/)
  await ended(await create({ stage: 'prod' }))
  const removed = await ended(await remove())
  expect(removed).toMatchObject({ state: 'Succeeded', plan: { changes: [{ action: 'update' }, {}, {}] } })
  expect(removed.plan.changes.slice(1).map(({ action }) => action)).toEqual(['delete', 'delete'])
  expect(removed.plan.warnings[0]).toContain('it stays, with Pod theirs')
  await expect(get()).rejects.toMatchObject({ body: { status: 404 } })
  expect((await namespace())?.metadata).toMatchObject({ labels })
  expect((await namespace())?.metadata.labels).not.toHaveProperty('quarterdeck.dev/environment')
  expect((await namespace())?.metadata.deletionTimestamp).toBeUndefined()
  const undo = await platform.client(undoOperation, { params: { operation: removed.id }, query: {} })
  expect((await ended(undo)).state).toBe('Succeeded')
  await ended(await remove())
  expect(await namespace()).toBeDefined()
})

test('what others put into the namespace of an environment is named and goes only when that is forced', async () => {
  await ended(await create())
  await platform.cluster.create(podIn(name))
  await expect(remove()).rejects.toMatchObject({
    body: { type: '/problems/plan-blocked', detail: expect.stringContaining('also holds Pod theirs') },
  })
  const operation = await ended(await remove({ force: true }))
  expect(operation.plan.warnings[0]).toContain('Pod theirs')
  expect(await namespace()).toBeUndefined()
}, 60_000)

test('the first environment leaves a namespace of somebody else alone and takes a free one', async () => {
  await sql`delete from environment`.execute(platform.db)
  await platform.cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  const first = await ensureFirstEnvironment(
    { db: platform.db, clusterOf, makeChange, tenantOf: tenantOfProject },
    { cluster: 'test', name },
  )
  expect(first.name).toBe(name)
  await platform.settle()
  expect(await get()).toMatchObject({ namespace: `quarterdeck-${name}`, state: 'Ready' })
  expect((await namespace())?.metadata.labels).not.toHaveProperty('quarterdeck.dev/environment')
})

test('an environment that holds applications is neither deleted nor undone', async () => {
  const made = await ended(await create())
  applications[name] = 2
  await expect(remove()).rejects.toMatchObject({
    body: { type: '/problems/environment-in-use', detail: expect.stringContaining('2 applications') },
  })
  await expect(platform.client(undoOperation, { params: { operation: made.id }, query: {} })).rejects.toMatchObject({
    body: { type: '/problems/plan-blocked', detail: expect.stringContaining('still holds 2 applications') },
  })
  expect(await namespace()).toBeDefined()
})

test('a namespace that somebody else deleted is seen, and creating the environment again brings it back', async () => {
  await ended(await create())
  await platform.cluster.remove({ apiVersion: 'v1', kind: 'Namespace', name })
  while (await namespace()) await sleep(50)
  expect(await get()).toMatchObject({
    state: 'Failed',
    message: expect.stringContaining('is not on cluster test any more'),
  })
  await ended(await create())
  expect(await get()).toMatchObject({ state: 'Ready' })
}, 60_000)

test('a cluster that does not answer leaves the environment readable and says so', async () => {
  await ended(await create())
  reachable = false
  expect(await get()).toMatchObject({ state: 'Unknown', message: expect.stringContaining('nothing listens there') })
  expect((await platform.client(listEnvironments)).items.map((one) => one.name)).toContain(name)
  await expect(create({ stage: 'prod' })).rejects.toMatchObject({
    body: { type: '/problems/cluster-unreachable', status: 504 },
  })
})

test('the first environment is made once, however often it is asked for', async () => {
  await sql`delete from environment`.execute(platform.db)
  const first = await ensureFirstEnvironment(
    { db: platform.db, clusterOf, makeChange, tenantOf: tenantOfProject },
    { cluster: 'test', name },
  )
  const again = await ensureFirstEnvironment(
    { db: platform.db, clusterOf, makeChange, tenantOf: tenantOfProject },
    { cluster: 'test', name: 'other' },
  )
  expect(first).toMatchObject({ name, operation: expect.any(String) })
  expect(again).toEqual({ name })
  await platform.settle()
  expect(await namespace()).toBeDefined()
})

test('who may only look cannot make one', async () => {
  const viewer = platform.as({ permissions: ['environment.list'] })
  await expect(
    viewer(createEnvironment, { params: { environment: name }, query: {}, body: { cluster: 'test', stage: 'dev' } }),
  ).rejects.toMatchObject({ body: { permission: 'environment.create' } })
})

const at = (kind: string, object: string, apiVersion = 'v1') =>
  platform.cluster.get({ apiVersion, kind, namespace: name, name: object })
const update = (body: object = {}, query: object = {}) =>
  platform.client(updateEnvironment, { params: { environment: name }, query, body })

/** What the API server says of the executor of this environment. */
async function executorMay(attributes: object): Promise<boolean> {
  const { object } = await platform.cluster.create({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    metadata: { name: '' },
    spec: { user: `quarterdeck:executor:${name}`, resourceAttributes: attributes },
  })
  return object.status?.allowed === true
}

test('[TEN-08] one operation makes namespace, quota, limits, isolation and executor, all of it in the plan; undo takes all back', async () => {
  const body = { quota: { cpuRequest: '2', memoryLimit: '4Gi', pods: 5 }, limits: { most: { memory: '256Mi' } } }
  const plan = await create(body, { dryRun: true })
  expect(plan.kind === 'Plan' && plan.blockers).toEqual([])
  expect(await namespace()).toBeUndefined()
  const made = await ended(await create(body))
  expect(made.state).toBe('Succeeded')
  expect(made.plan.changes.map(({ action, ref }) => `${action} ${ref.kind} ${ref.name}`)).toEqual([
    `create Namespace ${name}`,
    'create ResourceQuota quarterdeck',
    'create LimitRange quarterdeck',
    'create NetworkPolicy quarterdeck-isolation',
    'create Role quarterdeck-executor',
    'create RoleBinding quarterdeck-executor',
  ])
  expect((await namespace())?.metadata.labels).toMatchObject({
    'quarterdeck.dev/project': 'default',
    'quarterdeck.dev/tenant': 'default',
    'pod-security.kubernetes.io/enforce': 'baseline',
  })
  expect((await at('ResourceQuota', 'quarterdeck'))?.spec?.hard).toEqual({
    'requests.cpu': '2',
    'limits.memory': '4Gi',
    pods: '5',
  })
  expect((await at('LimitRange', 'quarterdeck'))?.spec?.limits).toMatchObject([
    { type: 'Container', defaultRequest: { cpu: '100m' }, default: { memory: '256Mi' }, max: { memory: '256Mi' } },
  ])
  expect((await at('NetworkPolicy', 'quarterdeck-isolation', 'networking.k8s.io/v1'))?.spec).toMatchObject({
    podSelector: {},
    policyTypes: ['Ingress', 'Egress'],
    ingress: [{ from: [{ podSelector: {} }] }],
  })
  expect(await get()).toMatchObject({ project: 'default', tenant: 'default', isolation: 'isolated', outdated: [] })
  const undo = await platform.client(undoOperation, { params: { operation: made.id }, query: {} })
  expect((await ended(undo)).state).toBe('Succeeded')
  expect(await namespace()).toBeUndefined()
  const again = await platform.client(undoOperation, {
    params: { operation: undo.kind === 'Operation' ? undo.id : '' },
    query: {},
  })
  expect((await ended(again)).state).toBe('Succeeded')
  expect(await get()).toMatchObject({ state: 'Ready', quota: body.quota, limits: body.limits, outdated: [] })
}, 60_000)

test('the executor may what operations apply in its namespace, and nothing else anywhere', async () => {
  await ended(await create())
  const deployment = { group: 'apps', resource: 'deployments', verb: 'patch' }
  expect(await executorMay({ ...deployment, namespace: name })).toBe(true)
  expect(await executorMay({ resource: 'secrets', verb: 'create', namespace: name })).toBe(true)
  expect(await executorMay({ ...deployment, namespace: 'default' })).toBe(false)
  expect(await executorMay(deployment)).toBe(false)
  for (const resource of ['resourcequotas', 'limitranges', 'pods/exec', 'namespaces']) {
    expect([resource, await executorMay({ resource, verb: 'patch', namespace: name })]).toEqual([resource, false])
  }
  for (const resource of ['roles', 'rolebindings']) {
    const group = 'rbac.authorization.k8s.io'
    expect(await executorMay({ group, resource, verb: 'create', namespace: name })).toBe(false)
  }
  const group = 'networking.k8s.io'
  expect(await executorMay({ group, resource: 'networkpolicies', verb: 'patch', namespace: name })).toBe(false)
})

test('[TEN-10] the cluster holds pods to the quota, and the environment shows what is used and free', async () => {
  await ended(await create({ quota: { pods: 1, cpuRequest: '500m' } }))
  const quota = async () => (await at('ResourceQuota', 'quarterdeck'))?.status?.used?.pods
  while ((await quota()) === undefined) await sleep(50)
  while (!(await at('ServiceAccount', 'default'))) await sleep(50)
  await platform.cluster.create(podIn(name))
  const second = podIn(name)
  second.metadata.name = 'second'
  await expect(platform.cluster.create(second)).rejects.toMatchObject({
    message: expect.stringContaining('exceeded quota'),
  })
  while ((await quota()) !== '1') await sleep(50)
  expect((await get()).use).toEqual([
    { resource: 'cpuRequest', allowed: 0.5, reserved: 0.5, used: 0.1, free: 0.4 },
    { resource: 'pods', allowed: 1, reserved: 1, used: 1, free: 0 },
  ])
  const raised = await ended(await update({ quota: { pods: 3, cpuRequest: '500m' } }))
  expect(raised.plan.changes.filter(({ action }) => action !== 'unchanged')).toMatchObject([
    { ref: { kind: 'ResourceQuota' }, fields: [{ path: 'spec.hard.pods', before: '1', after: '3' }] },
  ])
  await ended(await platform.client(undoOperation, { params: { operation: raised.id }, query: {} }))
  expect((await get()).quota).toEqual({ pods: 1, cpuRequest: '500m' })
}, 60_000)

test('isolation is chosen: open takes the policy away, project lets in the other environments of the project', async () => {
  await ended(await create())
  const policy = () => at('NetworkPolicy', 'quarterdeck-isolation', 'networking.k8s.io/v1')
  await ended(await update({ isolation: 'project' }))
  expect((await policy())?.spec?.ingress).toEqual([
    {
      from: [{ podSelector: {} }, { namespaceSelector: { matchLabels: { 'quarterdeck.dev/project': 'default' } } }],
    },
  ])
  const opened = await ended(await update({ isolation: 'open' }))
  expect(await policy()).toBeUndefined()
  await ended(await platform.client(undoOperation, { params: { operation: opened.id }, query: {} }))
  expect(await policy()).toBeDefined()
  expect(await get()).toMatchObject({ isolation: 'project', outdated: [] })
})

test('an environment from before there was more goes on as it is until it is brought up to date, and can go back', async () => {
  const labels = {
    'app.kubernetes.io/managed-by': 'quarterdeck',
    'quarterdeck.dev/environment': name,
    'quarterdeck.dev/stage': 'dev',
  }
  await platform.cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })
  await sql`insert into environment (name, cluster, namespace, stage, "createTime", operation, state)
    values (${name}, 'test', ${name}, 'dev', now(), gen_random_uuid(), 'Ready')`.execute(platform.db)
  expect((await get()).outdated).toEqual(['It was made before environments had limits, isolation and an executor'])
  const dated = await ended(await update())
  expect(dated.state).toBe('Succeeded')
  expect(dated.plan.changes.map(({ action, ref }) => `${action} ${ref.kind}`)).toEqual([
    'update Namespace',
    'create Role',
    'create RoleBinding',
  ])
  expect(await get()).toMatchObject({ isolation: 'open', podSecurity: 'privileged', outdated: [] })
  await ended(await platform.client(undoOperation, { params: { operation: dated.id }, query: {} }))
  expect((await get()).isolation).toBeUndefined()
  expect(await at('RoleBinding', 'quarterdeck-executor', 'rbac.authorization.k8s.io/v1')).toBeUndefined()
})

test('what somebody else changed or deleted of an environment is seen, and changing it in nothing puts it right', async () => {
  await ended(await create({ quota: { pods: 2 } }))
  const binding = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', namespace: name }
  await platform.cluster.remove({ ...binding, name: 'quarterdeck-executor' })
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'quarterdeck', namespace: name } }
  await platform.cluster.apply({ ...quota, spec: { hard: { pods: '100' } } }, { force: true, fieldManager: 'somebody' })
  expect((await get()).outdated).toEqual([
    'ResourceQuota quarterdeck was changed by somebody else',
    'RoleBinding quarterdeck-executor is missing',
  ])
  await expect(update()).rejects.toMatchObject({ body: { type: '/problems/fields-managed-elsewhere' } })
  await ended(await update({}, { force: true }))
  expect((await get()).outdated).toEqual([])
  expect((await at('ResourceQuota', 'quarterdeck'))?.spec?.hard).toEqual({ pods: '2' })
})

test('a namespace that is there keeps its labels and is not cut off when it is taken over', async () => {
  const enforced = { 'pod-security.kubernetes.io/enforce': 'restricted' }
  await platform.cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: enforced } })
  const made = await ended(await create())
  expect(made.state).toBe('Succeeded')
  expect(await get()).toMatchObject({ isolation: 'open', podSecurity: 'restricted' })
  expect((await namespace())?.metadata.labels).toMatchObject(enforced)
})
