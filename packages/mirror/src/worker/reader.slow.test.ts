import { setTimeout as sleep } from 'node:timers/promises'
import type { KubeObject } from '@quarterdeck/kernel'
import { connectCluster } from '@quarterdeck/kube'
import { type TestCluster, testCluster } from '@quarterdeck/testkit'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import type { ListStrategy } from './reflect/source.ts'
import { openTestReader, type TestReader } from './testing/map-tables.ts'

let shared: TestCluster
let namespace: string
beforeAll(async () => {
  shared = await testCluster()
  namespace = await shared.namespace('reader')
  const create = (n: number) =>
    shared.cluster.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `many-${n}`, namespace } })
  for (let n = 0; n < 1_200; n += 20) await Promise.all(Array.from({ length: 20 }, (_, more) => create(n + more)))
})
afterAll(() => shared?.close())
const open: TestReader[] = []
afterEach(() => {
  for (const { reader } of open.splice(0)) reader.close()
})

function read(options: Parameters<typeof openTestReader>[0] = {}, kubeconfig = shared.kubeconfig): TestReader {
  const reading = openTestReader(options)
  open.push(reading)
  reading.reader.watch({ type: 'watch', cluster: 1, name: 'test', kubeconfig })
  return reading
}

/** What the API server has of a kind in our namespace: `namespace/name revision`, sorted. */
async function truth(apiVersion: string, kind: string): Promise<string[]> {
  const lines: string[] = []
  for await (const { metadata } of shared.cluster.listAll({ apiVersion, kind, namespace })) {
    lines.push(`${metadata.namespace ?? ''}/${metadata.name} ${metadata.resourceVersion}`)
  }
  return lines.sort()
}
const ours = (reading: TestReader, resource: string) =>
  reading
    .sink(resource)
    ?.lines()
    .filter((line) => line.startsWith(`${namespace}/`))
const live = (reading: TestReader, resource: string) =>
  expect.poll(() => reading.state(resource)?.state, { timeout: 15_000 }).toBe('live')

const pod = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace },
  spec: { containers: [{ name: 'c', image: 'registry.example.com/app:1' }] },
})

test.each<[ListStrategy, boolean]>([
  ['cheapest', true],
  ['pages', false],
  ['whole', true],
  ['stream', true],
  ['stream', false],
])('list by %s (protobuf: %s) and watch give what the API server has [SCL-01]', async (strategy, protobuf) => {
  const reading = read({ strategy, protobuf })
  await live(reading, 'configmaps')
  expect(ours(reading, 'configmaps')).toEqual(await truth('v1', 'ConfigMap'))
  const name = `made-${strategy}-${protobuf}`
  await shared.cluster.create(pod(name))
  await shared.cluster.patch({ apiVersion: 'v1', kind: 'Pod', namespace, name }, { metadata: { labels: { a: 'b' } } })
  const removed = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: `many-${Math.floor(Math.random() * 1_200)}` }
  await shared.cluster.remove(removed)
  await live(reading, 'pods')
  await expect.poll(() => ours(reading, 'pods')).toEqual(await truth('v1', 'Pod'))
  await expect.poll(() => ours(reading, 'configmaps')).toEqual(await truth('v1', 'ConfigMap'))
  await shared.cluster.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: removed.name, namespace } })
  expect(reading.relists()).toEqual([])
  expect(reading.sink('configmaps')?.lists).toBe(1)
})

test('every kind that can be listed and watched is read, events once [CLU-05]', async () => {
  const reading = read()
  await live(reading, 'pods')
  const notLive = () => reading.resources().filter((one) => reading.state(one)?.state !== 'live')
  await expect.poll(notLive, { timeout: 15_000 }).toEqual([])
  expect(reading.resources()).toEqual(
    expect.arrayContaining(['events', 'deployments.apps', 'leases.coordination.k8s.io', 'secrets']),
  )
  expect(reading.resources()).not.toContain('events.events.k8s.io')
  expect(reading.resources()).not.toContain('componentstatuses')
})

const definition = (group: string, column: string) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `gadgets.${group}` },
  spec: {
    group,
    names: { plural: 'gadgets', singular: 'gadget', kind: 'Gadget', shortNames: ['gd'] },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        additionalPrinterColumns: [{ name: column, type: 'string', jsonPath: '.spec.size' }],
      },
    ],
  },
})

test('a custom kind is read as soon as it is defined, with its columns, and goes with its definition [EXT-07]', async () => {
  const group = `g${Date.now()}.example.com`
  const resource = `gadgets.${group}`
  const reading = read()
  await live(reading, 'pods')
  await shared.cluster.create(definition(group, 'Size'))
  await live(reading, resource)
  const columns = () => reading.kind(resource)?.printerColumns.map(({ name }) => name)
  await expect.poll(columns, { timeout: 15_000 }).toEqual(['Size'])
  expect(reading.kind(resource)).toMatchObject({ custom: true, shortNames: ['gd'] })
  const gadget = {
    apiVersion: `${group}/v1`,
    kind: 'Gadget',
    metadata: { name: 'one', namespace },
    spec: { size: 'L' },
  }
  await shared.cluster.create(gadget)
  await expect.poll(() => ours(reading, resource), { timeout: 15_000 }).toHaveLength(1)
  await shared.cluster.apply(definition(group, 'Width'), { force: true })
  await expect.poll(columns, { timeout: 15_000 }).toEqual(['Width'])
  await expect.poll(() => ours(reading, resource), { timeout: 15_000 }).toHaveLength(1)
  const { apiVersion, kind, metadata } = definition(group, 'Width')
  await shared.cluster.remove({ apiVersion, kind, ...metadata })
  await expect.poll(() => reading.resources(), { timeout: 15_000 }).not.toContain(resource)
  expect(reading.messages).toContainEqual({ type: 'dropped', cluster: 1, table: 1 })
})

test('a kind that the identity may not list is stale with a sentence, the others are live', async () => {
  const name = 'only-pods'
  const rbac = 'rbac.authorization.k8s.io/v1'
  await shared.cluster.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } })
  const role = `${name}-${namespace}`
  const rules = [{ apiGroups: [''], resources: ['pods', 'namespaces'], verbs: ['get', 'list', 'watch'] }]
  await shared.cluster.create({ apiVersion: rbac, kind: 'ClusterRole', metadata: { name: role }, rules } as KubeObject)
  await shared.cluster.create({
    apiVersion: rbac,
    kind: 'ClusterRoleBinding',
    metadata: { name: role },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  } as KubeObject)
  const config = parse(shared.kubeconfig)
  config.users[0].user = { token: await tokenOf(name) }
  const reading = read({}, stringify(config))
  await live(reading, 'pods')
  await expect.poll(() => reading.state('secrets')?.state, { timeout: 15_000 }).toBe('stale')
  expect(reading.state('secrets')?.message).toMatch(/does not allow us to list secrets/)
  expect(ours(reading, 'pods')).toEqual(await truth('v1', 'Pod'))
})

async function tokenOf(serviceAccount: string): Promise<string> {
  const cluster = connectCluster({ name: 'test', kubeconfig: shared.kubeconfig })
  const answer = await cluster.native({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`,
    query: '',
    contentType: 'application/json',
    body: Buffer.from('{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}'),
  })
  const text = Buffer.concat(await answer.body.toArray()).toString('utf8')
  await cluster.close()
  return JSON.parse(text).status.token
}

test('credentials that are refused are said as such, and a new kubeconfig settles it without a new list', async () => {
  const config = parse(shared.kubeconfig)
  config.users[0].user = { token: 'wrong' }
  const reading = read({}, stringify(config))
  const stale = () => reading.messages.find((one) => one.type === 'cluster' && one.state === 'stale')
  await expect.poll(stale, { timeout: 15_000 }).toMatchObject({ message: expect.stringMatching(/credentials/) })
  reading.reader.watch({ type: 'watch', cluster: 1, name: 'test', kubeconfig: shared.kubeconfig })
  await live(reading, 'configmaps')
  reading.reader.watch({ type: 'watch', cluster: 1, name: 'test', kubeconfig: shared.kubeconfig })
  await shared.cluster.create(pod('after-renewal'))
  await expect.poll(() => ours(reading, 'pods'), { timeout: 15_000 }).toEqual(await truth('v1', 'Pod'))
  await live(reading, 'configmaps')
  expect(reading.sink('configmaps')?.lists).toBe(1)
})

test('a forgotten cluster has no rows, and nothing more comes of it', async () => {
  const reading = read()
  await live(reading, 'configmaps')
  reading.reader.forget(1)
  expect(reading.resources()).toEqual([])
  await shared.cluster.create(pod('after-forgetting'))
  await sleep(200)
  expect(reading.resources()).toEqual([])
})
