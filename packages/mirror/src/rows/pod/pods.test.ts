import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { JsonObject } from '../../worker/object-sink.ts'
import { kindOf } from '../kinds/kind-of.ts'
import { MalformedObject } from '../malformed.ts'
import { PlainTables } from '../rows-of-batches.ts'
import { seededRandom } from '../seeded-random.ts'
import { openTables } from '../tables.ts'
import { POD_SHAPES } from './pod-shapes.ts'
import { podsInList } from './pods-in-list.ts'

// What an API server v1.36.3 answered, written by pods.slow.test.ts with WRITE_FIXTURES=1.
const protobuf = readFileSync(`${import.meta.dirname}/fixtures/pods.pb`)
const json: JsonObject[] = JSON.parse(readFileSync(`${import.meta.dirname}/fixtures/pods.json`, 'utf8')).items
const parts = podsInList(protobuf)

const PODS = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  namespaced: true,
  custom: false,
}

function opened(searchedAnnotations = ['example.org/team', 'example.org/o*']) {
  const plain = new PlainTables()
  const tables = openTables({
    post: plain.post,
    searchedAnnotations,
    recordsVersions: () => false,
    digestKey: new Uint8Array(32),
    readAnew() {},
  })
  return { plain, tables, sink: tables.sink(7, kindOf(PODS)) }
}

function fromJson(pods = json) {
  const { plain, tables, sink } = opened()
  for (const pod of pods) sink.put(pod)
  tables.close()
  return plain
}

test('every shape of pod has the same row from JSON and from protobuf', () => {
  const { plain, tables, sink } = opened()
  for (const [from, to] of parts) sink.putProtobuf(protobuf, from, to)
  tables.close()
  expect(plain.rows().size).toBe(POD_SHAPES.length)
  expect(plain.rows()).toEqual(fromJson().rows())
})

test.each(POD_SHAPES.map((shape) => [shape.prints[2], shape] as const))('%s is shown as kubectl does', (_, shape) => {
  const row = fromJson().row(shape.name)
  expect([row.ready, row.containers, row.status, row.restarts]).toEqual(shape.prints)
})

test('a whole row of a pod', () => {
  const pod = json.find(({ metadata }) => metadata?.name === 'running-7d9f8b6c5-x2x4z') ?? {}
  const { creationTimestamp, namespace, resourceVersion, uid } = pod.metadata ?? {}
  expect(fromJson().row('running-7d9f8b6c5-x2x4z')).toEqual({
    cluster: 7,
    uid,
    revision: Number(resourceVersion),
    namespace,
    name: 'running-7d9f8b6c5-x2x4z',
    created: Date.parse(String(creationTimestamp)) / 1000,
    generation: 1,
    labels: [
      '10=numbers-first-in-JavaScript',
      '9=but-not-in-bytes',
      'a=b',
      'app.kubernetes.io/instance=shop-blue',
      'app.kubernetes.io/name=shop',
      'app.kubernetes.io/part-of=trade',
      'empty=',
    ],
    annotations: ['example.org/owner=Käthe 凯特 🚢', 'example.org/team=blue'],
    owner: 'ReplicaSet/running-7d9f8b6c5',
    application: 'shop-blue',
    status: 'Running',
    ready: 2,
    containers: 2,
    restarts: 3,
    restarted: Date.parse('2026-11-20T11:30:05Z') / 1000,
    node: 'node-1',
    ip: '10.244.1.17',
    images: ['example.org/a:1', 'example.org/b:1'],
    cpuRequest: 1.6,
    // The API server takes over a limit as the request where there is none.
    memoryRequest: 128 * 2 ** 20 + 1e9,
    cpuLimit: 1,
    memoryLimit: 2 ** 30 + 1e9,
    qos: 'Burstable',
    phase: 'Running',
    serviceAccount: 'default',
    nodeIp: '192.168.7.120',
  })
})

test('requests are what the scheduler reckons with', () => {
  const rows = fromJson()
  // An init container needs more than the containers together.
  expect(rows.row('init-done')).toMatchObject({ cpuRequest: 2, memoryRequest: 64 * 2 ** 20 })
  // Sidecars run beside the containers, and beside later init containers.
  expect(rows.row('sidecar-running').cpuRequest).toBeCloseTo(0.17, 10)
  expect(rows.row('sidecar-running').memoryRequest).toBe(150e6)
  expect(rows.row('pod-resources')).toMatchObject({ cpuRequest: 0.3, memoryRequest: 2 ** 30, memoryLimit: 2 ** 31 })
  expect(rows.row('not-scheduled')).not.toHaveProperty('cpuRequest')
})

test('a removed pod is found by its protobuf, and an older event does not bring it back', () => {
  const { plain, tables, sink } = opened()
  const [first, second] = parts as [[number, number], [number, number]]
  sink.putProtobuf(protobuf, ...first)
  sink.putProtobuf(protobuf, ...second)
  tables.flush()
  sink.removeProtobuf(protobuf, ...first)
  sink.putProtobuf(protobuf, ...first)
  tables.flush()
  expect(plain.rows().size).toBe(1)
  expect(sink.count()).toBe(1)
})

test('a message that is cut anywhere is refused, and leaves no row', () => {
  const { plain, tables, sink } = opened()
  const [from, to] = parts[0] as [number, number]
  const whole = protobuf.subarray(from, to)
  let refused = 0
  for (let length = 1; length < whole.length; length++) {
    try {
      sink.putProtobuf(whole.subarray(0, length), 0, length)
    } catch (error) {
      expect(error).toBeInstanceOf(MalformedObject)
      refused++
    }
  }
  tables.close()
  // Cut between metadata, spec and status it is a well-formed message, as the first part of it is.
  expect(refused).toBeGreaterThan(whole.length - 4)
  expect(plain.rows().size).toBeLessThanOrEqual(1)
})

test('bytes that were changed anywhere are read or refused, never more', () => {
  const random = seededRandom(5)
  const { tables, sink } = opened()
  for (let round = 0; round < 3_000; round++) {
    const [from, to] = parts[random(parts.length)] as [number, number]
    const bytes = Uint8Array.from(protobuf.subarray(from, to))
    for (let change = 0; change < 1 + random(4); change++) bytes[random(bytes.length)] = random(256)
    try {
      sink.putProtobuf(bytes, 0, bytes.length)
    } catch (error) {
      expect(error).toBeInstanceOf(MalformedObject)
    }
  }
  tables.close()
})
