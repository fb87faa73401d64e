import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { JsonObject } from '../../worker/object-sink.ts'
import { kindOf } from '../kinds/kind-of.ts'
import { MalformedObject } from '../malformed.ts'
import { podsInList } from '../pod/pods-in-list.ts'
import { seededRandom } from '../seeded-random.ts'
import type { Fields } from './message.ts'
import { objectShapes } from './object-shapes.ts'
import { SHAPES } from './shapes.ts'
import { fixtures, openedTable, resourceOfShape, rowsFromJson, rowsFromProtobuf } from './testing.ts'

// What an API server v1.36.3 answered, written by objects.slow.test.ts with WRITE_FIXTURES=1.
const LISTS = [
  ...objectShapes('any'),
  { plural: 'namespaces', group: '', kind: 'Namespace', namespaced: false, objects: {} },
].map((shape) => {
  const resource = resourceOfShape(shape)
  const protobuf = readFileSync(`${fixtures}/${resource}.pb`)
  const json = JSON.parse(readFileSync(`${fixtures}/${resource}.json`, 'utf8')).items as JsonObject[]
  return { resource, shape, protobuf, json, parts: podsInList(protobuf) }
})

test('there is a list of every kind that is read as protobuf', () => {
  expect(LISTS.map(({ resource }) => resource).sort()).toEqual(Object.keys(SHAPES).sort())
})

test.each(LISTS)('$resource have the same rows from JSON and from protobuf', ({ shape, protobuf, json }) => {
  const rows = rowsFromProtobuf(shape, protobuf)
  expect(rows.size).toBe(json.length)
  expect(rows).toEqual(rowsFromJson(shape, json))
  // Each of the kind's own columns has a value in some row, so that none is equal because it is never read.
  const { tables, plain } = openedTable(shape)
  const columns = [...plain.kinds.values()][0]?.columns.map(({ name }) => name) ?? []
  tables.close()
  const seen = new Set([...rows.values()].flatMap((row) => Object.keys(row)))
  expect(columns.filter((name) => !seen.has(name) && !['deleted', 'generation', 'owner'].includes(name))).toEqual(
    NEVER_WRITTEN[resourceOfShape(shape)] ?? [],
  )
})

test.each(LISTS)('whatever the columns of $resource look at is read', ({ resource, shape, json }) => {
  const { group, kind, plural, namespaced } = shape
  const discovered = { group, version: 'v1', kind, plural, shortNames: [], namespaced, custom: false }
  const looked = new Set<string>()
  for (const object of json) {
    for (const read of kindOf(discovered).readings.values()) read(watched(object, '', looked) as JsonObject)
  }
  const fields = SHAPES[resource] ?? {}
  const missing = [...looked].filter((path) => !covers(fields, path.split('.')))
  expect(missing).toEqual(resource === 'events' ? OF_THE_NEWER_API : [])
})

/** Fields that events have only as events.events.k8s.io. */
const OF_THE_NEWER_API = [
  'note',
  'deprecatedCount',
  'deprecatedFirstTimestamp',
  'deprecatedLastTimestamp',
  'deprecatedSource',
  'reportingController',
]

/** The object, which notes each path that somebody looks at. */
function watched(value: unknown, path: string, looked: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value
  return new Proxy(value, {
    get(target, key) {
      const member = Reflect.get(target, key)
      if (typeof key === 'symbol' || typeof member === 'function' || key === 'length') return member
      const inner = Array.isArray(target) ? path : `${path}${path && '.'}${key}`
      looked.add(inner)
      return watched(member, inner, looked)
    },
  })
}

function covers(fields: Fields, [name, ...rest]: string[]): boolean {
  const read = Object.values(fields).find((field) => field[0] === name)?.[1]
  if (read === undefined) return false
  if (typeof read === 'string' || 'map' in read || rest.length === 0) return true
  return covers('message' in read ? read.message : read.list === 'text' ? {} : read.list, rest)
}

/** Common columns that the objects here have no value for. */
const NEVER_WRITTEN: Record<string, string[]> = {
  namespaces: ['namespace', 'annotations', 'application'],
  nodes: ['namespace', 'annotations', 'application'],
}

test.each(LISTS)('$resource that are cut anywhere are refused, or are whole messages', ({ shape, protobuf, parts }) => {
  for (const [from, to] of parts) {
    const { tables, sink } = openedTable(shape)
    const whole = protobuf.subarray(from, to)
    const step = Math.max(1, Math.floor(whole.length / 700))
    let refused = 0
    let tries = 0
    for (let length = 1; length < whole.length; length += step) {
      tries++
      try {
        sink.putProtobuf(whole.subarray(0, length), 0, length)
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedObject)
        refused++
      }
    }
    tables.close()
    // Cut between two fields of the object it is a well-formed message.
    expect(refused).toBeGreaterThan(tries - 16)
    expect(sink.count()).toBeLessThanOrEqual(1)
  }
})

test.each(LISTS)('$resource with bytes changed anywhere are read or refused, never more', (list) => {
  const { shape, protobuf, parts } = list
  const random = seededRandom(7)
  const { tables, sink } = openedTable(shape)
  for (let round = 0; round < 500; round++) {
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

test('a removed object is found by its protobuf, and an older event does not bring it back', () => {
  for (const { shape, protobuf, parts } of LISTS) {
    const { plain, tables, sink } = openedTable(shape)
    const [first, second] = parts as [[number, number], [number, number]]
    sink.putProtobuf(protobuf, ...first)
    sink.putProtobuf(protobuf, ...second)
    sink.removeProtobuf(protobuf, ...first)
    sink.putProtobuf(protobuf, ...first)
    tables.flush()
    expect([plain.rows().size, sink.count()]).toEqual([1, 1])
  }
})

test('values of Secrets are not kept', () => {
  const { plain, tables, sink } = openedTable({ plural: 'secrets', group: '', kind: 'Secret', namespaced: true })
  const { protobuf, parts } = LISTS.find(({ resource }) => resource === 'secrets') as (typeof LISTS)[number]
  expect(protobuf.includes('secret')).toBe(true)
  for (const [from, to] of parts) sink.putProtobuf(protobuf, from, to)
  tables.close()
  const strings = plain.messages.flatMap((message) =>
    message.type === 'batch' ? [Buffer.from(new Uint8Array(message.strings.bytes)).toString('latin1')] : [],
  )
  expect(strings.join()).toContain('example.org/own')
  expect(strings.join()).not.toContain('secret')
})
