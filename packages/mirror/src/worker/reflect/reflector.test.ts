import { afterEach, expect, test } from 'vitest'
import { Refused } from '../connection/answer.ts'
import type { Ask } from '../connection/connection.ts'
import { FakeServer, type Fault } from '../testing/fake-server.ts'
import { MapSink } from '../testing/map-sink.ts'
import { Reflector } from './reflector.ts'
import { Slots } from './slots.ts'
import type { ListStrategy } from './source.ts'

const kind = {
  group: '',
  version: 'v1',
  kind: 'Thing',
  plural: 'things',
  shortNames: [],
  namespaced: true,
  custom: false,
  printerColumns: [],
}
const open: Reflector[] = []
afterEach(() => {
  for (const reflector of open.splice(0)) reflector.close()
})

function reading(server: FakeServer, { strategy = 'cheapest' as ListStrategy, wholeLists = true, restored = 0 } = {}) {
  const sink = new MapSink()
  const notes: string[] = []
  const states: string[] = []
  const progress = new Set<string>()
  let backwards = 0
  let unknown = 0
  const slots = { shortLists: new Slots(1), longLists: new Slots(1) }
  const reflector = new Reflector(
    { connection: server, wholeLists, streams: true, strategy, ...slots },
    {
      kind,
      urgency: 0,
      sink: () => sink,
      restoredRevision: restored,
      onChange() {
        progress.add(`${reflector?.standing.state}, of ${reflector?.standing.expected}`)
        if (states.at(-1) !== reflector?.standing.state) states.push(reflector?.standing.state ?? '')
      },
      onBackwards: () => backwards++,
      onUnknown: () => unknown++,
      note: (_, __, relist) => notes.push(relist ?? 'note'),
    },
  )
  open.push(reflector)
  return {
    sink,
    notes,
    states,
    progress,
    reflector,
    counts: () => ({ backwards, unknown }),
    start: () => void reflector.run(),
  }
}
const same = (server: FakeServer, sink: MapSink) => expect.poll(() => sink.lines()).toEqual(server.lines())
/** What was asked, in short. */
const asked = ({ query = {} }: Ask) =>
  query.sendInitialEvents
    ? 'stream'
    : query.watch
      ? 'watch'
      : query.continue
        ? 'next page'
        : query.limit
          ? 'page'
          : 'whole'
const serverWith = (count: number, options: ConstructorParameters<typeof FakeServer>[0] = {}) => {
  const server = new FakeServer(options)
  for (let n = 0; n < count; n++) server.add(`first-${n}`)
  return server
}

test('a short list is one page, a long one is read whole where the server does that cheaply', async () => {
  const short = serverWith(10)
  const first = reading(short)
  first.start()
  await same(short, first.sink)
  const long = serverWith(1_400)
  const second = reading(long)
  second.start()
  await same(long, second.sink)
  await expect.poll(() => short.requests.map(asked).slice(0, 2)).toEqual(['page', 'watch'])
  await expect.poll(() => long.requests.map(asked).slice(0, 3)).toEqual(['page', 'whole', 'watch'])
  expect(long.requests[1]?.query).toEqual({
    resourceVersion: String(long.revision),
    resourceVersionMatch: 'NotOlderThan',
  })
})

test('a server that is older streams a long list, and one without that gives it in pages', async () => {
  const streaming = serverWith(1_400)
  const first = reading(streaming, { wholeLists: false })
  first.start()
  await same(streaming, first.sink)
  const paging = serverWith(1_400)
  paging.streams = false
  const second = reading(paging, { wholeLists: false })
  second.start()
  await same(paging, second.sink)
  expect(streaming.requests.map(asked).slice(0, 2)).toEqual(['page', 'stream'])
  await expect
    .poll(() => paging.requests.map(asked).slice(0, 6))
    .toEqual(['page', 'stream', 'page', 'next page', 'next page', 'watch'])
})

test('a streaming list that does not come to its end becomes a list, without a row twice', async () => {
  let faults: Fault[] = ['stall']
  const server = serverWith(30, { nextFault: () => faults.shift() })
  const { sink, notes, start } = reading(server, { strategy: 'stream' })
  start()
  await expect.poll(() => notes).toEqual(['stream-unfinished'])
  faults = []
  await same(server, sink)
  expect(sink.lists).toBe(1)
})

test('rows of a snapshot are gone on from without a list; an old revision is listed anew', async () => {
  const server = serverWith(5)
  const { sink, reflector, states, start } = reading(server, { restored: server.revision })
  expect(reflector.standing).toMatchObject({ state: 'stale', revision: server.revision })
  start()
  server.add('later')
  await expect.poll(() => sink.lines()).toHaveLength(1)
  expect([sink.lists, states]).toEqual([0, ['stale', 'live']])
  const compacted = serverWith(5)
  const restored = compacted.revision - 2
  compacted.compact()
  const old = reading(compacted, { restored })
  old.start()
  await same(compacted, old.sink)
  expect(old.notes).toEqual(['expired'])
})

test('a store that went back is noticed when the watch is begun again, and everything older is taken', async () => {
  const server = serverWith(20)
  const before = [...server.objects.values()]
  const { revision } = server
  const { sink, counts, notes, start } = reading(server)
  start()
  await same(server, sink)
  for (const object of before) server.change(object)
  await same(server, sink)
  server.restore(before, revision)
  await expect.poll(() => notes).toContain('backwards')
  await same(server, sink)
  expect(counts().backwards).toBe(1)
  server.add('after')
  await same(server, sink)
})

test('a watch that has sent bookmarks and falls silent is stale; one that never did is begun anew and stays live', async () => {
  const server = serverWith(3)
  const { sink, states, notes, start } = reading(server)
  const silences = () => notes.filter((note) => note === 'silent').length
  start()
  await same(server, sink)
  await expect.poll(silences).toBeGreaterThan(2)
  expect(states).toEqual(['syncing', 'live'])
  // One that comes between two watches is heard by nobody.
  const bookmarked = () => {
    server.bookmark()
    return [...states]
  }
  await expect.poll(bookmarked, { interval: 3 * server.timings.watchSilence }).toContain('stale')
  const before = silences()
  await expect.poll(silences).toBeGreaterThan(before + 3)
  expect(states.filter((state) => state === 'stale').length).toBeLessThan(3)
  expect(states.at(-1)).toBe('live')
  server.add('after')
  await same(server, sink)
  expect(sink.lists).toBe(1)
})

test('watches that end at once without a word count as expired and do not turn into a busy loop', async () => {
  let empty = true
  const server = serverWith(3, {
    nextFault: () => (empty && server.requests.at(-1)?.query?.watch ? 'empty' : undefined),
    timings: { quickEnd: 50 },
  })
  const { notes, sink, start } = reading(server)
  start()
  const expired = () => notes.filter((note) => note === 'expired').length
  await expect.poll(expired, { timeout: 10_000 }).toBeGreaterThan(2)
  const watches = server.requests.filter((request) => asked(request) === 'watch').length
  const lists = server.requests.length - watches
  expect(watches).toBeLessThanOrEqual(lists + 2)
  empty = false
  server.add('after')
  await same(server, sink)
})

test('a refused kind is stale with its sentence, is told once, and comes back when it may be read', async () => {
  const server = serverWith(3)
  const ask = server.ask.bind(server)
  let status: number | undefined = 403
  server.ask = (request, signal) =>
    status ? Promise.reject(new Refused('not allowed', status, {})) : ask(request, signal)
  const { reflector, sink, notes, counts, start } = reading(server)
  start()
  await expect.poll(() => reflector.standing).toMatchObject({ state: 'stale', message: 'not allowed' })
  status = 404
  await expect.poll(() => counts().unknown).toBeGreaterThan(0)
  status = undefined
  await same(server, sink)
  expect(notes).toEqual(['note'])
})

test('when another table takes the place, the list is read again at once', async () => {
  const server = serverWith(3)
  const { reflector, sink, notes, start } = reading(server)
  start()
  await same(server, sink)
  reflector.readAnew('table-replaced', 'its table was replaced')
  await expect.poll(() => sink.lists).toBe(2)
  expect(notes).toEqual(['table-replaced'])
  server.add('after')
  await same(server, sink)
})

test('progress tells how many there are of how many', async () => {
  const server = serverWith(1_700)
  const { reflector, sink, progress, start } = reading(server, { strategy: 'pages' })
  start()
  await same(server, sink)
  expect(reflector.standing).toMatchObject({ state: 'live', loaded: 1_700, expected: undefined })
  expect([...progress]).toContain('syncing, of 1700')
})
