import { setTimeout as sleep } from 'node:timers/promises'
import { isProblem } from '@quarterdeck/kernel'
import { type Platform, startPlatform } from '@quarterdeck/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { changeMaker } from '../../delivery/operation/change.routes.ts'
import {
  getOperation,
  type Operation,
  type Plan,
  planBlocked,
  undoOperation,
} from '../../delivery/operation/operation.contract.ts'
import { operationReconciler } from '../../delivery/operation/operation.reconciler.ts'
import { operationRoutes } from '../../delivery/operation/operation.routes.ts'
import { imageAbsent } from '../../image/image/image.contract.ts'
import { createEnvironment } from '../../tenancy/environment/environment.contract.ts'
import { environmentRoutes, getEnvironmentPlace } from '../../tenancy/environment/environment.routes.ts'
import { environmentDefinitions, hold } from '../../tenancy/environment/environment.store.ts'
import { placing, tenantOfProject } from '../../tenancy/tenant/placing.store.ts'
import {
  deleteApplication,
  getApplication,
  getApplicationYaml,
  listApplications,
  restartApplication,
  scaleApplication,
  setApplicationImage,
} from '../application/application.contract.ts'
import { applicationRoutes } from '../application/application.routes.ts'
import { applicationDefinitions, countByEnvironment, countIn } from '../application/application.store.ts'
import { rolloutOf } from '../application/rollout.rules.ts'
import { yamlChange } from '../application/yaml-change.routes.ts'
import { applyManifests } from './manifest.contract.ts'
import { manifestRoutes } from './manifest.routes.ts'

// With nodes: controllers and pods that become Ready, but no real containers.
let platform: Platform
beforeAll(async () => {
  const definitions = {
    application: applicationDefinitions({ holdEnvironment: hold }),
    environment: environmentDefinitions({ applicationsIn: countIn, placing }),
  }
  platform = await startPlatform({
    cluster: { nodes: true },
    routes(server, { db, store, clusters }) {
      const clusterOf = (name: string) => clusters.get(name)
      const makeChange = changeMaker({ db, clusterOf, definitions })
      const listen: typeof store.listen = (channel, fn) => store.listen(channel, fn)
      operationRoutes(server, { db, listen, undo: makeChange.undo, definitions, environmentsWith: () => undefined })
      environmentRoutes(server, {
        db,
        makeChange,
        clusterOf,
        tenantOf: tenantOfProject,
        countApplications: countByEnvironment,
        changed: async () => {},
      })
      const applications = {
        db,
        makeChange,
        clusterOf,
        placeOf: (environment: string) => getEnvironmentPlace(db, environment),
        inspect: async (image: string) => {
          throw imageAbsent({ detail: `The registry has no image ${image}` })
        },
        nodePortHolders: () => [],
      }
      applicationRoutes(server, applications)
      manifestRoutes(server, { makeChange, change: yamlChange(applications) })
    },
    reconcilers: ({ db, clusters }) => ({
      operation: operationReconciler({ db, clusterOf: (name) => clusters.get(name), rolloutOf, definitions }),
    }),
  })
}, 60_000)
afterAll(() => platform?.close())

let environment: string
beforeEach(async () => {
  environment = `y${Math.random().toString(36).slice(2, 8)}`
  const body = { cluster: 'test', stage: 'dev' } as const
  await ended(await platform.client(createEnvironment, { params: { environment }, query: {}, body }))
})

async function ended(change: Operation | Plan): Promise<Operation> {
  if (change.kind !== 'Operation') throw new Error('a plan was answered')
  for (;;) {
    const operation = await platform.client(getOperation, { params: { operation: change.id } })
    if (operation.endTime) return operation
    await sleep(20)
  }
}
const params = (application = 'shop') => ({ environment, application })
const apply = (yaml: string, { application = 'shop', ...query }: { application?: string; dryRun?: 'true' } = {}) =>
  platform.client(applyManifests, { params: params(application), query, body: { yaml } })
const planOf = async (yaml: string, application = 'shop') => {
  const plan = await apply(yaml, { application, dryRun: 'true' })
  if (plan.kind !== 'Plan') throw new Error('an operation was answered')
  return plan
}
const get = (application = 'shop') => platform.client(getApplication, { params: params(application) })
const live = (kind: string, name: string, apiVersion = 'apps/v1') =>
  platform.cluster.get({ apiVersion, kind, namespace: environment, name })

const workload = (kind: string, more = '') => `
apiVersion: apps/v1
kind: ${kind}
metadata:
  name: web
spec:
  ${kind === 'DaemonSet' ? '' : 'replicas: 2'}
  ${kind === 'StatefulSet' ? 'serviceName: web' : ''}
  selector: { matchLabels: { tier: web } }
  template:
    metadata: { labels: { tier: web } }
    spec:
      containers:
        - name: web
          image: registry.example.com/hello:1
          ports: [{ name: http, containerPort: 8080 }]
${more}`
const service = `
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  selector: { tier: web }
  ports: [{ name: http, port: 80, targetPort: http }]
`
const settings = `
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { colour: green }
`

test('[APP-23] a plan shows what the YAML makes and changes nothing', async () => {
  const plan = await planOf(workload('Deployment') + service + settings)
  expect(plan.blockers).toEqual([])
  expect(plan.changes.map(({ ref, action }) => [ref.kind, ref.name, action])).toEqual([
    ['ConfigMap', 'settings', 'create'],
    ['Service', 'web', 'create'],
    ['Deployment', 'web', 'create'],
  ])
  expect(await live('Deployment', 'web')).toBeUndefined()
})

test('[APP-23] several objects become one application that lists, details and logs find like any other', async () => {
  const done = await ended(await apply(workload('Deployment') + service + settings))
  expect(done).toMatchObject({ state: 'Succeeded', type: 'manifest.apply', undoable: true })
  const { items } = await platform.client(listApplications, { params: { environment } })
  expect(items).toEqual([
    expect.objectContaining({
      name: 'shop',
      image: 'registry.example.com/hello:1',
      state: 'Healthy',
      replicas: 2,
      readyReplicas: 2,
      address: expect.objectContaining({ kind: 'cluster' }),
    }),
  ])
  const detail = await get()
  expect(detail.objects.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    'Deployment web',
    'Service web',
    'ConfigMap settings',
  ])
  expect(detail.replicaSets[0]?.pods).toHaveLength(2)
  expect(detail.conditions.find(({ type }) => type === 'AsDeclared')).toMatchObject({ status: 'True' })
  // The log feature finds pods by this label.
  const pods = await platform.cluster.list({
    apiVersion: 'v1',
    kind: 'Pod',
    namespace: environment,
    labelSelector: 'app.kubernetes.io/instance=shop',
  })
  expect(pods.items).toHaveLength(2)
  const { yaml } = await platform.client(getApplicationYaml, { params: params(), query: {} })
  expect(yaml).toContain('colour: green')
})

test('[APP-23] what is no longer in the YAML is deleted by the plan, and undo brings it back', async () => {
  await ended(await apply(workload('Deployment') + service + settings))
  const plan = await planOf(workload('Deployment') + service)
  expect(plan.changes.filter(({ action }) => action === 'delete').map(({ ref }) => ref.name)).toEqual(['settings'])
  const second = await ended(await apply(workload('Deployment') + service))
  expect(await live('ConfigMap', 'settings', 'v1')).toBeUndefined()
  const undone = await platform.client(undoOperation, { params: { operation: second.id }, query: {} })
  expect(await ended(undone)).toMatchObject({ state: 'Succeeded' })
  expect((await live('ConfigMap', 'settings', 'v1'))?.data).toEqual({ colour: 'green' })
  expect((await get()).objects.map(({ kind }) => kind)).toContain('ConfigMap')
})

test('[APP-23] applying the same again changes nothing', async () => {
  await ended(await apply(workload('Deployment') + service))
  const plan = await planOf(workload('Deployment') + service)
  expect(new Set(plan.changes.map(({ action }) => action))).toEqual(new Set(['unchanged']))
})

test('[APP-23] scale, another image and restart change the written manifests and nothing else in them', async () => {
  await ended(await apply(workload('Deployment') + service + settings))
  const scaled = platform.client(scaleApplication, { params: params(), query: {}, body: { replicas: 3 } })
  expect(await ended(await scaled)).toMatchObject({ state: 'Succeeded' })
  await ended(await platform.client(restartApplication, { params: params(), query: {} }))
  const deployment = await live('Deployment', 'web')
  expect(deployment?.spec.replicas).toBe(3)
  expect(deployment?.spec.template.metadata.annotations['quarterdeck.dev/restart-time']).toBeDefined()
  expect(deployment?.spec.selector.matchLabels).toEqual({ tier: 'web' })
  const image = 'registry.example.com/hello:2'
  const rolled = platform.client(setApplicationImage, { params: params(), query: { dryRun: 'true' }, body: { image } })
  const plan = (await rolled) as Plan
  expect(plan.changes.flatMap(({ fields }) => fields.map(({ after }) => after))).toEqual([image])
  expect((await get()).spec).toMatchObject({ replicas: 3, image: 'registry.example.com/hello:1' })
})

test.each(['StatefulSet', 'DaemonSet'])('[APP-23] a %s is an application with its pods, too', async (kind) => {
  expect(await ended(await apply(workload(kind)))).toMatchObject({ state: 'Succeeded' })
  const detail = await get()
  expect(detail).toMatchObject({ state: 'Healthy', image: 'registry.example.com/hello:1' })
  expect(detail.replicaSets[0]?.pods.length).toBeGreaterThan(0)
})

test('[APP-23] every document is judged, and what stands in the way is told for each', async () => {
  const plan = await planOf(`${workload('Deployment')}
---
apiVersion: v1
kind: ConfigMap
metadata: { name: elsewhere, namespace: kube-system }
---
apiVersion: v1
kind: Namespace
metadata: { name: mine }
---
apiVersion: v1
kind: Unheard
metadata: { name: of }
---
apiVersion: v1
kind: Secret
metadata: { name: password }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
`)
  const details = plan.blockers.map(({ detail }) => detail)
  expect(details).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^Document 2 \(ConfigMap elsewhere\): its namespace is kube-system/),
      expect.stringMatching(/^Document 3 \(Namespace mine\): Namespace belongs to the whole cluster/),
      expect.stringMatching(/^Document 4 \(Unheard of\): the cluster has no Unheard/),
      expect.stringMatching(/^Document 5 \(Secret password\): Secrets are not taken/),
      expect.stringMatching(/^Document 6 \(Deployment web\): is in document 1 already/),
    ]),
  )
  const refused = await apply(workload('Deployment').replace('name: web', 'name: web\n  namespace: kube-system')).catch(
    (error: unknown) => error,
  )
  expect(isProblem(refused, planBlocked)).toBe(true)
})

test('[APP-23] YAML without a workload, an unknown field and a label that clashes are told before anything is made', async () => {
  expect((await planOf(settings)).blockers[0]?.detail).toContain('There is no workload in it')
  const typo = await planOf(workload('Deployment').replace('replicas: 2', 'replicaz: 2'))
  expect(typo.blockers.map(({ detail }) => detail).join()).toContain('replicaz')
  const label = 'app.kubernetes.io/instance: other'
  const clash = await planOf(workload('Deployment').replaceAll('tier: web', label))
  expect(clash.blockers[0]?.detail).toContain('leave it out, or write shop')
})

test('[APP-23] objects of another application or of somebody else are not taken over', async () => {
  await ended(await apply(workload('Deployment')))
  expect((await planOf(workload('Deployment'), 'other')).blockers[0]?.detail).toContain(
    'belongs to the application shop',
  )
  const metadata = { namespace: environment, name: 'settings' }
  await platform.cluster.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata })
  const plan = await planOf(workload('Deployment') + settings)
  expect(plan.blockers[0]?.detail).toContain('was not made by Quarterdeck')
})

test('[APP-23] an object of the same application in another environment is not taken over', async () => {
  await ended(await apply(workload('Deployment')))
  const labels = {
    'app.kubernetes.io/managed-by': 'quarterdeck',
    'app.kubernetes.io/instance': 'shop',
    'quarterdeck.dev/environment': 'elsewhere',
  }
  const metadata = { namespace: environment, name: 'settings', labels }
  await platform.cluster.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata })
  const plan = await planOf(workload('Deployment') + settings)
  expect(plan.blockers).toEqual([
    { pointer: '/yaml', detail: expect.stringMatching(/^Document 2 .* belongs to environment elsewhere\./) },
  ])
})

test('[APP-23] whoever may deploy images only may not apply YAML', async () => {
  const deployer = platform.as({ name: 'ann', permissions: ['application.deploy', 'application.list'] })
  const call = { params: params(), query: {}, body: { yaml: workload('Deployment') } }
  await expect(deployer(applyManifests, call)).rejects.toMatchObject({
    body: { status: 403, permission: 'manifest.apply' },
  })
  expect(await live('Deployment', 'web')).toBeUndefined()
})

test('[CLU-20] what somebody may see or change in the cluster follows their permissions, through the same API for all', async () => {
  await ended(await apply(workload('Deployment')))
  const viewer = platform.as({ name: 'eve', permissions: ['application.list'] })
  const operator = platform.as({ name: 'bob', permissions: ['application.list', 'application.scale'] })
  const scale = { params: params(), query: {}, body: { replicas: 1 } }
  await expect(viewer(scaleApplication, scale)).rejects.toMatchObject({ body: { permission: 'application.scale' } })
  await expect(viewer(deleteApplication, { params: params(), query: {} })).rejects.toMatchObject({
    body: { permission: 'application.delete' },
  })
  expect((await live('Deployment', 'web'))?.spec.replicas).toBe(2)
  const done = await ended(await operator(scaleApplication, scale))
  expect(done).toMatchObject({ state: 'Succeeded', actor: 'bob' })
  expect((await live('Deployment', 'web'))?.spec.replicas).toBe(1)
  expect((await viewer(getApplication, { params: params() })).replicas).toBe(1)
  await expect(operator(deleteApplication, { params: params(), query: {} })).rejects.toMatchObject({
    body: { status: 403 },
  })
  const stranger = platform.as({ name: 'sam', permissions: [] })
  for (const client of [stranger, platform.anonymous]) {
    const refused = client(listApplications, { params: { environment } })
    await expect(refused).rejects.toMatchObject({ body: { status: client === stranger ? 403 : 401 } })
  }
})

test('[APP-23] [EXT-02] it is in the OpenAPI document as a change that can be planned', async () => {
  const answer = await platform.server.fetch('http://localhost/api/v1/openapi.json')
  const document = (await answer.json()) as { paths: Record<string, { put?: Record<string, unknown> }> }
  const path = '/api/v1/environments/{environment}/applications/{application}/manifests'
  expect(document.paths[path]?.put).toMatchObject({
    operationId: 'manifest.apply',
    'x-permission': 'manifest.apply',
    'x-quarterdeck-change': true,
    parameters: expect.arrayContaining([expect.objectContaining({ name: 'dryRun' })]),
  })
})

test('[APP-23] a DaemonSet cannot be scaled, and that is said', async () => {
  await ended(await apply(workload('DaemonSet')))
  const scale = { params: params(), query: { dryRun: 'true' }, body: { replicas: 3 } } as const
  const plan = (await platform.client(scaleApplication, scale)) as Plan
  expect(plan.blockers[0]?.detail).toContain('a pod on each node')
})

test('[APP-23] deleting the application deletes everything that the YAML made', async () => {
  await ended(await apply(workload('Deployment') + service + settings))
  await ended(await platform.client(deleteApplication, { params: params(), query: {} }))
  expect(await live('ConfigMap', 'settings', 'v1')).toBeUndefined()
  expect(await live('Deployment', 'web')).toBeUndefined()
})
