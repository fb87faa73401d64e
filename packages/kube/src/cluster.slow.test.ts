import {
  clusterConflict,
  clusterForbidden,
  conflict,
  isProblem,
  type KubeObject,
  notFound,
  type Problem,
  type ProblemType,
  rejectedByCluster,
} from '@quarterdeck/kernel'
import { type TestCluster, testCluster } from '@quarterdeck/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { type Cluster, connectCluster, type WatchEvent } from './index.ts'

let testing: TestCluster
let cluster: Cluster
let namespace: string
beforeAll(async () => {
  testing = await testCluster()
  cluster = testing.cluster
})
beforeEach(async () => {
  namespace = await testing.namespace('kube')
})
afterAll(() => testing?.close())

const configMap = (name: string, data: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
})
const ref = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name })
const all = () => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace })
async function refused(answer: Promise<unknown>, type: ProblemType): Promise<Problem['body']> {
  const error = await answer.then(
    () => undefined,
    (reason) => reason,
  )
  expect(isProblem(error, type), String(error?.stack ?? 'it was accepted')).toBe(true)
  return error.body
}

test('an applied object is answered as the API server made it, and applying it again changes nothing', async () => {
  const first = await cluster.apply(configMap('one', { a: '1' }))
  expect(first.object).toMatchObject({ kind: 'ConfigMap', data: { a: '1' }, metadata: { uid: expect.any(String) } })
  expect(first.object.metadata.managedFields?.[0]).toMatchObject({ manager: 'quarterdeck', operation: 'Apply' })
  const second = await cluster.apply(configMap('one', { a: '1' }))
  expect(second.object.metadata.resourceVersion).toBe(first.object.metadata.resourceVersion)
})

test('an object as it was read can be applied again', async () => {
  await cluster.apply(configMap('one', { a: '1' }))
  const read = await cluster.get(ref('one'))
  if (!read) throw new Error('it is there')
  await cluster.apply({ ...read, data: { a: '2' } })
  expect((await cluster.get(ref('one')))?.data).toEqual({ a: '2' })
})

test('[CLU-03] standard manifests of many kinds are taken as they are, and nothing in them is lost', async () => {
  const manifests = parseAllDocuments(MANIFESTS).map((document) => document.toJS() as KubeObject)
  expect(manifests.length).toBe(9)
  for (const manifest of manifests) {
    manifest.metadata.namespace = namespace
    const { object } = await cluster.apply(manifest)
    expect(object).toMatchObject(manifest)
  }
})

test('a dry run answers what would be, and leaves the cluster as it is', async () => {
  await cluster.apply(configMap('one', { a: '1' }))
  const { object } = await cluster.apply(configMap('one', { a: '2' }), { dryRun: true })
  expect(object.data).toEqual({ a: '2' })
  expect((await cluster.get(ref('one')))?.data).toEqual({ a: '1' })
  expect(await cluster.remove(ref('one'), { dryRun: true })).toBe(true)
  expect(await cluster.get(ref('one'))).toBeDefined()
})

test('a field of another manager is a conflict that names field and manager, unless forced', async () => {
  await cluster.apply(configMap('one', { a: '1' }), { fieldManager: 'somebody' })
  const body = await refused(cluster.apply(configMap('one', { a: '2' })), clusterConflict)
  expect(body.conflicts).toEqual([{ manager: 'somebody', field: '.data.a' }])
  await cluster.apply(configMap('one', { a: '2' }), { force: true })
  expect((await cluster.get(ref('one')))?.data).toEqual({ a: '2' })
})

test('what the API server finds wrong with an object comes as pointers into it', async () => {
  const metadata = { name: 'bad', namespace }
  const template = { metadata: { labels: { app: 'bad' } }, spec: { containers: [{ name: 'X', image: 'x' }] } }
  const spec = { replicas: -1, selector: { matchLabels: { app: 'bad' } }, template }
  const body = await refused(
    cluster.apply({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec }),
    rejectedByCluster,
  )
  expect(body.errors?.map(({ pointer }) => pointer)).toEqual([
    '/spec/replicas',
    '/spec/template/spec/containers/0/name',
  ])
})

test('a field that the API server does not know is refused, applied or created', async () => {
  const wrong = { ...configMap('one'), dta: { a: '1' } }
  for (const send of [cluster.apply, cluster.create]) {
    expect((await refused(send(wrong), rejectedByCluster)).errors?.[0]?.pointer).toBe('/dta')
  }
})

test('a kind that the cluster does not have is said as such, and nothing of it is there to remove', async () => {
  const foreign = { apiVersion: 'example.com/v1', kind: 'Ship', namespace, name: 'one' }
  expect((await refused(cluster.get(foreign), rejectedByCluster)).detail).toContain('no kind Ship in example.com/v1')
  expect(await cluster.remove(foreign)).toBe(false)
})

test('a kind that is installed while we run is found', { timeout: 20_000 }, async () => {
  const group = `${namespace}.example.com`
  const ship = { apiVersion: `${group}/v1`, kind: 'Ship', namespace, name: 'one' }
  await refused(cluster.get(ship), rejectedByCluster)
  const names = { plural: 'ships', singular: 'ship', kind: 'Ship', listKind: 'ShipList' }
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  const versions = [{ name: 'v1', served: true, storage: true, schema }]
  const metadata = { name: `ships.${group}` }
  const spec = { group, scope: 'Namespaced', names, versions }
  await cluster.create({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata, spec })
  for (;;) {
    const error = await cluster.get(ship).catch((reason) => reason)
    if (error === undefined) break
    if (!isProblem(error)) throw error
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  await cluster.remove({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: metadata.name })
})

test('a namespace that is not there is not found, a name that is taken is a conflict', async () => {
  await refused(cluster.apply({ ...configMap('one'), metadata: { name: 'one', namespace: 'gone' } }), notFound)
  await cluster.create(configMap('one'))
  await refused(cluster.create(configMap('one')), conflict)
})

test('removing is done when nothing is there, and never takes another object of the same name', async () => {
  expect(await cluster.remove(ref('one'))).toBe(false)
  const { object } = await cluster.create(configMap('one'))
  await refused(cluster.remove(ref('one'), { uid: '00000000-0000-0000-0000-000000000000' }), clusterConflict)
  expect(await cluster.remove(ref('one'), { uid: object.metadata.uid })).toBe(true)
  expect(await cluster.get(ref('one'))).toBeUndefined()
})

test('a name or namespace cannot lead out of its place in the path', async () => {
  await refused(cluster.get({ ...ref('..') }), notFound)
  expect(await cluster.get(ref('../../../secrets/x'))).toBeUndefined()
  expect(await cluster.get({ ...ref('x'), namespace: 'kube-system/secrets' })).toBeUndefined()
})

test('a list comes by page, and whole', async () => {
  const names = ['a', 'b', 'c', 'd', 'e']
  for (const name of names) await cluster.create(configMap(name))
  const page = await cluster.list({ ...all(), limit: 2 })
  expect(page.items.map(({ kind, metadata }) => [kind, metadata.name])).toEqual([
    ['ConfigMap', 'a'],
    ['ConfigMap', 'b'],
  ])
  expect(page).toMatchObject({ remaining: 3, continue: expect.any(String) })
  const next = await cluster.list({ ...all(), limit: 5, continue: page.continue })
  expect(next.items.map(({ metadata }) => metadata.name)).toEqual(['c', 'd', 'e'])
  expect(next.continue).toBeUndefined()
  const whole: string[] = []
  for await (const { metadata } of cluster.listAll(all())) whole.push(metadata.name)
  expect(whole).toEqual(names)
})

test('the scale of a Deployment is patched without touching the rest', async () => {
  const labels = { app: 'shop' }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'shop', image: 'shop' }] } }
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'shop', namespace } }
  await cluster.apply({ ...deployment, spec: { replicas: 1, selector: { matchLabels: labels }, template } })
  const place = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'shop' }
  await cluster.patch(place, { spec: { replicas: 4 } }, { subresource: 'scale' })
  expect((await cluster.get(place))?.spec.replicas).toBe(4)
})

test('a quota in the way is said with the quota', async () => {
  const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'none', namespace } }
  await cluster.create({ ...quota, spec: { hard: { 'count/services': '0' } } })
  await cluster.patch(
    { ...ref('none'), kind: 'ResourceQuota' },
    { status: { hard: { 'count/services': '0' }, used: { 'count/services': '0' } } },
    { subresource: 'status' },
  )
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'shop', namespace },
    spec: { ports: [{ port: 80 }] },
  }
  const answer = await refused(cluster.create(service), rejectedByCluster)
  expect(answer.detail).toMatch(/quota of the namespace.*exceeded quota: none/)
})

test('warnings of the API server come with the answer', async () => {
  const metadata = { name: 'warned', namespace, annotations: { 'pod-security.kubernetes.io/x': 'y' } }
  const spec = {
    containers: [
      {
        name: 'one',
        image: 'one',
        env: [
          { name: 'A', value: '1' },
          { name: 'A', value: '2' },
        ],
      },
    ],
  }
  const { warnings } = await cluster.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec }, { dryRun: true })
  expect(warnings).toEqual([expect.stringContaining('hides previous definition')])
})

async function take(events: AsyncGenerator<WatchEvent>, count: number): Promise<string[]> {
  const seen: string[] = []
  for await (const { type, object } of events) {
    if (type !== 'BOOKMARK') seen.push(`${type} ${object.metadata.name}`)
    if (seen.length === count) break
  }
  return seen
}

test('a watch tells every change after the list it began from, in order', async () => {
  await cluster.create(configMap('before'))
  const { resourceVersion } = await cluster.list(all())
  await cluster.create(configMap('one'))
  await cluster.apply(configMap('one', { a: '1' }))
  await cluster.remove(ref('before'))
  expect(await take(cluster.watch({ ...all(), resourceVersion }), 3)).toEqual([
    'ADDED one',
    'MODIFIED one',
    'DELETED before',
  ])
})

test('a watch ends when its caller goes away', async () => {
  const stop = new AbortController()
  const events = cluster.watch(all(), { signal: stop.signal })
  const first = take(events, 100)
  await cluster.create(configMap('one'))
  stop.abort()
  await expect(first).rejects.toThrow(/abort/i)
})

test('the API server says how it is, check by check', async () => {
  const health = await cluster.health()
  expect(health).toMatchObject({ ready: true, live: true, message: '', latencyMs: expect.any(Number) })
  expect(health.checks).toContainEqual({ name: 'etcd', healthy: true, message: '' })
  expect((await cluster.version()).gitVersion).toMatch(/^v1\.\d+/)
})

test('credentials that are not accepted, and rights that are missing, are told apart', async () => {
  const file = parse(testing.kubeconfig)
  file.users[0].user = { token: 'not-a-token' }
  const stranger = connectCluster({ name: 'stranger', kubeconfig: stringify(file) })
  expect((await refused(stranger.list(all()), clusterForbidden)).credentials).toBe('refused')
  await stranger.close()
  file.contexts[0].context.user = ''
  const anonymous = connectCluster({ name: 'anonymous', kubeconfig: stringify(file) })
  const raw = await refused(anonymous.raw('/api/v1/namespaces'), clusterForbidden)
  expect(raw.detail).toMatch(/does not allow us to get \/api\/v1\/namespaces.*system:anonymous/)
  await anonymous.close()
})

const MANIFESTS = `
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db, labels: { tier: db }, annotations: { example.com/owner: 'team a' } }
spec:
  serviceName: db
  replicas: 3
  podManagementPolicy: Parallel
  selector: { matchLabels: { app: db } }
  updateStrategy: { type: RollingUpdate, rollingUpdate: { partition: 1 } }
  template:
    metadata: { labels: { app: db } }
    spec:
      terminationGracePeriodSeconds: 5
      initContainers: [{ name: wait, image: 'wait:1', restartPolicy: Always }]
      containers:
        - name: db
          image: db:1
          command: [db, --data, /data]
          env: [{ name: POD, valueFrom: { fieldRef: { fieldPath: metadata.name } } }]
          ports: [{ name: sql, containerPort: 5432 }]
          resources: { requests: { cpu: 100m, memory: 64Mi }, limits: { memory: 128Mi } }
          readinessProbe: { exec: { command: [ready] }, periodSeconds: 3 }
          securityContext: { readOnlyRootFilesystem: true, capabilities: { drop: [ALL] } }
          volumeMounts: [{ name: data, mountPath: /data }]
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            - { topologyKey: kubernetes.io/hostname, labelSelector: { matchLabels: { app: db } } }
  volumeClaimTemplates:
    - metadata: { name: data }
      spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
---
apiVersion: v1
kind: Service
metadata: { name: db }
spec: { clusterIP: None, selector: { app: db }, ports: [{ name: sql, port: 5432, targetPort: sql }] }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent }
spec:
  selector: { matchLabels: { app: agent } }
  template:
    metadata: { labels: { app: agent } }
    spec: { hostNetwork: true, tolerations: [{ operator: Exists }], containers: [{ name: agent, image: 'agent:1' }] }
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: report }
spec:
  schedule: '0 3 * * *'
  timeZone: Asia/Shanghai
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      backoffLimit: 2
      template: { spec: { restartPolicy: Never, containers: [{ name: report, image: 'report:1' }] } }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: shop }
spec:
  rules:
    - host: shop.example.com
      http:
        paths: [{ path: /, pathType: Prefix, backend: { service: { name: shop, port: { number: 80 } } } }]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: deny }
spec: { podSelector: {}, policyTypes: [Ingress, Egress] }
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: shop }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: shop }
  maxReplicas: 9
  metrics: [{ type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 60 } } }]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: db }
spec: { maxUnavailable: 1, selector: { matchLabels: { app: db } } }
---
apiVersion: v1
kind: Secret
metadata: { name: pull }
type: kubernetes.io/dockerconfigjson
data: { .dockerconfigjson: e30= }
`

test('what a cluster serves is told as RBAC names it', async () => {
  const served = await cluster.served()
  const of = (group: string, resource: string) =>
    served.filter((one) => one.group === group && one.resource === resource)
  expect(of('', 'pods')).toEqual([
    { group: '', resource: 'pods', namespaced: true, verbs: expect.arrayContaining(['get', 'deletecollection']) },
  ])
  expect(of('', 'pods/exec')[0]?.verbs.toSorted()).toEqual(['create', 'get'])
  expect(of('apps', 'deployments/scale')[0]?.namespaced).toBe(true)
  expect(of('', 'nodes')[0]?.namespaced).toBe(false)
})
