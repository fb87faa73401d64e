import { afterAll, beforeAll, expect, test } from 'vitest'
import { generatePods } from '../generator/generate.ts'
import { apiRequest } from '../world/api-request.ts'
import { type FullCluster, fullCluster } from '../world/cluster.ts'
import { readToNowhere, servedResources } from '../world/floor.ts'
import { type Fact, keyOf, readFacts } from './facts.ts'

let cluster: FullCluster
let pods: Fact[]

beforeAll(async () => {
  cluster = await fullCluster(1_000)
  const served = await servedResources(cluster.plane.admin)
  pods = await readFacts(cluster.plane.admin, served.find(({ resource }) => resource === 'pods') ?? raise())
})
afterAll(() => cluster?.close())

const raise = () => {
  throw new Error('The API server serves no pods')
}

test('what was written into etcd is what the API server serves', () => {
  const generated = [...generatePods(cluster.shape)].filter(({ object }) => object.kind === 'Pod')
  expect(pods.map(keyOf).sort()).toEqual(
    generated.map(({ object: { metadata } }) => `${metadata.namespace}/${metadata.name}`).sort(),
  )
})

test('the columns that the oracle works out are those that the API server prints', async () => {
  const table = await apiRequest<Table>(
    cluster.plane.admin,
    '/api/v1/pods',
    'application/json;as=Table;g=meta.k8s.io;v=v1',
  )
  const column = (name: string) => table.columnDefinitions.findIndex((one) => one.name === name)
  const printed = table.rows.map(({ cells, object: { metadata } }) => ({
    key: keyOf({ namespace: metadata.namespace ?? '', name: metadata.name }),
    status: cells[column('Status')],
    ready: cells[column('Ready')],
    restarts: Number.parseInt(String(cells[column('Restarts')]), 10),
    node: cells[column('Node')] === '<none>' ? '' : cells[column('Node')],
    address: cells[column('IP')] === '<none>' ? '' : cells[column('IP')],
  }))
  const ours = pods.map((fact) => ({
    key: keyOf(fact),
    status: fact.pod?.status,
    ready: fact.pod?.ready,
    restarts: fact.pod?.restarts,
    node: fact.pod?.node,
    address: fact.pod?.address,
  }))
  expect(ours).toEqual(printed)
})

test('the list read to nowhere ends, both ways', async () => {
  for (const way of ['list', 'watchList'] as const) {
    const { bytes, wallMs } = await readToNowhere({ endpoint: cluster.plane.admin, paths: ['/api/v1/pods'], way })
    expect(bytes).toBeGreaterThan(1_000_000)
    expect(wallMs).toBeGreaterThan(0)
  }
})

interface Table {
  columnDefinitions: { name: string }[]
  rows: { cells: unknown[]; object: { metadata: { namespace?: string; name: string } } }[]
}
