import { type Mirror, openMirror } from '@quarterdeck/mirror'
import { type TestCluster, type TestDatabase, testCluster, testDatabase } from '@quarterdeck/testkit'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { contentsOf, findObjects, listVersionRows, record } from './version.store.ts'

let cluster: TestCluster
let database: TestDatabase
let mirror: Mirror
let namespace: string
const SECRET = 'correct horse battery staple'

beforeAll(async () => {
  cluster = await testCluster()
  database = await testDatabase()
  namespace = await cluster.namespace('version')
  mirror = openMirror({
    versions: {
      except: ['pods', 'events'],
      digestKey: new Uint8Array(32).fill(7),
      record: async (name, { resource, kind }, changes) =>
        void (await record(database.db, { cluster: name, resource, kind }, changes)),
    },
    log: { info: () => undefined, warn: () => undefined },
  })
  mirror.watch({ name: 'one', kubeconfig: cluster.kubeconfig, revision: '1' })
  // What is there before counts as listed.
  await vi.waitUntil(() => ['configmaps', 'secrets'].every(isLive), { timeout: 60_000 })
}, 120_000)
afterAll(async () => {
  await mirror?.close()
  await database?.close()
  await cluster?.close()
})

const isLive = (name: string) => mirror.clusters()[0]?.kinds.find(({ resource }) => resource === name)?.state === 'live'

const versionsOf = async (resource: string, name: string) => {
  const [object] = await findObjects(database.db, { cluster: 'one', resource, namespace, name })
  return object ? { object, rows: await listVersionRows(database.db, object.id, { limit: 10 }) } : undefined
}
const numberOf = (resource: string, name: string) =>
  expect.poll(async () => (await versionsOf(resource, name))?.rows[0]?.number, { timeout: 20_000 })

test('what anybody changes in a cluster is recorded with who did it, and every state can be had again', async () => {
  const configMap = (colour: string) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'palette', namespace },
    data: { colour, size: 'large' },
  })
  await cluster.cluster.create(configMap('red'))
  await numberOf('configmaps', 'palette').toBe(1)
  await cluster.cluster.apply(configMap('green'), { force: true })
  await numberOf('configmaps', 'palette').toBe(2)
  await cluster.cluster.apply(configMap('green'), { force: true })
  await cluster.cluster.remove({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'palette' })
  await numberOf('configmaps', 'palette').toBe(3)
  const found = await versionsOf('configmaps', 'palette')
  expect(found?.rows.map(({ change, manager }) => [change, manager])).toEqual([
    ['deleted', ''],
    ['changed', 'quarterdeck'],
    ['added', 'quarterdeck'],
  ])
  const contents = await contentsOf(database.db, found?.object.id ?? '', [1, 2])
  expect([1, 2].map((number) => contents.get(number))).toMatchObject([
    { data: { colour: 'red', size: 'large' } },
    { data: { colour: 'green', size: 'large' } },
  ])
})

test('values of Secrets are recorded as digests: that one changed is seen, what it is nowhere', async () => {
  const secret = (password: string) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'login',
      namespace,
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': password },
    },
    stringData: { password, user: 'shop' },
  })
  await cluster.cluster.create(secret(SECRET))
  await numberOf('secrets', 'login').toBe(1)
  await cluster.cluster.apply(secret(`${SECRET}!`), { force: true })
  await numberOf('secrets', 'login').toBe(2)
  const found = await versionsOf('secrets', 'login')
  const contents = await contentsOf(database.db, found?.object.id ?? '', [1, 2])
  const [first, second] = [1, 2].map((number) => contents.get(number) as { data: Record<string, string> })
  expect(first?.data.user).toBe(second?.data.user)
  expect(first?.data.password).not.toBe(second?.data.password)
  const connection = await database.store.connect()
  const rows = await connection.query('select content from recorded_object union all select back from object_version')
  await connection.close()
  const everything = JSON.stringify(rows)
  for (const text of [SECRET, Buffer.from(SECRET).toString('base64').slice(0, 16)]) {
    expect(everything).not.toContain(text)
  }
})

test('kinds that are left out are not recorded', async () => {
  await cluster.cluster.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'left-out', namespace },
    spec: { containers: [{ name: 'one', image: 'none' }] },
  })
  await expect
    .poll(() => mirror.find({ resource: 'pods', cluster: 'one', namespace, name: 'left-out' }, everything))
    .toBeDefined()
  await cluster.cluster.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'after', namespace } })
  await numberOf('configmaps', 'after').toBe(1)
  expect(await versionsOf('pods', 'left-out')).toBeUndefined()
})

test('what is recorded can be chosen while the mirror reads: a kind that comes in is recorded as it is, one that goes out no more', async () => {
  mirror.recordAllBut(['configmaps', 'events'])
  await numberOf('pods', 'left-out').toBe(1)
  expect((await versionsOf('pods', 'left-out'))?.rows[0]?.change).toBe('listed')
  const palette = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'after', namespace } }
  await cluster.cluster.apply({ ...palette, data: { colour: 'blue' } }, { force: true })
  const pod = { apiVersion: 'v1', kind: 'Pod', namespace, name: 'left-out' }
  await cluster.cluster.patch(pod, { metadata: { labels: { tier: 'front' } } })
  await numberOf('pods', 'left-out').toBe(2)
  expect((await versionsOf('configmaps', 'after'))?.rows).toHaveLength(1)
  expect(isLive('pods')).toBe(true)
}, 60_000)

const everything = { key: 'test', generation: 0, may: () => true, knows: () => true }
