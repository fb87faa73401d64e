import { expect, test } from 'vitest'
import type { ObjectChange, VersionsMessage } from '../../batch.ts'
import type { JsonObject } from '../../worker/object-sink.ts'
import { kindOf } from '../kinds/kind-of.ts'
import { PlainTables } from '../rows-of-batches.ts'
import { openTables } from '../tables.ts'

const kind = (plural: string, group = '') =>
  kindOf({ group, version: 'v1', kind: plural, plural, shortNames: [], namespaced: true, custom: false })
const DEPLOYMENTS = kind('deployments', 'apps')

function opened(digestKey = new Uint8Array(32)) {
  const plain = new PlainTables()
  const tables = openTables({
    post: plain.post,
    searchedAnnotations: [],
    recordsVersions: (resource) => resource !== 'pods',
    digestKey,
    readAnew() {},
  })
  /** What was recorded since this was last asked. */
  const recorded = (): ObjectChange[] => {
    tables.flush()
    const messages = plain.messages.splice(0)
    return messages.flatMap((message) => (message.type === 'versions' ? (message as VersionsMessage).versions : []))
  }
  return { plain, tables, recorded }
}

const uid = (name: string) => `00000000-0000-4000-8000-${Buffer.from(name.padEnd(6)).toString('hex')}`
const deployment = (name: string, revision: number, more: JsonObject = {}): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  ...more,
  metadata: {
    namespace: 'shop',
    name,
    uid: uid(name),
    resourceVersion: String(revision),
    generation: 4,
    ...more.metadata,
  },
})
const short = (changes: ObjectChange[]) =>
  changes.map(({ change, namespace, name, revision }) => [change, namespace, name, revision])

test('what a list has at first is listed, what comes later is added, changed and deleted', () => {
  const { tables, recorded } = opened()
  const sink = tables.sink(1, DEPLOYMENTS)
  sink.beginList()
  sink.put(deployment('a', 1, { spec: { replicas: 1 } }))
  sink.put(deployment('b', 2))
  sink.endList()
  sink.put(deployment('c', 3))
  sink.put(deployment('a', 4, { spec: { replicas: 2 } }))
  sink.remove(deployment('b', 5))
  expect(short(recorded())).toEqual([
    ['listed', 'shop', 'a', '1'],
    ['listed', 'shop', 'b', '2'],
    ['added', 'shop', 'c', '3'],
    ['changed', 'shop', 'a', '4'],
    ['deleted', 'shop', 'b', '5'],
  ])
})

test('a change of the status, of managed fields or of the leader alone is none', () => {
  const { tables, recorded } = opened()
  const sink = tables.sink(1, DEPLOYMENTS)
  sink.put(deployment('a', 1, { spec: { x: 1, y: [{ a: 1, b: 2 }] } }))
  recorded()
  const same = { spec: { y: [{ b: 2, a: 1 }], x: 1 }, status: { replicas: 3 } }
  sink.put(deployment('a', 2, { ...same, metadata: { generation: 5, managedFields: [{ manager: 'x' }] } }))
  sink.put(
    deployment('a', 3, { ...same, metadata: { annotations: { 'control-plane.alpha.kubernetes.io/leader': 'me' } } }),
  )
  const applied = { 'kubectl.kubernetes.io/last-applied-configuration': '{"spec":{}}' }
  sink.put(deployment('a', 4, { ...same, metadata: { annotations: applied } }))
  expect(recorded()).toEqual([])
  sink.put(deployment('a', 5, { ...same, metadata: { labels: { a: 'b' } } }))
  expect(short(recorded())).toEqual([['changed', 'shop', 'a', '5']])
  const leases = tables.sink(1, kind('leases', 'coordination.k8s.io'))
  leases.put(deployment('l', 6, { spec: { holderIdentity: 'a', renewTime: '1', leaseDurationSeconds: 15 } }))
  leases.put(deployment('l', 7, { spec: { holderIdentity: 'b', renewTime: '2', leaseDurationSeconds: 15 } }))
  leases.put(deployment('l', 8, { spec: { holderIdentity: 'b', renewTime: '3', leaseDurationSeconds: 30 } }))
  expect(short(recorded())).toEqual([
    ['listed', 'shop', 'l', '6'],
    ['changed', 'shop', 'l', '8'],
  ])
})

test('a version is the object without status, managed fields and revision, and who made it', () => {
  const { tables, recorded } = opened()
  const managedFields = [
    { manager: 'helm', operation: 'Apply', time: '2026-11-20T10:00:00Z' },
    { manager: 'ann', operation: 'Update', time: '2026-11-21T10:00:00Z' },
    { manager: 'controller', operation: 'Update', time: '2026-11-21T11:00:00Z', subresource: 'status' },
  ]
  const annotations = { note: 'kept', 'kubectl.kubernetes.io/last-applied-configuration': '{"spec":{}}' }
  const object = { spec: { replicas: 1 }, status: { replicas: 1 }, metadata: { managedFields, annotations } }
  tables.sink(1, DEPLOYMENTS).put(deployment('a', 1, object))
  const [version] = recorded() as [ObjectChange]
  expect(version).toMatchObject({ uid: uid('a'), generation: 4, manager: 'ann', managedTime: '2026-11-21T10:00:00Z' })
  expect(version.content).toBe(
    JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { annotations: { note: 'kept' }, generation: 4, name: 'a', namespace: 'shop', uid: uid('a') },
      spec: { replicas: 1 },
    }),
  )
})

test('no value of a Secret leaves the thread, in whatever field it comes', () => {
  const { plain, tables, recorded } = opened()
  const sink = tables.sink(1, kind('secrets'))
  const applied = { 'kubectl.kubernetes.io/last-applied-configuration': '{"stringData":{"password":"hunter2"}}' }
  const secret = (revision: number, value: string) =>
    deployment('s', revision, {
      data: { password: value, same: 'aHVudGVyMg==' },
      stringData: { password: 'hunter2' },
      metadata: { annotations: applied },
    })
  sink.put(secret(1, 'aHVudGVyMg=='))
  tables.flush()
  const sent = plain.messages.flatMap((message) =>
    message.type === 'batch' ? [Buffer.from(message.strings.bytes).toString('latin1')] : [JSON.stringify(message)],
  )
  expect(sent.join()).not.toMatch(/hunter2|aHVudGVyMg/)
  const [first] = recorded() as [ObjectChange]
  sink.put(secret(2, 'b3RoZXI='))
  const [second] = recorded() as [ObjectChange]
  const [before, after] = [first, second].map(({ content }) => JSON.parse(content).data)
  expect(before.password).toMatch(/^hmac-sha256:[0-9a-f]{64}$/)
  expect(after.password).not.toBe(before.password)
  expect(after.same).toBe(before.same)
  expect(before.same).not.toBe(before.password)
  const other = opened(new Uint8Array(32).fill(1))
  other.tables.sink(1, kind('secrets')).put(secret(1, 'aHVudGVyMg=='))
  expect(JSON.parse((other.recorded()[0] as ObjectChange).content).data.password).not.toBe(before.password)
})

test('what a later list has lost is deleted, by its name', () => {
  const { tables, recorded } = opened()
  const sink = tables.sink(1, DEPLOYMENTS)
  sink.beginList()
  for (const [at, name] of ['web-1', 'web-2', 'plain'].entries()) sink.put(deployment(name, at + 1))
  sink.endList()
  recorded()
  sink.beginList()
  sink.put(deployment('web-2', 2))
  sink.put(deployment('new', 9))
  sink.endList()
  const changes = recorded()
  expect(short(changes)).toEqual([
    ['added', 'shop', 'new', '9'],
    ['deleted', 'shop', 'web-1', ''],
    ['deleted', 'shop', 'plain', ''],
  ])
  expect(changes[1]).toMatchObject({ uid: uid('web-1'), content: '' })
})

test('an object that comes again under its name is another one', () => {
  const { tables, recorded } = opened()
  const sink = tables.sink(1, DEPLOYMENTS)
  sink.put(deployment('a', 1))
  sink.remove(deployment('a', 2))
  sink.put(deployment('a', 3, { metadata: { uid: uid('again') } }))
  expect(recorded().map(({ change, uid }) => [change, uid])).toEqual([
    ['listed', uid('a')],
    ['deleted', uid('a')],
    ['listed', uid('again')],
  ])
})

test('a cluster that is forgotten has not deleted anything', () => {
  const { tables, recorded } = opened()
  tables.sink(1, DEPLOYMENTS).put(deployment('a', 1))
  recorded()
  tables.drop(1)
  expect(recorded()).toEqual([])
})

test('clusters are recorded apart, and long contents in several messages', () => {
  const { plain, tables } = opened()
  for (const cluster of [1, 2]) {
    const sink = tables.sink(cluster, kind('configmaps'))
    for (let at = 0; at < 3; at++) sink.put(deployment(`c${at}`, at + 1, { data: { long: 'x'.repeat(400_000) } }))
  }
  tables.flush()
  const messages = plain.messages.flatMap((message) => (message.type === 'versions' ? [message] : []))
  expect(messages.map(({ cluster, versions }) => [cluster, versions.length])).toEqual([
    [1, 3],
    [2, 3],
  ])
})

test('kinds that are not recorded are not', () => {
  const { tables, recorded } = opened()
  const pods = kind('pods')
  expect(tables.sink(1, pods).protobuf).toBe(true)
  tables.sink(1, pods).put(deployment('a', 1))
  expect(recorded()).toEqual([])
})
