import type { KubeObject } from '@quarterdeck/kernel'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  LIMITED,
  listOf,
  make,
  makePod,
  namespace,
  platform,
  until,
  withMirror,
} from '../../../test/platform/mirrored.ts'
import {
  type Change,
  getOperation,
  type Operation,
  type Plan,
  undoOperation,
} from '../../delivery/operation/operation.contract.ts'
import { cordonNodes, drainNodes, evictPods, restartObjects, scaleObjects, uncordonNodes } from './act.contract.ts'
import { listObjects } from './object.contract.ts'

withMirror({ nodes: true })

const params = { cluster: 'test' }
// Nodes of this file's own, on which nobody else's pods come: other files share the cluster.
const MARK = Math.random().toString(36).slice(2, 8)
const [DRAINED, KEPT] = [`drained-${MARK}`, `kept-${MARK}`] as const
beforeAll(async () => {
  for (const name of [DRAINED, KEPT]) await addNode(name)
})
afterAll(async () => {
  for (const name of [DRAINED, KEPT]) await platform.cluster.remove({ apiVersion: 'v1', kind: 'Node', name })
})

async function addNode(name: string): Promise<void> {
  const resources = { cpu: '8', memory: '32Gi', pods: '110' }
  const labels = { 'kubernetes.io/hostname': name, mark: MARK }
  await platform.cluster.create({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, annotations: { 'kwok.x-k8s.io/node': 'fake' }, labels },
    spec: { taints: [{ key: 'mark', value: MARK, effect: 'NoSchedule' }] },
    status: { capacity: resources, allocatable: resources },
  })
  await until(async () => {
    const node = await platform.cluster.get({ apiVersion: 'v1', kind: 'Node', name })
    const conditions: { type: string; status: string }[] = node?.status?.conditions ?? []
    return conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
  })
}
const tolerations = [{ key: 'mark', operator: 'Exists' }]
const web = (name: string) => ({ resource: 'deployments', name })
const scale = (body: object, query: object = {}) =>
  platform.client(scaleObjects, { params, query, body: { namespace, ...body } as never })
const restart = (body: object, query: object = {}) =>
  platform.client(restartObjects, { params, query, body: { namespace, ...body } as never })
const evict = (body: object, query: object = {}) =>
  platform.client(evictPods, { params, query, body: { namespace, ...body } as never })
const drain = (body: object, query: object = {}) => platform.client(drainNodes, { params, query, body: body as never })
const get = (change: Change): Promise<Operation> =>
  platform.client(getOperation, { params: { operation: (change as Operation).id } })
const DRY = { dryRun: true }

/** Lets it go on until it has ended. */
async function done(change: Change): Promise<Operation> {
  let operation = await get(change)
  await until(async () => {
    await platform.resync()
    operation = await get(change)
    return operation.endTime !== undefined
  })
  return operation
}
const live = (kind: string, name: string, apiVersion = 'v1') =>
  platform.cluster.get({ apiVersion, kind, name, ...(kind === 'Node' ? {} : { namespace }) })
const deployment = (name: string) => live('Deployment', name, 'apps/v1')

async function makeDeployment(name: string, { replicas = 1, node }: { replicas?: number; node?: string } = {}) {
  const labels = { app: name }
  const spec = {
    containers: [{ name: 'web', image: 'web:1' }],
    ...(node ? { nodeSelector: { 'kubernetes.io/hostname': node }, tolerations } : {}),
  }
  const selector = { matchLabels: labels }
  await make('Deployment', name, { spec: { replicas, selector, template: { metadata: { labels }, spec } } }, 'apps/v1')
  await until(async () => (await deployment(name))?.status?.availableReplicas === replicas)
  await listOf(1, 'deployments', { filter: `name=${name}` })
}
const podsOf = async (app: string): Promise<KubeObject[]> =>
  (await platform.cluster.list({ apiVersion: 'v1', kind: 'Pod', namespace, labelSelector: `app=${app}` })).items

test('[CON-24] two workloads are scaled by one operation, which waits for them, and undone', {
  timeout: 60_000,
}, async () => {
  await makeDeployment('one')
  await makeDeployment('two', { replicas: 2 })
  const body = { objects: [web('one'), web('two')], replicas: 3 }
  const plan = (await scale(body, DRY)) as Plan
  expect(plan).toMatchObject({ summary: 'Scale 2 × Deployment to 3', blockers: [] })
  expect(plan.changes.map(({ action, fields }) => [action, fields])).toEqual([
    ['update', [{ path: 'spec.replicas', before: 1, after: 3 }]],
    ['update', [{ path: 'spec.replicas', before: 2, after: 3 }]],
  ])
  const operation = await done(await scale(body, { planHash: plan.hash }))
  expect(operation).toMatchObject({ state: 'Succeeded', type: 'object.scale' })
  expect((await deployment('two'))?.status?.availableReplicas).toBe(3)
  const undo = await done(await platform.client(undoOperation, { params: { operation: operation.id } }))
  expect(undo.state).toBe('Succeeded')
  expect([(await deployment('one'))?.spec.replicas, (await deployment('two'))?.spec.replicas]).toEqual([1, 2])
})

test('[CON-24] chosen workloads are restarted: every pod is another one afterwards', { timeout: 60_000 }, async () => {
  await makeDeployment('fresh', { replicas: 2 })
  const before = (await podsOf('fresh')).map(({ metadata }) => metadata.uid)
  const plan = (await restart({ objects: [web('fresh')] }, DRY)) as Plan
  expect(plan.changes[0]?.effect).toMatch(/All pods are replaced/)
  const operation = await done(await restart({ objects: [web('fresh')] }, { planHash: plan.hash }))
  expect(operation).toMatchObject({ state: 'Succeeded', undoable: false })
  await until(async () => (await podsOf('fresh')).length === 2)
  const after = (await podsOf('fresh')).map(({ metadata }) => metadata.uid)
  expect(after.filter((uid) => before.includes(uid))).toEqual([])
})

test('[CLU-19] a pod is moved: evicted and made anew, when its PodDisruptionBudget allows it', {
  timeout: 60_000,
}, async () => {
  await makeDeployment('moved')
  const selector = { matchLabels: { app: 'moved' } }
  await make('PodDisruptionBudget', 'moved', { spec: { minAvailable: 1, selector } }, 'policy/v1')
  await until(async () => (await live('PodDisruptionBudget', 'moved', 'policy/v1'))?.status?.expectedPods === 1)
  const [pod] = await podsOf('moved')
  const body = { pods: [{ name: pod?.metadata.name, uid: pod?.metadata.uid }] }
  await listOf(1, 'pods', { filter: `name=${pod?.metadata.name}` })
  const plan = (await evict(body, DRY)) as Plan
  expect(plan.blockers).toEqual([])
  expect(plan.changes).toMatchObject([
    {
      action: 'delete',
      effect: expect.stringMatching(
        /^Leaves node node-\d. ReplicaSet moved-\S+ makes another .* Held back for now: .*disruption budget moved needs 1/,
      ),
    },
  ])
  const accepted = await evict(body)
  await platform.settle()
  const waiting = await get(accepted)
  expect(waiting.state).toBe('Running')
  expect(waiting.steps).toMatchObject([
    {
      name: `Evict Pod ${namespace}/${pod?.metadata.name}`,
      state: 'Running',
      message: expect.stringMatching(/disruption budget moved/),
    },
  ])
  expect((await live('Pod', pod?.metadata.name ?? ''))?.metadata.uid).toBe(pod?.metadata.uid)
  await platform.cluster.patch(
    { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', namespace, name: 'moved' },
    { spec: { minAvailable: 0 } },
  )
  const operation = await done(accepted)
  expect(operation).toMatchObject({ state: 'Succeeded', undoable: false })
  await until(async () => (await deployment('moved'))?.status?.availableReplicas === 1)
  expect((await podsOf('moved')).map(({ metadata }) => metadata.uid)).not.toContain(pod?.metadata.uid)
})

test('[CLU-19] a pod that nothing makes anew is lost only when that is asked for', { timeout: 60_000 }, async () => {
  await makePod('alone')
  await listOf(1, 'pods', { filter: 'name=alone' })
  const body = { pods: [{ name: 'alone' }] }
  expect(((await evict(body, DRY)) as Plan).blockers).toMatchObject([
    { pointer: '/pods/0', detail: expect.stringMatching(/would be lost: nothing makes another/) },
  ])
  await expect(evict(body)).rejects.toMatchObject({ body: { type: '/problems/plan-blocked' } })
  expect((await done(await evict({ ...body, lost: true }))).state).toBe('Succeeded')
  expect(await live('Pod', 'alone')).toBeUndefined()
})

test('[CLU-19] a node is cordoned, drained pod by pod while DaemonSets stay, and uncordoned by undo', {
  timeout: 90_000,
}, async () => {
  const known = () => platform.client(listObjects, { params: { resource: 'nodes' }, query: { cluster: 'test' } })
  await until(async () => (await known()).total >= 5)
  const nodes = [{ name: DRAINED }]
  const cordoned = await done(await platform.client(cordonNodes, { params, query: {}, body: { nodes } }))
  expect(cordoned).toMatchObject({ state: 'Succeeded', summary: `Cordon Node ${DRAINED}` })
  expect((await live('Node', DRAINED))?.spec.unschedulable).toBe(true)
  await done(await platform.client(uncordonNodes, { params, query: {}, body: { nodes } }))
  expect((await live('Node', DRAINED))?.spec.unschedulable).toBeUndefined()

  await makeDeployment('there', { replicas: 2, node: DRAINED })
  const labels = { app: 'agent' }
  const template = {
    metadata: { labels },
    spec: { nodeSelector: { mark: MARK }, tolerations, containers: [{ name: 'agent', image: 'agent:1' }] },
  }
  await make('DaemonSet', 'agent', { spec: { selector: { matchLabels: labels }, template } }, 'apps/v1')
  await until(async () => (await live('DaemonSet', 'agent', 'apps/v1'))?.status?.numberReady === 2)
  const selector = { matchLabels: { app: 'there' } }
  await make('PodDisruptionBudget', 'there', { spec: { maxUnavailable: 0, selector } }, 'policy/v1')
  await until(async () => (await live('PodDisruptionBudget', 'there', 'policy/v1'))?.status?.expectedPods === 2)

  const plan = (await drain({ nodes }, DRY)) as Plan
  const there = plan.changes.filter(({ ref }) => ref.name.startsWith('there-'))
  expect(there.map(({ effect }) => effect)).toEqual([
    expect.stringMatching(/Held back/),
    expect.stringMatching(/Held back/),
  ])
  expect(plan.changes[0]).toMatchObject({
    ref: { kind: 'Node' },
    fields: expect.arrayContaining([{ path: 'spec.unschedulable', after: true }]),
  })
  expect(plan.warnings.join()).toMatch(new RegExp(`since DaemonSets and nodes keep them there: .*${namespace}/agent-`))
  const accepted = await drain({ nodes })
  await platform.settle()
  expect((await get(accepted)).steps.filter(({ name }) => name.includes('/there-'))).toMatchObject([
    { state: 'Running', message: expect.stringMatching(/disruption budget there/) },
    { state: 'Running', message: expect.stringMatching(/disruption budget there/) },
  ])
  await platform.cluster.remove({ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', namespace, name: 'there' })
  const drained = await done(accepted)
  expect(drained).toMatchObject({ state: 'Succeeded', undoable: true })
  const left = await platform.cluster.list({ apiVersion: 'v1', kind: 'Pod', fieldSelector: `spec.nodeName=${DRAINED}` })
  expect(
    left.items.filter(({ metadata }) => metadata.namespace === namespace).map(({ metadata }) => metadata.name),
  ).toEqual([expect.stringMatching(/^agent-/)])
  const undo = await done(await platform.client(undoOperation, { params: { operation: drained.id } }))
  expect(undo).toMatchObject({
    state: 'Succeeded',
    plan: { warnings: ['Pods that were evicted stay where they are now.'] },
  })
  expect((await live('Node', DRAINED))?.spec.unschedulable).toBeUndefined()
})

test('a node that takes pods again ends its drain, and what is left stays', { timeout: 60_000 }, async () => {
  await makeDeployment('stay', { node: KEPT })
  const selector = { matchLabels: { app: 'stay' } }
  await make('PodDisruptionBudget', 'stay', { spec: { minAvailable: 1, selector } }, 'policy/v1')
  await until(async () => (await live('PodDisruptionBudget', 'stay', 'policy/v1'))?.status?.expectedPods === 1)
  const accepted = await drain({ nodes: [{ name: KEPT }] })
  await platform.settle()
  expect((await get(accepted)).state).toBe('Running')
  await platform.cluster.patch({ apiVersion: 'v1', kind: 'Node', name: KEPT }, { spec: { unschedulable: null } })
  const ended = await done(accepted)
  expect(ended).toMatchObject({ state: 'Failed' })
  expect(ended.conditions.find(({ type }) => type === 'Succeeded')?.message).toMatch(
    new RegExp(`Node ${KEPT} takes pods again`),
  )
  expect(await podsOf('stay')).toHaveLength(1)
})

test('a workload that an autoscaler or an application keeps is warned of, a paused one is not restarted', async () => {
  await makeDeployment('auto')
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'auto' }
  await make('HorizontalPodAutoscaler', 'auto', { spec: { scaleTargetRef, maxReplicas: 9 } }, 'autoscaling/v2')
  const plan = (await scale({ objects: [web('auto')], replicas: 2 }, DRY)) as Plan
  expect(plan.warnings).toEqual([
    expect.stringMatching(/HorizontalPodAutoscaler auto sets the replicas of Deployment auto \(1 to 9\)/),
  ])
  await platform.cluster.patch(
    { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'auto' },
    { spec: { paused: true } },
  )
  await expect(restart({ objects: [web('auto')] })).rejects.toMatchObject({
    body: { errors: [{ pointer: '/objects/0', detail: expect.stringMatching(/paused/) }] },
  })
})

test('an act that is wrong is refused at its field and changes nothing', async () => {
  await make('ConfigMap', 'plain')
  await makeDeployment('fixed')
  await listOf(1, 'configmaps', { filter: 'name:plain' })
  const pointerOf = (call: Promise<unknown>) =>
    call.then(
      () => 'accepted',
      ({ body }) => body.errors?.[0]?.pointer ?? body.status,
    )
  const objects = [web('fixed')]
  expect(await pointerOf(scale({ objects, replicas: -1 }))).toBe('/body/replicas')
  expect(await pointerOf(scale({ objects, replicas: 1.5 }))).toBe('/body/replicas')
  expect(await pointerOf(scale({ objects, replicas: 2 ** 31 }))).toBe('/body/replicas')
  expect(await pointerOf(scale({ objects: [], replicas: 1 }))).toBe('/body/objects')
  expect(await pointerOf(scale({ objects: [...objects, ...objects], replicas: 1 }))).toBe('/body/objects/1')
  expect(await pointerOf(scale({ objects: [{ resource: 'cm', name: 'plain' }], replicas: 1 }))).toBe(
    '/body/objects/0/resource',
  )
  expect(await pointerOf(scale({ objects: [{ resource: 'podz', name: 'x' }], replicas: 1 }))).toBe(
    '/body/objects/0/resource',
  )
  expect(await pointerOf(scale({ objects, replicas: 1, namespace: '' }))).toBe('/body/namespace')
  expect(await pointerOf(scale({ objects: [web('nothing')], replicas: 1 }))).toBe(404)
  expect(await pointerOf(scale({ objects: [{ ...web('fixed'), uid: 'another' }], replicas: 1 }))).toBe(404)
  expect(await pointerOf(restart({ objects: [{ resource: 'cm', name: 'plain' }] }))).toBe('/body/objects/0/resource')
  expect(await pointerOf(evict({ pods: [] }))).toBe('/body/pods')
  expect(await pointerOf(evict({ pods: [{ name: 'nothing' }] }))).toBe(404)
  expect(await pointerOf(drain({ nodes: [] }))).toBe('/body/nodes')
  expect(await pointerOf(drain({ nodes: [{ name: 'node-0' }], lost: 'yes' }))).toBe('/body/lost')
  expect(await pointerOf(drain({ nodes: [{ name: 'no-such-node' }] }))).toBe(404)
  expect((await deployment('fixed'))?.spec.replicas).toBe(1)
})

test('whoever sees one namespace moves nothing elsewhere and cordons no node', async () => {
  const limited = platform.as({ name: LIMITED, permissions: ['*'] })
  const looking = platform.as({ permissions: ['object.get', 'object.list'] })
  const nodes = [{ name: 'node-0' }]
  await expect(limited(cordonNodes, { params, query: {}, body: { nodes } })).rejects.toMatchObject({
    body: { status: 404 },
  })
  await expect(limited(drainNodes, { params, query: {}, body: { nodes } })).rejects.toMatchObject({
    body: { status: 404 },
  })
  await expect(
    limited(scaleObjects, {
      params,
      query: {},
      body: { namespace: 'kube-system', objects: [web('dns')], replicas: 0 },
    }),
  ).rejects.toMatchObject({ body: { status: 404 } })
  await expect(looking(cordonNodes, { params, query: {}, body: { nodes } })).rejects.toMatchObject({
    body: { status: 403 },
  })
  expect((await live('Node', 'node-0'))?.spec.unschedulable).toBeUndefined()
})
