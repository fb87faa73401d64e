import { beforeEach, describe, expect, test } from 'vitest'
import type { FromReader, StateMessage, ToReader } from '../batch.ts'
import { EVERYTHING, type Mirror, QueryError, type Reader } from '../mirror.ts'
import type { ReaderPort } from './reader-thread.ts'
import { ServedMirror } from './served-mirror.ts'
import { BatchWriter, kindOf, type PlainRow } from './testing/batches.ts'

const PODS = kindOf('pods', [{ name: 'status', title: 'Status', type: 'text', searched: true }])
const DEPLOYMENTS = { ...kindOf('deployments.apps', []), shortNames: ['deploy'], kind: 'Deployment' }
const silent = { info: () => undefined, warn: () => undefined }

const pod = (cluster: number, namespace: string, name: string, more: PlainRow['values'] = {}): PlainRow => ({
  cluster,
  uid: [cluster, name.length, name.charCodeAt(0), name.charCodeAt(name.length - 1)],
  revision: 5,
  values: { namespace, name, ...more },
})

/** What would be sent to the reading thread. */
class Sent implements ReaderPort {
  readonly messages: ToReader[] = []
  post(message: ToReader): void {
    this.messages.push(message)
  }
  async close(): Promise<void> {}
}

let now: number
let sent: Sent
let mirror: ServedMirror

beforeEach(() => {
  now = 1_000_000
  sent = new Sent()
  mirror = new ServedMirror({ log: silent }, () => now)
  mirror.attach(sent)
  return () => mirror.close()
})

const tell = (...messages: FromReader[]) => {
  for (const message of messages) mirror.message(message)
}
const state = (cluster: number, table: number, more: Partial<StateMessage> = {}): StateMessage => ({
  type: 'state',
  cluster,
  table,
  state: 'live',
  revision: 40,
  loaded: 0,
  message: '',
  heardTime: now,
  ...more,
})

/** Two clusters, pods in three namespaces. */
function twoClusters(): BatchWriter {
  const writer = new BatchWriter(0, PODS)
  mirror.watch({ name: 'prod', kubeconfig: 'a', revision: '1' })
  mirror.watch({ name: 'test', kubeconfig: 'b', revision: '1' })
  tell(
    { type: 'kind', table: 0, spec: PODS },
    writer.batch(
      [],
      [
        [0, pod(0, 'shop', 'web-1', { status: 'Running', labels: ['app=web'] })],
        [1, pod(0, 'bank', 'vault-1', { status: 'Secretive', labels: ['app=vault', 'owner-of-gold=yes'] })],
        [2, pod(1, 'shop', 'web-2', { status: 'Pending' })],
        [3, pod(1, 'bank', 'vault-2', { status: 'Running' })],
      ],
    ),
    state(0, 0),
    state(1, 0),
  )
  return writer
}

const names = (of: Mirror, reader: Reader = EVERYTHING, filter?: { cluster: string }) =>
  of
    .list(
      {
        resource: 'pods',
        columns: ['name'],
        ...(filter && { filter: { field: 'cluster', op: '=', values: [filter.cluster] } }),
      },
      reader,
    )
    .rows.map(({ values }) => values[0])

const only = (...namespaces: string[]): Reader => ({
  key: namespaces.join(','),
  generation: 1,
  may: (_resource, _cluster, namespace) => namespaces.includes(namespace),
  knows: () => true,
})

describe('what a reader may not see', () => {
  test('[CON-24] is in no list, total, facet, sum, search, completion or single answer', () => {
    twoClusters()
    const shop = only('shop')
    expect(names(mirror, shop)).toEqual(['web-1', 'web-2'])
    expect(mirror.list({ resource: 'pods' }, shop).total).toBe(2)
    const [status, cluster, label] = mirror.facets(
      { resource: 'pods', fields: ['status', 'cluster', 'label:app'] },
      shop,
    )
    expect(status?.values.map(({ value }) => value)).toEqual(['Pending', 'Running'])
    expect(cluster?.values).toEqual([
      { value: 'prod', count: 1 },
      { value: 'test', count: 1 },
    ])
    expect(label?.values).toEqual([{ value: 'web', count: 1 }])
    expect(mirror.sums({ resource: 'pods', by: 'namespace', fields: [] }, shop)).toEqual([
      { value: 'shop', count: 2, sums: [] },
    ])
    expect(mirror.search({ text: 'vault' }, shop)).toMatchObject({ total: 0, kinds: [] })
    expect(mirror.search({ text: 'secretive' }, shop).total).toBe(0)
    const complete = (text: string) =>
      mirror.complete({ resource: 'pods', text, cursor: text.length }, shop).map(({ insert }) => insert)
    expect(complete('status:').join(' ')).not.toContain('Secretive')
    expect(complete('name:va').join(' ')).not.toContain('vault')
    expect(complete('ns:').join(' ')).not.toContain('bank')
    expect(complete('label:').join(' ')).not.toContain('gold')
    const vault = { resource: 'pods', cluster: 'prod', namespace: 'bank', name: 'vault-1' }
    expect(mirror.find(vault, shop)).toBeUndefined()
    expect(mirror.find(vault, only('bank'))?.values).toContain('vault-1')
  })

  test('stays unseen when it comes later, and when a row number gets another object', () => {
    const writer = twoClusters()
    const shop = only('shop')
    expect(mirror.list({ resource: 'pods' }, shop).total).toBe(2)
    tell(writer.batch([0], [[0, pod(0, 'bank', 'vault-3')]]), writer.batch([], [[9, pod(0, 'new', 'web-9')]]))
    expect(names(mirror, shop)).toEqual(['web-2'])
    expect(names(mirror, only('bank'))).toEqual(['vault-1', 'vault-2', 'vault-3'])
  })

  test('follows the generation of the reader', () => {
    twoClusters()
    let allowed = ['shop']
    const reader = (generation: number): Reader => ({
      key: 'ann',
      generation,
      may: (_r, _c, ns) => allowed.includes(ns),
      knows: () => true,
    })
    expect(names(mirror, reader(1))).toEqual(['web-1', 'web-2'])
    allowed = ['bank']
    expect(names(mirror, reader(2))).toEqual(['vault-1', 'vault-2'])
    allowed = []
    mirror.forgetReaders()
    expect(names(mirror, reader(2))).toEqual([])
  })

  test('leaves clusters out of the freshness in which the reader may see nothing', () => {
    twoClusters()
    const reader: Reader = {
      key: 'test only',
      generation: 1,
      may: (_r, cluster) => cluster === 'test',
      knows: (cluster) => cluster === 'test',
    }
    const clusters = ({ freshness }: { freshness: { cluster: string }[] }) => freshness.map(({ cluster }) => cluster)
    expect(clusters(mirror.list({ resource: 'pods' }, reader))).toEqual(['test'])
    expect(clusters(mirror.search({ text: 'nothing like it' }, reader))).toEqual(['test'])
    expect(mirror.clusters(reader)).toMatchObject([{ cluster: 'test', objects: 2, kinds: [{ objects: 2 }] }])
  })

  test('is counted nowhere, and a kind of which nothing may be listed is as one that nobody serves', () => {
    twoClusters()
    const shop = only('shop')
    expect(mirror.clusters(shop).map(({ objects }) => objects)).toEqual([1, 1])
    const nothing: Reader = { key: 'nothing', generation: 1, may: () => false, knows: () => false }
    expect([mirror.kinds(nothing), mirror.kind('pods', nothing), mirror.clusters(nothing)]).toEqual([[], undefined, []])
    expect(mirror.kind('Pods', shop)?.resource).toBe('pods')
  })
})

describe('clusters', () => {
  test('that are forgotten are gone at once, and what still comes of them too', () => {
    const writer = twoClusters()
    mirror.forget('prod')
    tell(writer.batch([], [[7, pod(0, 'shop', 'late-1')]]), state(0, 0))
    expect(names(mirror)).toEqual(['vault-2', 'web-2'])
    expect(mirror.clusters().map(({ cluster }) => cluster)).toEqual(['test'])
    expect(sent.messages.at(-1)).toEqual({ type: 'forget', cluster: 0 })
  })

  test('that come back are another registration', () => {
    const writer = twoClusters()
    mirror.forget('prod')
    mirror.watch({ name: 'prod', kubeconfig: 'c', revision: '1' })
    expect(sent.messages.at(-1)).toMatchObject({ type: 'watch', cluster: 2, name: 'prod', kubeconfig: 'c' })
    tell(writer.batch([0, 1], [[0, pod(2, 'shop', 'anew-1')]]), state(2, 0))
    expect(names(mirror, EVERYTHING, { cluster: 'prod' })).toEqual(['anew-1'])
  })

  test('[CLU-07] say how fresh they are: the ones the filter leaves out are not named', () => {
    twoClusters()
    tell(
      {
        type: 'cluster',
        cluster: 1,
        state: 'stale',
        message: 'test cannot be reached: connection refused',
        heardTime: 990_000,
      },
      state(0, 0, { state: 'syncing', loaded: 41, expected: 100, revision: 0, message: 'Reading pods' }),
    )
    now += 500
    const { freshness } = mirror.list({ resource: 'pods' }, EVERYTHING)
    expect(freshness).toEqual([
      { cluster: 'prod', state: 'syncing', revision: '0', ageSeconds: 0.5, percent: 41, message: 'Reading pods' },
      {
        cluster: 'test',
        state: 'stale',
        revision: '40',
        ageSeconds: 0.5,
        message: 'test cannot be reached: connection refused',
      },
    ])
    const filter = { not: { field: 'cluster', op: '=' as const, values: ['TEST'] } }
    expect(mirror.list({ resource: 'pods', filter }, EVERYTHING).freshness.map(({ cluster }) => cluster)).toEqual([
      'prod',
    ])
  })

  test('are read again with another kubeconfig only when the registration changed', () => {
    twoClusters()
    const before = sent.messages.length
    mirror.watch({ name: 'prod', kubeconfig: 'a', revision: '1' })
    expect(sent.messages).toHaveLength(before)
    mirror.watch({ name: 'prod', kubeconfig: 'z', revision: '2' })
    expect(sent.messages.at(-1)).toMatchObject({ type: 'watch', cluster: 0, kubeconfig: 'z' })
    expect(names(mirror)).toHaveLength(4)
  })
})

describe('kinds', () => {
  test('are found by resource, plural, kind and short name, without regard to case', () => {
    twoClusters()
    const custom = { ...kindOf('deployments.example.io', []), kind: 'Deployment', custom: true }
    tell({ type: 'kind', table: 4, spec: custom }, { type: 'kind', table: 5, spec: DEPLOYMENTS })
    for (const name of ['deployments.apps', 'Deployment', 'deploy', 'DEPLOY', 'deployments', 'deploy.apps'])
      expect(mirror.kind(name)?.resource, name).toBe('deployments.apps')
    expect(mirror.kind('Deployment.example.io')?.resource).toBe('deployments.example.io')
    expect(mirror.kind('nothing')).toBeUndefined()
  })

  test('that no cluster serves any more are gone', () => {
    twoClusters()
    tell({ type: 'dropped', cluster: 0, table: 0 })
    expect(mirror.kinds().map(({ resource }) => resource)).toEqual(['pods'])
    tell({ type: 'dropped', cluster: 1, table: 0 })
    expect(mirror.kinds()).toEqual([])
    expect(() => mirror.list({ resource: 'pods' }, EVERYTHING)).toThrow(QueryError)
  })

  test('are read from the old table until the new one has every cluster, or a minute has passed', () => {
    twoClusters()
    const columns = [...PODS.columns, { name: 'extra', title: 'Extra', type: 'text' as const }]
    const spec = { ...PODS, columns }
    const next = new BatchWriter(8, spec)
    tell({ type: 'kind', table: 8, spec, replaces: 0 }, next.batch([], [[0, pod(0, 'shop', 'web-1', { extra: 'x' })]]))
    tell(state(0, 8))
    expect(names(mirror)).toHaveLength(4)
    expect(mirror.kind('pods')?.columns).toHaveLength(PODS.columns.length)
    tell(next.batch([], [[1, pod(1, 'shop', 'web-2')]]), state(1, 8))
    expect(names(mirror)).toEqual(['web-1', 'web-2'])
    expect(mirror.list({ resource: 'pods', columns: ['extra'] }, EVERYTHING).rows[0]?.values).toEqual(['x'])

    tell({ type: 'kind', table: 9, spec, replaces: 8 }, state(0, 9))
    expect(names(mirror)).toHaveLength(2)
    now += 60_000
    mirror.tick()
    expect(names(mirror)).toEqual([])
  })
})

describe('a reading thread that has ended', () => {
  test('leaves the rows readable and says so; the next one goes on with them', () => {
    twoClusters()
    mirror.ended('out of memory', false)
    const page = mirror.list({ resource: 'pods' }, EVERYTHING)
    expect(page.total).toBe(4)
    expect(page.freshness.map(({ state: known }) => known)).toEqual(['stale', 'stale'])
    expect(page.freshness[0]?.message).toContain('out of memory')
    sent.messages.length = 0
    mirror.started(true)
    expect(sent.messages.map(({ type }) => type)).toEqual(['restore', 'watch', 'watch'])
    expect(sent.messages[0]).toMatchObject({
      table: 0,
      slots: 4,
      stood: [
        { cluster: 0, revision: 40 },
        { cluster: 1, revision: 40 },
      ],
    })
    tell(state(0, 0))
    expect(mirror.list({ resource: 'pods' }, EVERYTHING).freshness[0]?.state).toBe('live')
  })

  test('that died soon is followed by one that begins with nothing; its tables take over when they are complete', () => {
    twoClusters()
    mirror.ended('a bad row', true)
    sent.messages.length = 0
    mirror.started(true)
    expect(sent.messages.map(({ type }) => type)).toEqual(['watch', 'watch'])
    const writer = new BatchWriter(0, PODS)
    tell({ type: 'kind', table: 0, spec: PODS }, writer.batch([], [[0, pod(0, 'shop', 'again-1')]]), state(0, 0))
    expect(names(mirror)).toHaveLength(4)
    expect(sent.messages.filter(({ type }) => type === 'restore')).toEqual([])
    tell(state(1, 0))
    expect(names(mirror)).toEqual(['again-1'])
    mirror.ended('chance', false)
    mirror.started(true)
    expect(sent.messages.filter(({ type }) => type === 'restore')).toMatchObject([{ table: 0, slots: 1 }])
  })
})

test('[CLU-13] rows of a snapshot are hidden until their cluster is watched, and stale until it is heard of', () => {
  twoClusters()
  const source = mirror.snapshotSource()
  const tables = source.tables().map((table) => {
    const arrays = table.arrays()
    return {
      ...structuredClone({ ...arrays, clusters: arrays.clusters.slice(0, arrays.slots) }),
      spec: table.spec,
      stood: table.stood(),
    }
  })
  const later = new ServedMirror({ log: silent }, () => now)
  const port = new Sent()
  later.restore({
    writtenTime: now - 60_000,
    clusters: [0, 1].map((number) => ({ number, name: ['prod', 'test'][number] ?? '', registration: '1' })),
    tables,
  })
  later.attach(port)
  expect(names(later)).toEqual([])
  later.watch({ name: 'test', kubeconfig: 'b', revision: '1' })
  later.started(false)
  expect(names(later)).toEqual(['vault-2', 'web-2'])
  expect(later.list({ resource: 'pods' }, EVERYTHING).freshness).toMatchObject([
    { cluster: 'test', state: 'stale', revision: '40', ageSeconds: 60 },
  ])
  expect(port.messages.map(({ type }) => type)).toEqual(['watch', 'restore', 'watch'])
  return later.close()
})

test('a query that makes no sense is refused with the place and the cure', () => {
  twoClusters()
  const refused = (query: object) => {
    try {
      mirror.list({ resource: 'pods', ...query }, EVERYTHING)
    } catch (error) {
      if (error instanceof QueryError) return { pointer: error.pointer, message: error.message }
    }
    return undefined
  }
  expect(refused({ filter: { field: 'nope', op: '=', values: ['x'] } })?.pointer).toBe('/filter')
  expect(refused({ filter: { field: 'nope', op: '=', values: ['x'] } })?.message).toContain('status')
  expect(refused({ filter: { field: 'name', op: '<', values: [3] } })?.pointer).toBe('/filter')
  expect(refused({ filter: { field: 'created', op: '>', values: ['soon'] } })?.pointer).toBe('/filter')
  expect(refused({ filter: { age: 'name', op: '<', seconds: 3 } })?.pointer).toBe('/filter')
  expect(refused({ sort: [{ field: 'nope' }] })?.pointer).toBe('/sort')
  expect(refused({ columns: ['nope'] })?.pointer).toBe('/columns')
  expect(refused({ limit: 0 })?.pointer).toBe('/limit')
  expect(refused({ limit: 1_001 })?.pointer).toBe('/limit')
  expect(refused({ offset: -1 })?.pointer).toBe('/offset')
  expect(refused({ resource: 'nope' })?.pointer).toBe('/resource')
  expect(() => mirror.facets({ resource: 'pods', fields: ['name'] }, EVERYTHING)).toThrow(QueryError)
  expect(() => mirror.search({ text: '  ' }, EVERYTHING)).toThrow(QueryError)
})
