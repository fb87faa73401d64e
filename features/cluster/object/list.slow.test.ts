import { invalidInput, isProblem, Problem } from '@quarterdeck/kernel'
import { beforeAll, expect, test } from 'vitest'
import {
  cells,
  LIMITED,
  list,
  listOf,
  make,
  makePod,
  names,
  namespace,
  platform,
  until,
  withMirror,
} from '../../../test/platform/mirrored.ts'
import { completeFilter, countObjects, listKinds, listObjects, searchObjects, sumObjects } from './object.contract.ts'

withMirror()
beforeAll(async () => {
  const restarted = (restartCount: number) => ({
    phase: restartCount > 3 ? 'Failed' : 'Running',
    containerStatuses: [
      { name: 'web', image: 'web:1', imageID: '', ready: restartCount < 4, restartCount, state: { running: {} } },
    ],
  })
  for (const [index, tier] of ['front', 'front', 'back', 'back', 'back'].entries()) {
    const name = `web-${index}`
    await makePod(name, { labels: { tier, number: String(index) } })
    await platform.cluster.patch(
      { apiVersion: 'v1', kind: 'Pod', namespace, name },
      { status: restarted(index) },
      { subresource: 'status' },
    )
  }
  await make('ConfigMap', 'settings', { data: { a: '1' } })
  await until(async () => (await list('pods', { filter: 'restarts>=4' })).total === 1)
  await until(async () => (await list('configmaps', { filter: 'name:settings' })).total === 1)
}, 60_000)

const refusalOf = async (call: Promise<unknown>) => {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof Problem)) throw new Error('it was not refused')
  const { type, status, errors } = error.body
  return { type, status, pointer: errors?.[0]?.pointer, detail: error.message }
}

test('[SCL-02] every kind of the cluster is listed with its columns and how many there are', async () => {
  const { items, clusters } = await platform.client(listKinds)
  const pods = items.find(({ resource }) => resource === 'pods')
  expect(pods).toMatchObject({ kind: 'Pod', plural: 'pods', namespaced: true, shortNames: ['po'] })
  expect(pods?.columns.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['namespace', 'name', 'status', 'restarts']),
  )
  expect(pods?.clusters.map(({ cluster, state }) => [cluster, state])).toEqual([
    ['test', 'live'],
    ['twin', 'live'],
  ])
  expect(items.map(({ resource }) => resource)).toEqual(expect.arrayContaining(['nodes', 'deployments.apps', 'events']))
  expect(clusters.map(({ cluster }) => cluster)).toEqual(['test', 'twin'])
})

test('[SCL-02] a list is filtered, sorted and paged, with the exact total', async () => {
  const page = await list('pods', { filter: 'label:tier=back', sort: '-restarts', limit: '2' })
  expect([page.total, names(page)]).toEqual([3, ['web-4', 'web-3']])
  expect(names(await list('pods', { filter: 'label:tier=back', sort: '-restarts', offset: '2' }))).toEqual(['web-2'])
  expect(names(await list('pods', { filter: 'restarts>2 -name:web-4' }))).toEqual(['web-3'])
  expect(names(await list('pods', { filter: 'label:number=0 or label:number=1' }))).toEqual(['web-0', 'web-1'])
  const chosen = await list('pods', { columns: 'name,restarts', limit: '1' })
  expect([chosen.columns, chosen.rows[0]?.values]).toEqual([
    ['name', 'restarts'],
    ['web-0', 0],
  ])
  expect(chosen.freshness).toMatchObject([{ cluster: 'test', state: 'live', message: '' }])
})

test('a kind is found by its kind and short name as well', async () => {
  for (const name of ['Pod', 'po', 'pods', 'PODS']) expect((await list(name)).resource).toBe('pods')
})

test('[SCL-04] [CLU-04] one query spans clusters, and says of each how fresh it is', async () => {
  const call = (query: Record<string, string>) => platform.client(listObjects, { params: { resource: 'pods' }, query })
  const both = await call({ namespace, sort: 'name,cluster' })
  expect(both.total).toBe(10)
  expect(both.rows.slice(0, 2).map(({ cluster }) => cluster)).toEqual(['test', 'twin'])
  expect(both.freshness.map(({ cluster, state }) => [cluster, state])).toEqual([
    ['test', 'live'],
    ['twin', 'live'],
  ])
  expect((await call({ namespace, cluster: 'twin' })).total).toBe(5)
  expect((await call({ namespace, filter: 'cluster:twin restarts:0' })).total).toBe(1)
})

test('[CON-24] how often values occur, and sums by group, are answered over the whole list', async () => {
  const filter = `ns:${namespace} cluster:test`
  const { items } = await platform.client(countObjects, {
    params: { resource: 'pods' },
    query: { filter, fields: 'label:tier,status,cluster' },
  })
  expect(items[0]).toEqual({
    field: 'label:tier',
    distinct: 2,
    values: [
      { value: 'back', count: 3 },
      { value: 'front', count: 2 },
    ],
  })
  expect(items[2]).toMatchObject({ values: [{ value: 'test', count: 5 }] })
  const sums = await platform.client(sumObjects, {
    params: { resource: 'pods' },
    query: { filter, by: 'cluster', fields: 'restarts' },
  })
  expect(sums.items).toEqual([{ value: 'test', count: 5, sums: [10] }])
})

test('[SCL-01] [CON-24] free text finds objects of any kind', async () => {
  const found = await platform.client(searchObjects, { query: { text: `settings ${namespace}`, cluster: 'test' } })
  expect([found.total, found.kinds[0]?.resource]).toEqual([1, 'configmaps'])
  const pods = await platform.client(searchObjects, { query: { text: namespace, limit: 2 } })
  const hits = pods.kinds.find(({ resource }) => resource === 'pods')
  expect([hits?.total, hits?.rows.length]).toEqual([10, 2])
})

test('a filter is completed as one types', async () => {
  const complete = async (text: string, cursor?: number) =>
    (
      await platform.client(completeFilter, {
        params: { resource: 'pods' },
        query: { text, ...(cursor === undefined ? {} : { cursor }) },
      })
    ).items.map(({ insert }) => insert)
  expect((await complete('stat')).some((insert) => insert.startsWith('status'))).toBe(true)
  expect((await complete('label:tier=f')).some((insert) => insert.includes('front'))).toBe(true)
})

test('[SCL-02] what somebody may not see is neither listed, counted nor found', async () => {
  const elsewhere = await platform.namespace('other')
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'hidden', namespace: elsewhere } }
  await platform.cluster.create(ref)
  const limited = platform.as({ name: LIMITED, permissions: ['object.list', 'object.get'] })
  const all = (client: typeof limited) =>
    client(listObjects, { params: { resource: 'configmaps' }, query: { filter: 'name:hidden or name:settings' } })
  await until(async () => cells(await all(platform.client), 'name').includes('hidden'))
  expect(new Set(cells(await all(limited), 'name'))).toEqual(new Set(['settings']))
  expect((await limited(searchObjects, { query: { text: 'hidden' } })).total).toBe(0)
  const counted = await limited(countObjects, { params: { resource: 'configmaps' }, query: { fields: 'namespace' } })
  expect(counted.items[0]?.values.map(({ value }) => value)).toEqual([namespace])
})

test('whoever lacks object.list sees nothing', async () => {
  const nobody = platform.as({ permissions: ['cluster.list'] })
  const call = nobody(listObjects, { params: { resource: 'pods' } })
  expect(await refusalOf(call)).toMatchObject({ status: 403, type: '/problems/permission-missing' })
})

test.each<[string, Record<string, string>, string, RegExp]>([
  ['an unknown field in the filter', { filter: 'colour:red' }, '/query/filter', /no .*colour.*character 1/i],
  ['a filter that breaks off', { filter: 'status:Running (name:a' }, '/query/filter', /character/],
  ['a number that is none', { filter: 'restarts>many' }, '/query/filter', /character/],
  ['an unknown column to sort by', { sort: 'restarts,colour' }, '/query/sort', /colour/],
  ['an unknown column', { columns: 'name,colour' }, '/query/columns', /colour/],
  ['a limit that is too large', { limit: '5000' }, '/query/limit', /1000/],
  ['a limit of nothing', { limit: '0' }, '/query/limit', /1/],
  ['an offset before the beginning', { offset: '-1' }, '/query/offset', /0/],
  ['an offset that is none', { offset: 'two' }, '/query/offset', /number/],
  ['an unknown parameter', { order: 'name' }, '/query/order', /no such field/i],
])('%s is refused at its field, with what to do', async (_, query, pointer, detail) => {
  const refusal = await refusalOf(list('pods', query))
  expect(refusal).toMatchObject({ status: 400, type: '/problems/invalid-input', pointer })
  expect(refusal.detail).toMatch(detail)
})

test('a kind that no cluster serves is named, with what comes near', async () => {
  const refusal = await refusalOf(platform.client(listObjects, { params: { resource: 'podz' } }))
  expect(refusal).toMatchObject({ status: 404, type: '/problems/unknown-kind', pointer: '/params/resource' })
  const near = await refusalOf(platform.client(listObjects, { params: { resource: 'deploymen' } }))
  expect(near.detail).toContain('deployments.apps')
  const facets = platform.client(countObjects, { params: { resource: 'pods' }, query: { fields: 'colour' } })
  expect(await refusalOf(facets)).toMatchObject({ pointer: '/query/fields' })
  const sums = platform.client(sumObjects, { params: { resource: 'pods' }, query: { fields: 'status' } })
  expect(await refusalOf(sums)).toMatchObject({ pointer: '/query/fields' })
  expect(
    isProblem(await platform.client(searchObjects, { query: { text: '' } }).catch((e: unknown) => e), invalidInput),
  ).toBe(true)
})

test('[CLU-13] [CLU-05] hosts with zone and region are counted, and the pods on each of them', async () => {
  const host = (name: string, zone: string) => {
    const labels = { 'topology.kubernetes.io/zone': zone, 'topology.kubernetes.io/region': 'north', rack: namespace }
    return platform.cluster.create({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: `${namespace}-${name}`, labels },
    })
  }
  const hosts = [await host('a', 'z1'), await host('b', 'z1'), await host('c', 'z2')].map(
    ({ object }) => object.metadata.name,
  )
  await make('ServiceAccount', 'runner')
  for (const [index, nodeName] of [hosts[0], hosts[0], hosts[2]].entries()) {
    await makePod(`hosted-${index}`, { labels: { hosted: 'yes' }, spec: { nodeName } })
  }
  await listOf(3, 'pods', { filter: 'label:hosted' })
  const nodes = (query: Record<string, string>) =>
    platform.client(listObjects, { params: { resource: 'nodes' }, query: { cluster: 'test', ...query } })
  const inZone = await nodes({ filter: `label:rack=${namespace} zone:z1 region:north` })
  expect([inZone.total, names(inZone)]).toEqual([2, hosts.slice(0, 2)])
  const { items } = await platform.client(sumObjects, {
    params: { resource: 'pods' },
    query: { filter: `label:hosted cluster:test ns:${namespace}`, by: 'node' },
  })
  expect(items.map(({ value, count }) => [value, count])).toEqual([
    [hosts[0], 2],
    [hosts[2], 1],
  ])
  for (const name of hosts) await platform.cluster.remove({ apiVersion: 'v1', kind: 'Node', name })
})

test('[EXT-07] a kind that is defined while it runs is browsed with the columns that its definition gives it', async () => {
  const group = `${namespace}.example.com`
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  const columns = [{ name: 'Crew', type: 'integer', jsonPath: '.spec.crew' }]
  await platform.cluster.create({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `boats.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'boats', kind: 'Boat', shortNames: ['bt'] },
      versions: [{ name: 'v1', served: true, storage: true, schema, additionalPrinterColumns: columns }],
    },
  })
  const boats = async () =>
    (await platform.client(listKinds)).items.find(({ resource }) => resource === `boats.${group}`)
  await until(async () => (await boats())?.columns.some(({ name }) => name === 'crew') === true)
  await until(async () => (await platform.cluster.resource(`${group}/v1`, 'Boat')) !== undefined)
  for (const crew of [3, 12]) await make('Boat', `boat-${crew}`, { spec: { crew } }, `${group}/v1`)
  await listOf(2, `boats.${group}`)
  const large = await list(`boats.${group}`, { filter: 'crew>5' })
  expect([names(large), cells(large, 'crew')]).toEqual([['boat-12'], [12]])
  await platform.cluster.remove({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    name: `boats.${group}`,
  })
  await until(async () => (await boats()) === undefined)
})

test('what is made, changed and deleted shows in the list', async () => {
  await make('Secret', 'short-lived', { stringData: { password: 'hunter2' } })
  await listOf(1, 'secrets')
  await platform.cluster.remove({ apiVersion: 'v1', kind: 'Secret', namespace, name: 'short-lived' })
  await listOf(0, 'secrets')
})
