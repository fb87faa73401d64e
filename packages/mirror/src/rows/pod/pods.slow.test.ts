import { mkdirSync, writeFileSync } from 'node:fs'
import { type TestCluster, testCluster } from '@quarterdeck/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { JsonObject } from '../../worker/object-sink.ts'
import { kindOf } from '../kinds/kind-of.ts'
import { PlainTables } from '../rows-of-batches.ts'
import { openTables } from '../tables.ts'
import { POD_SHAPES, podOf } from './pod-shapes.ts'
import { podsInList } from './pods-in-list.ts'

let testing: TestCluster
let namespace: string
beforeAll(async () => {
  testing = await testCluster()
  namespace = await testing.namespace('rows')
  for (const shape of POD_SHAPES) await make(shape)
})
afterAll(() => testing?.close())

const path = () => `/api/v1/namespaces/${namespace}/pods`

async function ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', where: string, accept: string, body?: object) {
  const answer = await testing.cluster.native({
    method,
    path: where,
    query: '',
    accept,
    contentType: method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
    body: body && Buffer.from(JSON.stringify(body)),
  })
  const bytes = Buffer.concat(await answer.body.toArray())
  expect(answer.status, bytes.toString()).toBeLessThan(300)
  return bytes
}

async function make(shape: (typeof POD_SHAPES)[number]): Promise<void> {
  const own = `${path()}/${shape.name}`
  await ask('POST', path(), 'application/json', podOf(namespace, shape))
  if (shape.status) await ask('PATCH', `${own}/status`, 'application/json', { status: shape.status })
  if (shape.deleted) await ask('DELETE', own, 'application/json')
}

const pods = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  namespaced: true,
  custom: false,
}
const opened = () => {
  const plain = new PlainTables()
  const options = {
    searchedAnnotations: ['example.org/*'],
    recordsVersions: () => false,
    digestKey: new Uint8Array(32),
  }
  const tables = openTables({ post: plain.post, readAnew() {}, ...options })
  return { plain, tables, sink: tables.sink(1, kindOf(pods)) }
}

test('pods of every shape have the same rows from JSON and from protobuf of a real API server, as it prints them', async () => {
  const protobuf = await ask('GET', path(), 'application/vnd.kubernetes.protobuf')
  const json = await ask('GET', path(), 'application/json')
  const table = JSON.parse(String(await ask('GET', path(), 'application/json;as=Table;v=v1;g=meta.k8s.io')))
  if (process.env.WRITE_FIXTURES) {
    mkdirSync(`${import.meta.dirname}/fixtures`, { recursive: true })
    writeFileSync(`${import.meta.dirname}/fixtures/pods.pb`, protobuf)
    writeFileSync(`${import.meta.dirname}/fixtures/pods.json`, `${JSON.stringify(JSON.parse(String(json)))}\n`)
  }

  const fromJson = opened()
  for (const pod of JSON.parse(String(json)).items as JsonObject[]) fromJson.sink.put(pod)
  fromJson.tables.close()
  const fromProtobuf = opened()
  for (const [from, to] of podsInList(protobuf)) fromProtobuf.sink.putProtobuf(protobuf, from, to)
  fromProtobuf.tables.close()

  expect(fromProtobuf.plain.rows().size).toBe(POD_SHAPES.length)
  expect(fromProtobuf.plain.rows()).toEqual(fromJson.plain.rows())
  const printed = table.rows.map(({ cells }: { cells: unknown[] }) => cells.slice(0, 4))
  const rows = [...fromJson.plain.rows().values()].map((row) => [
    row.name,
    `${row.ready}/${row.containers}`,
    row.status,
    row.restarts,
  ])
  // Restarts are printed with how long ago the last one was.
  const known = printed.map(([name, ready, status, restarts]: string[]) => [
    name,
    ready,
    status,
    Number.parseInt(String(restarts), 10),
  ])
  expect(rows.sort()).toEqual(known.sort())
  const expected = POD_SHAPES.map(({ name, prints: [ready, containers, status, restarts] }) => [
    name,
    `${ready}/${containers}`,
    status,
    restarts,
  ])
  expect(rows).toEqual(expected.sort())
})
