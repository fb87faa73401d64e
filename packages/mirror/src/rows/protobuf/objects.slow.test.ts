import { mkdirSync, writeFileSync } from 'node:fs'
import { type TestCluster, testCluster } from '@quarterdeck/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { JsonObject } from '../../worker/object-sink.ts'
import { podsInList } from '../pod/pods-in-list.ts'
import { type ObjectShape, objectShapes } from './object-shapes.ts'
import { SHAPES } from './shapes.ts'
import { fixtures, resourceOfShape, rowsFromJson, rowsFromProtobuf } from './testing.ts'

let testing: TestCluster
let namespace: string
let shapes: ObjectShape[]
beforeAll(async () => {
  testing = await testCluster()
  namespace = await testing.namespace('protobuf')
  shapes = objectShapes(namespace)
  for (const shape of shapes) await make(shape)
})
afterAll(async () => {
  if (!testing) return
  for (const shape of shapes.filter((one) => !one.namespaced)) {
    for (const name of Object.keys(shape.objects)) await ask('DELETE', `${pathOf(shape)}/${name}`, 'application/json')
  }
  await testing.close()
})

const pathOf = ({ group, plural, namespaced }: ObjectShape) =>
  `${group === '' ? '/api' : `/apis/${group}`}/v1/${namespaced ? `namespaces/${namespace}/` : ''}${plural}`

async function ask(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, accept: string, body?: object) {
  const answer = await testing.cluster.native({
    method,
    path,
    query: '',
    accept,
    contentType: method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
    body: body && Buffer.from(JSON.stringify(body)),
  })
  const bytes = Buffer.concat(await answer.body.toArray())
  expect(answer.status, `${method} ${path}: ${bytes}`).toBeLessThan(300)
  return bytes
}

async function make(shape: ObjectShape): Promise<void> {
  const { group, kind, objects, status = {} } = shape
  const apiVersion = group === '' ? 'v1' : `${group}/v1`
  for (const [name, object] of Object.entries(objects)) {
    const metadata = { ...(object.metadata as object | undefined), name: name.toLowerCase() }
    const path = pathOf(shape)
    await ask('POST', path, 'application/json', { ...object, apiVersion, kind, metadata })
    const own = `${path}/${metadata.name}`
    if (status[name]) await ask('PATCH', `${own}/status`, 'application/json', { status: status[name] })
  }
}

test('objects of every kind that is read as protobuf have the same rows as from JSON', async () => {
  const lists: Record<string, { protobuf: Buffer; json: JsonObject[] }> = {}
  for (const shape of [...shapes, namespaces]) {
    const path = shape === namespaces ? '/api/v1/namespaces' : pathOf(shape)
    const protobuf = await ask('GET', path, 'application/vnd.kubernetes.protobuf')
    const json = JSON.parse(String(await ask('GET', path, 'application/json'))).items as JsonObject[]
    const resource = resourceOfShape(shape)
    lists[resource] = { protobuf, json }
    expect(podsInList(protobuf).length, resource).toBe(json.length)
    expect(json.length, resource).toBeGreaterThanOrEqual(Object.keys(shape.objects).length)
    expect(rowsFromProtobuf(shape, protobuf), resource).toEqual(rowsFromJson(shape, json))
  }
  expect(Object.keys(lists).sort()).toEqual(Object.keys(SHAPES).sort())
  if (!process.env.WRITE_FIXTURES) return
  mkdirSync(fixtures, { recursive: true })
  for (const [resource, { protobuf, json }] of Object.entries(lists)) {
    writeFileSync(`${fixtures}/${resource}.pb`, protobuf)
    writeFileSync(`${fixtures}/${resource}.json`, `${JSON.stringify({ items: json })}\n`)
  }
})

const namespaces: ObjectShape = { plural: 'namespaces', group: '', kind: 'Namespace', namespaced: false, objects: {} }
