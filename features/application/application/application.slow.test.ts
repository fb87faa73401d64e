import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeObject } from '@quarterdeck/kernel'
import { type Mirror, openMirror } from '@quarterdeck/mirror'
import { type Platform, startPlatform } from '@quarterdeck/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { nodePortHolders } from '../../cluster/object/node-port.routes.ts'
import { changeMaker } from '../../delivery/operation/change.routes.ts'
import type { Operation, Plan } from '../../delivery/operation/operation.contract.ts'
import { getOperation, undoOperation } from '../../delivery/operation/operation.contract.ts'
import { operationReconciler } from '../../delivery/operation/operation.reconciler.ts'
import { operationRoutes } from '../../delivery/operation/operation.routes.ts'
import { type ImageConfig, imageAbsent, registryUnreachable } from '../../image/image/image.contract.ts'
import { createEnvironment } from '../../tenancy/environment/environment.contract.ts'
import { environmentRoutes, getEnvironmentPlace } from '../../tenancy/environment/environment.routes.ts'
import { environmentDefinitions, hold } from '../../tenancy/environment/environment.store.ts'
import { placing, tenantOfProject } from '../../tenancy/tenant/placing.store.ts'
import {
  deleteApplication,
  deployApplication,
  getApplication,
  getApplicationYaml,
  listApplications,
  restartApplication,
  restartPod,
  scaleApplication,
  setApplicationImage,
} from './application.contract.ts'
import { applicationRoutes } from './application.routes.ts'
import { applicationDefinitions, countByEnvironment, countIn } from './application.store.ts'
import { rolloutOf } from './rollout.rules.ts'

// With nodes: the Deployment controller and pods that become Ready, but no real containers.
let platform: Platform
let mirror: Mirror
const images = new Map<string, ImageConfig>()
const hello = (tag: string): ImageConfig => ({
  image: `registry.example.com/hello:${tag}`,
  digest: `sha256:${tag.repeat(64)}`,
  architecture: 'amd64',
  os: 'linux',
  sizeBytes: 1,
  ports: [{ port: 8080, protocol: 'TCP' }],
  user: '1000',
  volumes: ['/data'],
  entrypoint: [],
  command: [],
  environment: [],
  labels: {},
})

beforeAll(async () => {
  const definitions = {
    application: applicationDefinitions({ holdEnvironment: hold }),
    environment: environmentDefinitions({ applicationsIn: countIn, placing }),
  }
  mirror = openMirror({ log: { info: () => undefined, warn: () => undefined } })
  platform = await startPlatform({
    cluster: { nodes: true },
    routes(server, { db, store, clusters }) {
      const clusterOf = (name: string) => clusters.get(name)
      const makeChange = changeMaker({ db, clusterOf, definitions })
      operationRoutes(server, {
        db,
        listen: (channel, fn) => store.listen(channel, fn),
        undo: makeChange.undo,
        definitions,
        environmentsWith: () => undefined,
      })
      environmentRoutes(server, {
        db,
        makeChange,
        clusterOf,
        tenantOf: tenantOfProject,
        countApplications: countByEnvironment,
        changed: async () => {},
      })
      applicationRoutes(server, {
        db,
        makeChange,
        clusterOf,
        placeOf: (environment) => getEnvironmentPlace(db, environment),
        async inspect(image) {
          if (image.includes('down.example.com'))
            throw registryUnreachable({ detail: 'down.example.com does not answer' })
          const config = images.get(image)
          if (!config) throw imageAbsent({ detail: `The registry has no image ${image}` })
          return config
        },
        nodePortHolders: (cluster, ports) => nodePortHolders(mirror, cluster, ports),
      })
    },
    reconcilers: ({ db, clusters }) => ({
      operation: operationReconciler({ db, clusterOf: (name) => clusters.get(name), rolloutOf, definitions }),
    }),
  })
  mirror.watch({ name: 'test', kubeconfig: platform.kubeconfig, revision: '1' })
  for (const tag of ['1', '2']) images.set(`registry.example.com/hello:${tag}`, hello(tag))
}, 60_000)
afterAll(async () => {
  await mirror?.close()
  await platform?.close()
})

let environment: string
let namespace: string
beforeEach(async () => {
  environment = `e${Math.random().toString(36).slice(2, 8)}`
  namespace = environment
  await ended(
    await platform.client(createEnvironment, {
      params: { environment },
      query: {},
      body: { cluster: 'test', stage: 'dev' },
    }),
  )
})

async function ended(change: Operation | Plan): Promise<Operation> {
  if (change.kind !== 'Operation') throw new Error('a plan was answered')
  for (;;) {
    const operation = await platform.client(getOperation, { params: { operation: change.id } })
    if (operation.endTime) return operation
    await sleep(20)
  }
}
const at = (application: string) => ({ environment, application })
const deploy = (application: string, body: object = {}, query: object = {}) =>
  platform.client(deployApplication, {
    params: at(application),
    query,
    body: { image: 'registry.example.com/hello:1', ...body },
  })
const object = (kind: string, name: string): Promise<KubeObject | undefined> =>
  platform.cluster.get({ apiVersion: kind === 'Deployment' ? 'apps/v1' : 'v1', kind, namespace, name })

test('[APP-22] [APP-36] [DEL-13] an image and a name are enough: Deployment, Service and pods follow', async () => {
  const operation = await ended(await deploy('shop'))
  expect(operation).toMatchObject({ state: 'Succeeded', summary: `Deploy shop to ${environment}` })
  const deployment = await object('Deployment', 'shop')
  expect(deployment?.status?.availableReplicas).toBe(1)
  expect(deployment?.spec.template.spec.containers[0]).toMatchObject({
    ports: [{ name: 'http', containerPort: 8080 }],
    volumeMounts: [{ mountPath: '/data' }],
    securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false },
  })
  expect((await object('Service', 'shop'))?.spec.type).toBe('NodePort')
  const application = await platform.client(getApplication, { params: at('shop') })
  expect(application).toMatchObject({
    state: 'Healthy',
    readyReplicas: 1,
    spec: { image: 'registry.example.com/hello:1' },
  })
  expect(application.conditions).toContainEqual(expect.objectContaining({ type: 'AsDeclared', status: 'True' }))
})

test('[APP-20] the walk leads from Deployment over ReplicaSet and pod to the container', async () => {
  await ended(await deploy('shop', { replicas: 2 }))
  await ended(
    await platform.client(setApplicationImage, {
      params: at('shop'),
      query: {},
      body: { image: 'registry.example.com/hello:2' },
    }),
  )
  const { replicaSets } = await platform.client(getApplication, { params: at('shop') })
  expect(replicaSets.map(({ revision, current, replicas }) => ({ revision, current, replicas }))).toEqual([
    { revision: 2, current: true, replicas: 2 },
    { revision: 1, current: false, replicas: 0 },
  ])
  expect(replicaSets[0]?.pods).toHaveLength(2)
  expect(replicaSets[0]?.pods[0]?.containers[0]).toMatchObject({ name: 'shop', state: 'Running', ready: true })
})

test('[DEL-17] a plan says field by field what a new image does, changes nothing, and its hash is accepted', async () => {
  await ended(await deploy('shop'))
  const body = { image: 'registry.example.com/hello:2' }
  const plan = await platform.client(setApplicationImage, { params: at('shop'), query: { dryRun: true }, body })
  if (plan.kind !== 'Plan') throw new Error('no plan')
  const change = plan.changes.find(({ ref }) => ref.kind === 'Deployment')
  expect(change).toMatchObject({
    action: 'update',
    effect: 'All pods are replaced, one at a time; an old one ends only when a new one is ready',
  })
  expect(change?.fields.map(({ path }) => path)).toEqual([
    'spec.template.metadata.annotations[quarterdeck.dev/image-digest]',
    'spec.template.spec.containers[shop].image',
  ])
  expect((await object('Deployment', 'shop'))?.spec.template.spec.containers[0].image).toBe(
    'registry.example.com/hello:1',
  )
  const operation = await ended(
    await platform.client(setApplicationImage, { params: at('shop'), query: { planHash: plan.hash }, body }),
  )
  expect(operation.state).toBe('Succeeded')
  await expect(
    platform.client(setApplicationImage, { params: at('shop'), query: { planHash: plan.hash }, body }),
  ).rejects.toMatchObject({ body: { type: '/problems/plan-changed' } })
})

test('[DEL-14] [DEL-21] undo puts the image, the configuration and the number of replicas back together', async () => {
  await ended(await deploy('shop', { variables: [{ name: 'GREETING', value: 'hi' }] }))
  const changed = await ended(
    await deploy('shop', { image: 'registry.example.com/hello:2', replicas: 3, variables: [] }),
  )
  const plan = await platform.client(undoOperation, { params: { operation: changed.id }, query: { dryRun: true } })
  if (plan.kind !== 'Plan') throw new Error('no plan')
  expect(plan.changes.find(({ ref }) => ref.kind === 'Deployment')?.fields).toContainEqual({
    path: 'spec.replicas',
    before: 3,
    after: 1,
  })
  const undo = await ended(
    await platform.client(undoOperation, { params: { operation: changed.id }, query: { planHash: plan.hash } }),
  )
  expect(undo).toMatchObject({ state: 'Succeeded', undoes: changed.id })
  const application = await platform.client(getApplication, { params: at('shop') })
  expect(application).toMatchObject({
    replicas: 1,
    image: 'registry.example.com/hello:1',
    spec: { replicas: 1, variables: [{ name: 'GREETING', value: 'hi' }] },
  })
  await expect(platform.client(undoOperation, { params: { operation: changed.id }, query: {} })).rejects.toMatchObject({
    body: { type: '/problems/not-undoable' },
  })
  const redo = await ended(await platform.client(undoOperation, { params: { operation: undo.id }, query: {} }))
  expect(redo.state).toBe('Succeeded')
  expect(await platform.client(getApplication, { params: at('shop') })).toMatchObject({
    replicas: 3,
    image: 'registry.example.com/hello:2',
  })
})

test('undoing the first deployment removes all of it, and undoing that brings it back at the same port', async () => {
  const first = await ended(await deploy('shop'))
  const nodePort = (await object('Service', 'shop'))?.spec.ports[0].nodePort
  const undo = await ended(await platform.client(undoOperation, { params: { operation: first.id }, query: {} }))
  expect(undo.state).toBe('Succeeded')
  expect(await object('Deployment', 'shop')).toBeUndefined()
  expect((await platform.client(listApplications, { params: { environment } })).items).toEqual([])
  const back = await ended(await platform.client(undoOperation, { params: { operation: undo.id }, query: {} }))
  expect(back.state).toBe('Succeeded')
  expect((await object('Service', 'shop'))?.spec.ports[0].nodePort).toBe(nodePort)
  expect(await platform.client(getApplication, { params: at('shop') })).toMatchObject({ state: 'Healthy' })
})

test('undoing an earlier operation takes back what was done since and says so', async () => {
  await ended(await deploy('shop'))
  const scaled = await ended(
    await platform.client(scaleApplication, { params: at('shop'), query: {}, body: { replicas: 2 } }),
  )
  await ended(
    await platform.client(setApplicationImage, {
      params: at('shop'),
      query: {},
      body: { image: 'registry.example.com/hello:2' },
    }),
  )
  const plan = await platform.client(undoOperation, { params: { operation: scaled.id }, query: { dryRun: true } })
  expect(plan.kind === 'Plan' && plan.laterOperations).toHaveLength(1)
  await ended(await platform.client(undoOperation, { params: { operation: scaled.id }, query: {} }))
  expect(await platform.client(getApplication, { params: at('shop') })).toMatchObject({
    replicas: 1,
    image: 'registry.example.com/hello:1',
  })
})

test('[APP-18] scaling and restarting act on the Deployment, and a restart replaces every pod', async () => {
  await ended(await deploy('shop'))
  await ended(await platform.client(scaleApplication, { params: at('shop'), query: {}, body: { replicas: 3 } }))
  const before = await platform.client(getApplication, { params: at('shop') })
  expect(before).toMatchObject({ replicas: 3, readyReplicas: 3 })
  const plan = await platform.client(restartApplication, { params: at('shop'), query: { dryRun: true } })
  if (plan.kind !== 'Plan') throw new Error('no plan')
  const operation = await ended(
    await platform.client(restartApplication, { params: at('shop'), query: { planHash: plan.hash } }),
  )
  expect(operation.state).toBe('Succeeded')
  const after = await platform.client(getApplication, { params: at('shop') })
  const names = (of: typeof before) =>
    of.replicaSets.flatMap(({ pods }) => pods.filter(({ deleting }) => !deleting).map(({ name }) => name))
  expect(names(after).filter((name) => names(before).includes(name))).toEqual([])
})

test('[CON-14] one pod is restarted alone, and that cannot be undone', async () => {
  await ended(await deploy('shop', { replicas: 2 }))
  const { replicaSets } = await platform.client(getApplication, { params: at('shop') })
  const [pod, other] = replicaSets[0]?.pods ?? []
  const operation = await ended(
    await platform.client(restartPod, { params: { environment, pod: pod?.name ?? '' }, query: {} }),
  )
  expect(operation).toMatchObject({ state: 'Succeeded', undoable: false, application: 'shop' })
  const names = (await platform.client(getApplication, { params: at('shop') })).replicaSets[0]?.pods.map(
    ({ name }) => name,
  )
  expect(names).not.toContain(pod?.name)
  expect(names).toContain(other?.name)
})

test('[APP-15] a change from outside is seen as drift, and deploying again puts it back when it is forced', async () => {
  await ended(await deploy('shop'))
  const outside = await platform.cluster.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'shop' })
  await platform.cluster.apply(
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'shop', namespace }, spec: { replicas: 2 } },
    { force: true, fieldManager: 'kubectl' },
  )
  expect(outside?.spec.replicas).toBe(1)
  const { conditions } = await platform.client(getApplication, { params: at('shop') })
  expect(conditions).toContainEqual(
    expect.objectContaining({
      type: 'AsDeclared',
      status: 'False',
      message: expect.stringContaining('replicas is 2 instead of 1'),
    }),
  )
  const plan = await deploy('shop', {}, { dryRun: true })
  expect(plan.kind === 'Plan' && plan.changes.flatMap(({ conflicts }) => conflicts)).toEqual([
    { manager: 'kubectl', field: '.spec.replicas' },
  ])
  await expect(deploy('shop')).rejects.toMatchObject({ body: { type: '/problems/fields-managed-elsewhere' } })
  expect((await ended(await deploy('shop', {}, { force: true }))).state).toBe('Succeeded')
  expect((await object('Deployment', 'shop'))?.spec.replicas).toBe(1)
})

test('an image that does not exist stands in the way before anything is made', async () => {
  const plan = await deploy('shop', { image: 'registry.example.com/hello:9' }, { dryRun: true })
  expect(plan.kind === 'Plan' && plan.blockers).toEqual([expect.objectContaining({ pointer: '/image' })])
  await expect(deploy('shop', { image: 'registry.example.com/hello:9' })).rejects.toMatchObject({
    body: { type: '/problems/plan-blocked', status: 422 },
  })
  expect(await object('Deployment', 'shop')).toBeUndefined()
  expect((await platform.client(listApplications, { params: { environment } })).items).toEqual([])
})

test('a registry that does not answer is only a warning', async () => {
  const plan = await deploy('shop', { image: 'down.example.com/x:1' }, { dryRun: true })
  expect(plan).toMatchObject({
    blockers: [],
    warnings: expect.arrayContaining([expect.stringContaining('does not answer')]),
  })
})

test('a quota in the way is said before anything is made', async () => {
  const hard = { pods: '2' }
  await platform.cluster.apply({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'team', namespace },
    spec: { hard },
  })
  for (let quota: KubeObject | undefined; !quota?.status?.used; quota = await object('ResourceQuota', 'team'))
    await sleep(20)
  await expect(deploy('shop', { replicas: 3 })).rejects.toMatchObject({
    body: {
      type: '/problems/plan-blocked',
      detail: expect.stringContaining('Quota team'),
      errors: [{ pointer: '/replicas' }],
    },
  })
  expect(await object('Deployment', 'shop')).toBeUndefined()
  expect((await ended(await deploy('shop', { replicas: 2 }))).state).toBe('Succeeded')
})

test('[TRF-16] a node port that is held is named together with its holder', async () => {
  const nodePort = 31_000 + Math.floor(Math.random() * 1_000)
  const ports = [{ name: 'http', containerPort: 8080, nodePort }]
  await ended(await deploy('one', { ports }))
  while (nodePortHolders(mirror, 'test', [nodePort]).length === 0) await sleep(20)
  const plan = await deploy('two', { ports }, { dryRun: true })
  expect(plan.kind === 'Plan' && plan.blockers).toEqual([
    { pointer: '/ports/0/nodePort', detail: expect.stringContaining(`held by Service ${namespace}/one`) },
  ])
})

test('a name that is taken by an object of somebody else is refused and the object left alone', async () => {
  const selector = { matchLabels: { app: 'theirs' } }
  const template = { metadata: { labels: { app: 'theirs' } }, spec: { containers: [{ name: 'x', image: 'x:1' }] } }
  await platform.cluster.apply(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'shop', namespace },
      spec: { replicas: 1, selector, template },
    },
    { fieldManager: 'kubectl' },
  )
  await expect(deploy('shop')).rejects.toMatchObject({
    body: { type: '/problems/plan-blocked', detail: expect.stringContaining('not made by Quarterdeck') },
  })
  expect((await object('Deployment', 'shop'))?.spec.template.spec.containers[0].image).toBe('x:1')
})

test('bad input is refused by name: capitals, unknown environment, unknown field, malformed image, taken name', async () => {
  await expect(deploy('Shop')).rejects.toMatchObject({
    body: { status: 400, errors: [{ pointer: '/params/application' }] },
  })
  await expect(deploy('shop', { colour: 'red' })).rejects.toMatchObject({
    body: { status: 400, errors: [{ pointer: '/body/colour' }] },
  })
  await expect(deploy('shop', { image: 'UPPER/case' })).rejects.toMatchObject({
    body: { status: 400, errors: [{ pointer: '/body/image' }] },
  })
  await expect(
    platform.client(deployApplication, {
      params: { environment: 'nowhere', application: 'shop' },
      query: {},
      body: { image: 'registry.example.com/hello:1' },
    }),
  ).rejects.toMatchObject({ body: { status: 404, detail: expect.stringContaining('no environment nowhere') } })
  await ended(await deploy('shop'))
  await expect(deploy('shop', { create: true })).rejects.toMatchObject({
    body: { type: '/problems/application-exists' },
  })
})

test('[TRF-46] a Service comes with a workload unless it is declined, and goes when it is declined later', async () => {
  await ended(await deploy('shop'))
  expect(await object('Service', 'shop')).toBeDefined()
  await ended(await deploy('shop', { exposure: 'none' }))
  expect(await object('Service', 'shop')).toBeUndefined()
})

test('deleting removes every object and the application; the list is read with one call a kind', async () => {
  await ended(await deploy('shop'))
  await ended(await deploy('blog'))
  expect((await platform.client(listApplications, { params: { environment } })).items).toMatchObject([
    { name: 'blog', state: 'Healthy' },
    { name: 'shop', state: 'Healthy' },
  ])
  const { yaml } = await platform.client(getApplicationYaml, { params: at('shop'), query: {} })
  expect(yaml).toContain('kind: Deployment')
  expect(yaml).not.toContain('managedFields')
  const operation = await ended(await platform.client(deleteApplication, { params: at('shop'), query: {} }))
  expect(operation.state).toBe('Succeeded')
  expect(await object('Deployment', 'shop')).toBeUndefined()
  expect(await object('Service', 'shop')).toBeUndefined()
  expect((await platform.client(listApplications, { params: { environment } })).items.map(({ name }) => name)).toEqual([
    'blog',
  ])
})

test('who lacks the permission changes nothing', async () => {
  const viewer = platform.as({ name: 'viewer', permissions: ['application.list'] })
  await expect(
    viewer(deployApplication, { params: at('shop'), query: {}, body: { image: 'registry.example.com/hello:1' } }),
  ).rejects.toMatchObject({ body: { status: 403, permission: 'application.deploy' } })
})
