import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { FakeServer, type Fault } from '../testing/fake-server.ts'
import { MapSink } from '../testing/map-sink.ts'
import { Reflector } from './reflector.ts'
import { Slots } from './slots.ts'
import type { ListStrategy } from './source.ts'

const FAULTS: Fault[] = [
  'cut-connection',
  'cut-body',
  'corrupt',
  'twice',
  'swap',
  'old-event',
  'old-bookmark',
  'error-frame',
  'gone',
  'empty',
  'stall',
  'refuse',
]
const STRATEGIES: ListStrategy[] = ['cheapest', 'pages', 'whole', 'stream']
const kind = {
  group: 'example.com',
  version: 'v1',
  kind: 'Thing',
  plural: 'things',
  shortNames: [],
  namespaced: true,
  custom: true,
  printerColumns: [],
}

/** mulberry32 */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** One life of a cluster with faults; answers what is wrong in the end, '' for nothing, and how many faults there were. */
async function live(seed: number): Promise<{ wrong: string; faults: number }> {
  const random = randomOf(seed)
  const pick = <Value>(values: Value[]): Value => values[Math.floor(random() * values.length)] as Value
  let healed = false
  let faults = 0
  const notes: string[] = []
  const server = new FakeServer({
    nextFault() {
      if (healed || random() > 0.6) return undefined
      faults++
      return pick(FAULTS)
    },
    pieceSize: () => 1 + Math.floor(random() * pick([3, 50, 2_000])),
  })
  const start = Math.floor(random() * pick([3, 20, 1_300]))
  for (let n = 0; n < start; n++) server.add(`first-${n}`)
  const sink = new MapSink({ protobuf: random() < 0.5 })
  const reflector = new Reflector(
    {
      connection: server,
      wholeLists: random() < 0.5,
      streams: true,
      strategy: pick(STRATEGIES),
      shortLists: new Slots(1),
      longLists: new Slots(1),
    },
    {
      kind,
      urgency: 0,
      sink: () => sink,
      restoredRevision: 0,
      onChange() {},
      onBackwards() {},
      onUnknown() {},
      note: (_, message, relist) => notes.push(`${relist}: ${message}`),
    },
  )
  const bookmarks = setInterval(() => server.bookmark(), 15)
  const running = reflector.run()
  for (let round = 0; round < 12; round++) {
    for (let change = Math.floor(random() * 6); change > 0; change--) mutate(server, random, pick)
    if (random() < 0.1) server.endWatches(random() < 0.5)
    if (random() < 0.1) server.compact()
    await sleep(random() * 8)
  }
  healed = true
  const patience = performance.now() + 8_000
  let wrong = difference(server, sink)
  while (wrong !== '' && performance.now() < patience) {
    await sleep(10)
    wrong = difference(server, sink)
  }
  clearInterval(bookmarks)
  reflector.close()
  await running
  return { wrong: wrong && `seed ${seed}: ${wrong}\n${notes.join('\n')}`, faults }
}

function mutate(server: FakeServer, random: () => number, pick: <Value>(values: Value[]) => Value): void {
  const all = [...server.objects.values()]
  const what = random()
  if (all.length === 0 || what < 0.4) server.add(`later-${server.revision}`)
  else if (what < 0.7) server.change(pick(all))
  else server.remove(pick(all))
}

function difference(server: FakeServer, sink: MapSink): string {
  const wanted = server.lines()
  const found = sink.lines()
  if (wanted.join() === found.join()) return ''
  const missing = wanted.filter((line) => !found.includes(line))
  const surplus = found.filter((line) => !wanted.includes(line))
  return `missing ${missing.slice(0, 5)}, surplus ${surplus.slice(0, 5)}`
}

const CASES = Number(process.env.QUARTERDECK_FUZZ_CASES ?? 400)
const AT_ONCE = 40

test(`whatever is cut, corrupted, doubled, swapped or withheld, nothing is lost for good (${CASES} cases) [SCL-01]`, async () => {
  const wrong: string[] = []
  let faults = 0
  let seed = Number(process.env.QUARTERDECK_FUZZ_SEED ?? 1)
  const last = seed + CASES
  async function lane(): Promise<void> {
    while (seed < last) {
      const result = await live(seed++)
      faults += result.faults
      if (result.wrong) wrong.push(result.wrong)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  expect(wrong).toEqual([])
  expect(faults).toBeGreaterThan(CASES)
}, 300_000)
