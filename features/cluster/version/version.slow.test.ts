import { type TestDatabase, testDatabase } from '@quarterdeck/testkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { versionReconciler } from './version.reconciler.ts'
import {
  type Change,
  contentsOf,
  findObjects,
  findVersionAt,
  listChangeRows,
  listVersionRows,
  record,
} from './version.store.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database?.close())
beforeEach(() => database.reset())

const place = { cluster: 'one', resource: 'deployments.apps', kind: 'Deployment' }
const web = { ...place, namespace: 'shop', name: 'web' }
const noon = Date.parse('2026-11-21T12:00:00Z')

const change = (minute: number, replicas: number | undefined, more: Partial<Change> = {}): Change => ({
  change: replicas === undefined ? 'deleted' : 'changed',
  namespace: 'shop',
  name: 'web',
  uid: 'u-1',
  generation: minute,
  revision: String(100 + minute),
  time: noon + minute * 60_000,
  manager: 'kubectl-edit',
  managedTime: new Date(noon + minute * 60_000).toISOString(),
  content:
    replicas === undefined
      ? ''
      : JSON.stringify({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { replicas } }),
  ...more,
})

const theObject = async () => {
  const [object] = await findObjects(database.db, web)
  if (!object) throw new Error('not recorded')
  return object
}
const replicasAt = async (...numbers: number[]) => {
  const contents = await contentsOf(database.db, (await theObject()).id, numbers)
  return numbers.map((number) => (contents.get(number) as { spec: { replicas: number } } | undefined)?.spec.replicas)
}

test('every state of an object can be had again, by number and by time', async () => {
  const { db } = database
  await record(db, place, [change(0, 1, { change: 'listed' }), change(1, 2), change(2, 5)])
  await record(db, place, [change(3, 3)])
  expect(await replicasAt(1, 2, 3, 4)).toEqual([1, 2, 5, 3])
  const { id } = await theObject()
  const at = async (minute: number) =>
    (await findVersionAt(db, id, new Date(noon + minute * 60_000).toISOString()))?.number
  expect([await at(-1), await at(0), await at(2.5), await at(99)]).toEqual([undefined, 1, 3, 4])
  expect((await listVersionRows(db, id, { limit: 10 })).map(({ number, manager }) => [number, manager])).toEqual(
    [4, 3, 2, 1].map((number) => [number, 'kubectl-edit']),
  )
})

test('what is recorded already is not recorded again, so a repeated call or a restart adds nothing', async () => {
  const { db } = database
  expect(await record(db, place, [change(0, 1), change(1, 2)])).toBe(2)
  expect(await record(db, place, [change(1, 2)])).toBe(0)
  expect(await record(db, place, [change(9, 2, { change: 'listed' })])).toBe(0)
  expect(await replicasAt(1, 2)).toEqual([1, 2])
})

test('two servers that record the same at once record it once', async () => {
  const { db } = database
  const changes = Array.from({ length: 20 }, (_, index) => change(index, index, { uid: `u-${index % 5}` }))
  await Promise.all([record(db, place, changes), record(db, place, changes)])
  const objects = await findObjects(db, web)
  expect(objects.map(({ number }) => number)).toEqual([4, 4, 4, 4, 4])
})

test('an object that was deleted keeps its past, and one that comes back under its name is another', async () => {
  const { db } = database
  await record(db, place, [change(0, 1), change(1, 2), change(2, undefined), change(2, undefined)])
  await record(db, place, [change(3, 7, { uid: 'u-2', change: 'added' })])
  const [now, before] = await findObjects(db, web)
  expect([now?.uid, now?.number, before?.uid, before?.number]).toEqual(['u-2', 1, 'u-1', 3])
  expect((await contentsOf(db, before?.id ?? '', [2])).get(2)).toMatchObject({ spec: { replicas: 2 } })
  expect((await listChangeRows(db, { limit: 10 })).map(({ change, uid }) => [change, uid])).toEqual([
    ['added', 'u-2'],
    ['deleted', 'u-1'],
    ['changed', 'u-1'],
    ['changed', 'u-1'],
  ])
})

test('changes can be asked for by who made them, where and when', async () => {
  const { db } = database
  await record(db, place, [change(0, 1, { change: 'listed' }), change(1, 2), change(2, 3, { manager: 'helm' })])
  const found = async (filter: object) => (await listChangeRows(db, { limit: 10, ...filter })).map((row) => row.number)
  expect(await found({})).toEqual([3, 2])
  expect(await found({ manager: 'helm' })).toEqual([3])
  expect(await found({ cluster: 'two' })).toEqual([])
  await record(db, place, [change(3, 4, { manager: 'kube-controller-manager' })])
  expect(await found({})).toEqual([4, 3, 2])
  expect(await found({ controllers: false })).toEqual([3, 2])
  expect(await found({ since: '2026-11-21T12:00:30Z', until: '2026-11-21T12:01:30Z' })).toEqual([2])
})

const reconciler = (now: number, there: string | null | undefined, clusters = ['one']) =>
  versionReconciler({
    db: database.db,
    clusters: async () => clusters,
    uidsOf: () => () => there,
    keepDays: async () => 30,
    now: () => now,
  })
const context = { signal: new AbortController().signal }

test('what went while nobody looked is marked as deleted; what is not known, or is there, is left', async () => {
  await record(database.db, place, [change(0, 1)])
  for (const there of ['u-1', undefined]) {
    await reconciler(noon + 1e6, there).reconcile('one', context)
    expect((await theObject()).deleteTime).toBeNull()
  }
  await reconciler(noon + 1e6, null).reconcile('one', context)
  await reconciler(noon + 2e6, null).reconcile('one', context)
  const { id, deleteTime, number } = await theObject()
  expect([deleteTime, number]).toEqual([new Date(noon + 1e6).toISOString(), 2])
  expect((await listVersionRows(database.db, id, { limit: 1 }))[0]?.change).toBe('deleted')
})

test('all objects of a cluster are looked through every ten minutes, however often it is asked for', async () => {
  await record(database.db, place, [change(0, 1)])
  let [time, asked] = [noon + 1e6, 0]
  const uidsOf = () => () => {
    asked += 1
    return asked === 1 ? undefined : 'u-1'
  }
  const { reconcile } = versionReconciler({
    db: database.db,
    clusters: async () => ['one'],
    uidsOf,
    keepDays: async () => 30,
    now: () => time,
  })
  // Not known yet: the next look is not put off.
  for (const looks of [1, 2]) {
    expect(await reconcile('one', context)).toEqual({ requeueAfterSeconds: 600 })
    expect(asked).toBe(looks)
  }
  time += 60_000
  expect(await reconcile('one', context)).toEqual({ requeueAfterSeconds: 540 })
  expect(asked).toBe(2)
  time += 540_000
  await reconcile('one', context)
  expect(asked).toBe(3)
})

test('versions are forgotten with age, but never the newest of an object that is there', async () => {
  const { db } = database
  await record(db, place, [change(0, 1), change(1, 2), change(2, 3)])
  await record(db, place, [
    change(0, 1, { name: 'old', uid: 'u-9' }),
    change(1, undefined, { name: 'old', uid: 'u-9' }),
  ])
  const later = noon + 31 * 86_400_000
  await reconciler(noon + 86_400_000, 'u-1').reconcile('', context)
  expect(await replicasAt(1, 2, 3)).toEqual([1, 2, 3])
  await reconciler(later, 'u-1').reconcile('', context)
  expect(await replicasAt(1, 2, 3)).toEqual([undefined, undefined, 3])
  expect(await findObjects(db, { ...web, name: 'old' })).toEqual([])
  await reconciler(later, 'u-1', []).reconcile('', context)
  expect(await findObjects(db, web)).toEqual([])
})
