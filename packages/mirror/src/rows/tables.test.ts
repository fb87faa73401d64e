import { expect, test } from 'vitest'
import type { BatchMessage, KindMessage, StateMessage } from '../batch.ts'
import type { JsonObject, ObjectSink } from '../worker/object-sink.ts'
import { kindOf } from './kinds/kind-of.ts'
import type { PrinterColumn } from './kinds/printer-columns.ts'
import { type PlainRow, PlainTables } from './rows-of-batches.ts'
import { seededRandom } from './seeded-random.ts'
import { openTables } from './tables.ts'

const CONFIG_MAPS = kindOf({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  namespaced: true,
  custom: false,
})

const widgets = (...printerColumns: PrinterColumn[]) =>
  kindOf(
    {
      group: 'example.org',
      version: 'v1',
      kind: 'Widget',
      plural: 'widgets',
      shortNames: [],
      namespaced: true,
      custom: true,
    },
    printerColumns,
  )

const configMap = (name: string, revision: number, data: Record<string, string> = {}): JsonObject => ({
  metadata: { namespace: 'shop', name, uid: `uid of ${name}`, resourceVersion: String(revision) },
  data,
})

function opened(plain = new PlainTables()) {
  const anew: [string, number[]][] = []
  const tables = openTables({
    post: plain.post,
    searchedAnnotations: [],
    recordsVersions: () => false,
    digestKey: new Uint8Array(32),
    readAnew: (resource, clusters) => anew.push([resource, clusters]),
  })
  return { plain, tables, anew }
}

const names = (rows: Map<string, PlainRow>) => [...rows.values()].map((row) => `${row.cluster}/${row.name}`).sort()
const of = <T extends { type: string }>(plain: PlainTables, type: T['type']): T[] =>
  plain.messages.filter((message) => message.type === type) as unknown as T[]

/** What one cluster holds, and every event of it, so that old ones can come again. */
class World {
  readonly objects = new Map<string, JsonObject>()
  readonly events: JsonObject[] = []
  revision = 0

  change(name: string, keys: number): JsonObject {
    const data = Object.fromEntries(Array.from({ length: keys }, (_, at) => [`key${at}`, '']))
    const object = configMap(name, ++this.revision, data)
    this.objects.set(name, object)
    this.events.push(object)
    return object
  }

  delete(name: string): JsonObject {
    const object = configMap(name, ++this.revision)
    this.objects.delete(name)
    return object
  }
}

function step(world: World, sink: ObjectSink, random: (below: number) => number): void {
  const names = [...world.objects.keys()]
  const name = names[random(names.length)]
  const what = random(20)
  if (what < 8) sink.put(world.change(`object-${world.revision}`, random(5)))
  else if (what < 12 && name) sink.put(world.change(name, random(5)))
  else if (what < 16 && name) sink.remove(world.delete(name))
  else if (what < 18) {
    // One of the last events comes again.
    const again = world.events[world.events.length - 1 - random(20)]
    if (again) sink.put(again)
  } else if (random(10) === 0) relist(world, sink, random)
}

/** The watch broke: some changes are missed, then the list comes, perhaps at the second attempt. */
function relist(world: World, sink: ObjectSink, random: (below: number) => number): void {
  for (const name of [...world.objects.keys()]) if (random(4) === 0) world.delete(name)
  for (let at = random(10); at > 0; at--) world.change(`object-${world.revision}`, random(5))
  if (random(2) === 0) {
    sink.beginList()
    for (const object of [...world.objects.values()].slice(0, 5)) sink.put(object)
  }
  sink.beginList()
  for (const object of world.objects.values()) sink.put(object)
  sink.endList()
}

test('after any order of events, repetitions and lists the rows are those of the clusters', () => {
  const random = seededRandom(6)
  const { plain, tables } = opened()
  const worlds = [new World(), new World(), new World()]
  const sinks = worlds.map((_, cluster) => tables.sink(cluster, CONFIG_MAPS))
  for (let round = 0; round < 6_000; round++) {
    const at = random(worlds.length)
    step(worlds[at] as World, sinks[at] as ObjectSink, random)
    if (random(40) === 0) tables.flush()
    if (random(800) === 0) {
      tables.flush()
      const expected = worlds.flatMap((world, cluster) =>
        [...world.objects.values()].map(({ metadata, data }) => [
          `${cluster}/${metadata?.name}`,
          Number(metadata?.resourceVersion),
          Object.keys(data as object).length,
        ]),
      )
      const rows = [...plain.rows().values()].map((row) => [`${row.cluster}/${row.name}`, row.revision, row.keys])
      expect(rows.sort()).toEqual(expected.sort())
      expect(sinks.map((sink) => sink.count())).toEqual(worlds.map((world) => world.objects.size))
    }
  }
  tables.close()
  expect(of<BatchMessage>(plain, 'batch').length).toBeGreaterThan(100)
})

test('one uid in two clusters is two objects', () => {
  const { plain, tables } = opened()
  tables.sink(1, CONFIG_MAPS).put(configMap('a', 1))
  tables.sink(2, CONFIG_MAPS).put(configMap('a', 5))
  tables.flush()
  expect(names(plain.rows())).toEqual(['1/a', '2/a'])
})

test('a batch is sent at once when it is full, the first one when it is a page, and else when flushed', () => {
  const { plain, tables } = opened()
  const sink = tables.sink(1, CONFIG_MAPS)
  for (let at = 0; at < 4_150; at++) sink.put(configMap(`a-${at}`, at + 1))
  expect(of<BatchMessage>(plain, 'batch').map(({ rows }) => rows.length)).toEqual([50, 4_096])
  tables.flush()
  expect(of<BatchMessage>(plain, 'batch').map(({ rows }) => rows.length)).toEqual([50, 4_096, 4])
  tables.flush()
  expect(of<BatchMessage>(plain, 'batch')).toHaveLength(3)
})

test('what changed is sent without being asked for', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const plain = new PlainTables()
  const tables = openTables({
    post(message, transfer) {
      plain.post(message, transfer)
      if (message.type === 'batch') resolve()
    },
    searchedAnnotations: [],
    recordsVersions: () => false,
    digestKey: new Uint8Array(32),
    readAnew() {},
  })
  tables.sink(1, CONFIG_MAPS).put(configMap('a', 1))
  await promise
  expect(names(plain.rows())).toEqual(['1/a'])
  tables.close()
})

test('an object that comes and goes within one batch is not told of', () => {
  const { plain, tables } = opened()
  const sink = tables.sink(1, CONFIG_MAPS)
  sink.put(configMap('a', 1))
  sink.put(configMap('b', 2))
  sink.remove(configMap('a', 3))
  tables.flush()
  const [batch] = of<BatchMessage>(plain, 'batch')
  expect([batch?.rows.length, batch?.removed.length]).toEqual([1, 0])
  expect(names(plain.rows())).toEqual(['1/b'])
})

test('a state comes after all rows that were put before it', () => {
  const { plain, tables } = opened()
  const sink = tables.sink(1, CONFIG_MAPS)
  sink.put(configMap('a', 1))
  tables.state(1, 'configmaps', { state: 'live', revision: 1, loaded: 1, message: '', heardTime: 5 })
  expect(plain.messages.map(({ type }) => type)).toEqual(['kind', 'batch', 'state'])
  expect(plain.messages[2]).toMatchObject({ cluster: 1, table: tables.table('configmaps'), revision: 1 })
})

test('a list after a restore from a backup takes older revisions', () => {
  const { plain, tables } = opened()
  const sink = tables.sink(1, CONFIG_MAPS)
  sink.put(configMap('a', 90, { one: '' }))
  sink.put(configMap('b', 91))
  sink.remove(configMap('c', 92))
  sink.beginList({ backwards: true })
  sink.put(configMap('a', 50))
  sink.put(configMap('c', 51))
  sink.endList()
  sink.put(configMap('a', 49, { two: '' }))
  tables.flush()
  expect([...plain.rows().values()].map(({ name, revision, keys }) => [name, revision, keys])).toEqual([
    ['a', 50, 0],
    ['c', 51, 0],
  ])
})

test('an object that cannot be read leaves no trace', () => {
  const { plain, tables } = opened()
  const sink = tables.sink(1, CONFIG_MAPS)
  expect(() => sink.put({ metadata: { uid: 'a' } })).toThrow('no name')
  sink.put({ metadata: { name: 'odd', labels: 'none', ownerReferences: {}, generation: 'x', resourceVersion: 'y' } })
  tables.flush()
  expect(names(plain.rows())).toEqual(['1/odd'])
})

test('a cluster that is dropped takes its rows with it, of one kind or of all', () => {
  const { plain, tables } = opened()
  for (const cluster of [1, 2]) {
    tables.sink(cluster, CONFIG_MAPS).put(configMap('a', 1))
    tables.sink(cluster, widgets()).put(configMap('w', 1))
  }
  tables.flush()
  const [maps, others] = [tables.table('configmaps'), tables.table('widgets.example.org')]
  tables.drop(1, 'configmaps')
  tables.flush()
  expect([names(plain.rows(maps)), names(plain.rows(others))]).toEqual([['2/a'], ['1/w', '2/w']])
  tables.drop(2)
  tables.flush()
  expect([names(plain.rows(maps)), names(plain.rows(others))]).toEqual([[], ['1/w']])
})

const SIZE: PrinterColumn = { name: 'Size', type: 'integer', jsonPath: '.spec.size' }
const COLOUR: PrinterColumn = { name: 'Colour', type: 'string', jsonPath: '.spec.colour' }

test('another column opens another table, and the other clusters are read anew into it', async () => {
  const { plain, tables, anew } = opened()
  tables.sink(1, widgets(SIZE)).put({ ...configMap('a', 1), spec: { size: 1 } })
  tables.sink(2, widgets(SIZE)).put({ ...configMap('b', 1), spec: { size: 2 } })
  const sink = tables.sink(2, widgets(COLOUR))
  sink.put({ ...configMap('b', 2), spec: { size: 2, colour: 'red' } })
  expect(anew).toEqual([])
  await Promise.resolve()
  expect(anew).toEqual([['widgets.example.org', [1]]])
  expect(of<KindMessage>(plain, 'kind').map(({ table, replaces }) => [table, replaces])).toEqual([
    [1, undefined],
    [2, 1],
  ])
  tables.sink(1, widgets(SIZE)).put({ ...configMap('a', 1), spec: { size: 1, colour: 'blue' } })
  tables.flush()
  expect(plain.row('b', 1)).toMatchObject({ size: 2 })
  expect(plain.row('b', 2)).toMatchObject({ colour: 'red' })
  expect(plain.row('b', 2)).not.toHaveProperty('size')
  expect(plain.row('a', 2)).toMatchObject({ size: 1 })
  // Both clusters keep their columns, and the table stays.
  tables.sink(2, widgets(COLOUR))
  expect(tables.table('widgets.example.org')).toBe(2)
})

test('columns of one name and two types become texts, once', () => {
  const { plain, tables } = opened()
  const text = { ...SIZE, type: 'string' }
  tables.sink(1, widgets(SIZE))
  tables.sink(2, widgets(text)).put({ ...configMap('b', 1), spec: { size: 'large' } })
  tables.sink(1, widgets(SIZE)).put({ ...configMap('a', 1), spec: { size: 3 } })
  tables.flush()
  expect(tables.table('widgets.example.org')).toBe(2)
  expect([plain.row('a').size, plain.row('b').size]).toEqual(['3', 'large'])
})

test('a kind whose only cluster changes its columns has these columns only', () => {
  const { plain, tables, anew } = opened()
  tables.sink(1, widgets(SIZE, COLOUR))
  tables.sink(1, widgets(COLOUR))
  expect(anew).toEqual([])
  expect(
    of<KindMessage>(plain, 'kind')
      .at(-1)
      ?.spec.columns.map(({ name }) => name)
      .slice(9),
  ).toEqual(['status', 'colour'])
})

test('states of an old sink stay with the old table until the cluster is read into the new one', () => {
  const { plain, tables } = opened()
  const live = { state: 'live' as const, revision: 1, loaded: 0, message: '', heardTime: 0 }
  tables.sink(1, widgets(SIZE))
  tables.sink(2, widgets(COLOUR))
  tables.state(1, 'widgets.example.org', live)
  tables.sink(1, widgets(SIZE))
  tables.state(1, 'widgets.example.org', live)
  expect(of<StateMessage>(plain, 'state').map(({ table }) => table)).toEqual([1, 2])
})

test('a snapshot is gone on with: its rows, strings and revisions', () => {
  const before = opened()
  const sink = before.tables.sink(1, CONFIG_MAPS)
  for (const [at, name] of ['a-1', 'a-2', 'a-3', 'a-4'].entries()) sink.put(configMap(name, at + 1))
  sink.remove(configMap('a-2', 9))
  before.tables.flush()
  sink.remove(configMap('a-4', 10))
  before.tables.flush()
  const [first] = of<BatchMessage>(before.plain, 'batch') as [BatchMessage]
  const { strings, sets } = of<BatchMessage>(before.plain, 'batch').at(-1) ?? first

  const { plain, tables } = opened()
  plain.open(41, CONFIG_MAPS.spec)
  plain.post({ ...first, table: 41 }, [])
  const clusters = Uint16Array.from([1, 0xffff, 1, 0xffff])
  const uids = new Uint32Array(16)
  const revisions = new Float64Array(4)
  first.rows.forEach((row, at) => {
    uids.set(first.uids.subarray(at * 4, at * 4 + 4), row * 4)
    revisions[row] = first.revisions[at] as number
  })
  tables.restore({
    type: 'restore',
    table: 41,
    spec: CONFIG_MAPS.spec,
    strings,
    sets,
    slots: 4,
    clusters,
    uids,
    revisions,
    stood: [{ cluster: 1, revision: 10 }],
  })
  const again = tables.sink(1, CONFIG_MAPS)
  expect(tables.standing(1, 'configmaps')).toBe(10)
  expect(again.count()).toBe(2)
  again.put(configMap('a-1', 1))
  again.put(configMap('a-3', 11, { one: '' }))
  again.put(configMap('a-5', 12))
  tables.flush()
  expect(plain.row('a-3', 41)).toMatchObject({ keys: 1, revision: 11 })
  expect(tables.sink(2, widgets()).count()).toBe(0)
  expect(tables.table('widgets.example.org')).toBe(42)
})

test('a table whose strings are mostly of no use is read anew into another one', async () => {
  const { plain, tables, anew } = opened()
  const sink = tables.sink(1, CONFIG_MAPS)
  const listed = Array.from({ length: 2_000 }, (_, at) => configMap(`first${at}`, at + 1))
  sink.beginList()
  for (const object of listed) sink.put(object)
  sink.endList()
  tables.flush()
  for (let at = 0; at < 101; at++) {
    const labels = Object.fromEntries(Array.from({ length: 1_000 }, (_, label) => [`label${at * 1_000 + label}`, '']))
    const object = configMap('later', 10_000 + at)
    sink.put({ ...object, metadata: { ...object.metadata, labels } })
  }
  sink.put(configMap('last', 1_000_000))
  tables.flush()
  await Promise.resolve()
  expect(anew).toEqual([['configmaps', [1]]])
  const kinds = of<KindMessage>(plain, 'kind')
  expect(kinds.at(-1)).toMatchObject({ table: 2, replaces: 1 })
  // The old one goes on until the new one is whole.
  sink.put(configMap('meanwhile', 1_000_001))
  tables.flush()
  expect(plain.rows(1).size).toBe(2_003)
  const next = tables.sink(1, CONFIG_MAPS)
  next.beginList()
  for (const object of listed) next.put(object)
  next.endList()
  sink.put(configMap('too late', 1_000_002))
  tables.flush()
  expect([plain.rows(1).size, plain.rows(2).size]).toEqual([2_003, 2_000])
})
