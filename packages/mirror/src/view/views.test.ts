import { applyLiveFrame, type LiveWindow, type LiveWindowFrame } from '@quarterdeck/client'
import { describe, expect, it } from 'vitest'
import type { Expression } from '../expression.ts'
import { type Freshness, type ListQuery, QueryError, type Reader, type Row, type View } from '../mirror.ts'
import { type Pod, PodClock, PodTable } from './testing.ts'
import { Views } from './views.ts'

type Frame = LiveWindowFrame<Row, Freshness>

/** One who looks, with the window it makes of the frames. */
class Client {
  readonly frames: (Frame | { type: 'gone'; message: string })[] = []
  readonly bytes: Uint8Array[] = []
  window: LiveWindow<Row, Freshness> | undefined
  takesMore = true
  readonly view: View
  /** `view` of the newest frame. */
  id = 0

  constructor(views: Views, query: ListQuery, reader: Reader) {
    this.view = views.view(query, reader, {
      frame: (bytes, view) => {
        const frame = JSON.parse(Buffer.from(bytes).toString()) as Frame & { view: number }
        expect(frame.view).toBe(view)
        this.id = view
        this.bytes.push(bytes)
        this.frames.push(frame)
        if (frame.type === 'change' || frame.type === 'whole') {
          this.window = applyLiveFrame(this.window, frame)
          if (!this.window) throw new Error(`Frame ${frame.number} does not follow`)
        }
        return this.takesMore
      },
    })
  }
  get last() {
    return this.frames.at(-1)
  }
  get names() {
    return this.window?.page.rows.map(({ uid }) => uid)
  }
}

const everything: Reader = { key: '*', generation: 0, may: () => true, knows: () => true }
const pod = (uid: string, more: Partial<Pod> = {}): Pod => ({
  uid,
  namespace: 'shop',
  restarts: 0,
  revision: 1,
  ...more,
})
const microtasks = () => new Promise<void>((resolve) => setImmediate(resolve))

async function opened(names: string[], query: ListQuery = { resource: 'pods', limit: 3 }, reader = everything) {
  const table = new PodTable()
  const views = new Views(table, { tickMs: Number.POSITIVE_INFINITY, now: () => PodClock.now * 1000 })
  for (const [row, name] of names.entries()) table.put(row, pod(name))
  const client = new Client(views, query, reader)
  await microtasks()
  table.changes()
  const tick = () => views.tick(table.changes())
  return { table, views, client, tick }
}

describe('a live view', () => {
  it('begins with the whole window, after the caller knows its number', async () => {
    const table = new PodTable()
    table.put(0, pod('a'))
    const client = new Client(new Views(table), { resource: 'pods' }, everything)
    expect(client.frames).toEqual([])
    await microtasks()
    expect(client.window?.page).toEqual(table.page({ resource: 'pods' }, everything))
    expect(client.id).toBe(client.view.id)
  })

  it('tells nothing while what changes is elsewhere', async () => {
    const { table, client, tick } = await opened(['a', 'b', 'c', 'd'])
    table.put(3, pod('d', { revision: 2 }))
    tick()
    tick()
    expect(client.frames).toHaveLength(1)
  })

  it('tells a changed row alone, a row that comes with its place, and the total when that is all', async () => {
    const { table, client, tick } = await opened(['b', 'c', 'd', 'e'])
    table.put(1, pod('c', { revision: 2 }))
    tick()
    expect(client.last).toMatchObject({ type: 'change', total: 4, rows: [{ uid: 'c', revision: '2' }] })
    expect(client.last).not.toHaveProperty('order')
    table.put(7, pod('a'))
    tick()
    expect(client.last).toMatchObject({ order: [7, 0, 1], rows: [{ uid: 'a' }], total: 5 })
    table.put(8, pod('f'))
    tick()
    expect(client.last).toEqual({ type: 'change', view: client.id, number: 4, total: 6, rows: [] })
  })

  it('fills up from behind its end without reading the list again', async () => {
    const { table, client, tick } = await opened(['a', 'b', 'c', 'd', 'e', 'f'])
    const { reads } = table
    for (const row of [0, 2]) table.put(row, undefined)
    tick()
    expect(client.names).toEqual(['b', 'd', 'e'])
    expect(table.reads).toBe(reads)
  })

  it('gives the same bytes to all who look at the same, and counts them once', async () => {
    const { table, views, client, tick } = await opened(['a', 'b'])
    const other = new Client(views, { resource: 'pods', limit: 3 }, { ...everything })
    await microtasks()
    table.put(0, pod('a', { revision: 9 }))
    tick()
    expect(views.count).toBe(1)
    expect(table.open).toBe(1)
    expect(other.view.id).toBe(client.view.id)
    expect(other.bytes.at(-1)).toBe(client.bytes.at(-1))
    other.view.end()
    client.view.end()
    expect([views.count, table.open]).toEqual([0, 0])
  })

  it('passes over one who cannot take more, until it asks for the whole window', async () => {
    const { table, views, client, tick } = await opened(['a', 'b'])
    const slow = new Client(views, { resource: 'pods', limit: 3 }, everything)
    slow.takesMore = false
    await microtasks()
    for (const revision of [2, 3]) {
      table.put(0, pod('a', { revision }))
      tick()
    }
    expect([slow.frames.length, client.frames.length]).toEqual([1, 3])
    slow.takesMore = true
    slow.view.resend()
    await microtasks()
    expect(slow.window).toEqual(client.window)
  })

  it('shows a newcomer between two ticks what is there now, and nobody else anything wrong', async () => {
    const { table, views, client, tick } = await opened(['a', 'b', 'c'])
    table.put(0, undefined)
    table.put(1, pod('z', { namespace: 'other' }))
    table.put(5, pod('b'))
    const late = new Client(views, { resource: 'pods', limit: 3 }, everything)
    await microtasks()
    expect(late.names).toEqual(['b', 'c', 'z'])
    tick()
    expect(client.window).toEqual(late.window)
    expect(client.window?.page).toEqual(table.page({ resource: 'pods', limit: 3 }, everything))
  })

  it('moves to another window, which has another number', async () => {
    const { client } = await opened(['a', 'b', 'c', 'd'])
    const before = client.view.id
    client.view.move(2, 2)
    expect(client.view.id).not.toBe(before)
    await microtasks()
    expect(client.names).toEqual(['c', 'd'])
    expect(client.id).toBe(client.view.id)
    expect(() => client.view.move(-1, 2)).toThrow('offset is a whole number from 0')
    expect(() => client.view.move(0, 1_001)).toThrow(QueryError)
  })

  it('tells how well a cluster is known when that changes, and not that time goes by', async () => {
    const { table, client, tick } = await opened(['a'])
    table.hear({ ageSeconds: 4 })
    tick()
    expect(client.frames).toHaveLength(1)
    table.hear({ state: 'stale', message: 'The cluster does not answer' })
    tick()
    expect(client.last).toMatchObject({ rows: [], freshness: [{ state: 'stale' }] })
  })

  it('follows filters by age as time goes by', async () => {
    PodClock.now = 100
    const filter: Expression = { age: 'created', op: '<', seconds: 10 }
    const { table, views, client } = await opened([], { resource: 'pods', filter })
    table.put(0, pod('a', { restarts: 95 }))
    views.tick(table.changes())
    expect(client.names).toEqual(['a'])
    PodClock.now = 106
    views.tick([])
    expect(client.names).toEqual([])
    PodClock.now = 0
  })
})

describe('rights', () => {
  it('that are taken away take the rows away at the next tick, changed or not', async () => {
    let namespaces = ['shop', 'bank']
    const reader = {
      key: 'u',
      generation: 1,
      may: (_: string, __: string, namespace: string) => namespaces.includes(namespace),
      knows: () => true,
    }
    const { table, views, client, tick } = await opened(['a', 'b'], { resource: 'pods' }, reader)
    const still = new Client(views, { resource: 'pods' }, { ...reader, key: 'v', may: () => true, knows: () => true })
    await microtasks()
    table.put(1, pod('b', { namespace: 'bank' }))
    tick()
    expect(client.names).toEqual(['a', 'b'])
    namespaces = ['shop']
    reader.generation = 2
    views.tick([])
    await microtasks()
    expect(client.names).toEqual(['a'])
    expect(client.id).toBe(client.view.id)
    expect(still.names).toEqual(['a', 'b'])
    namespaces = []
    views.forgetReaders()
    expect(client.names).toEqual([])
  })

  it('that change for very many are seen a part at a time, and nobody is told anything by the old ones', async () => {
    const table = new PodTable()
    const views = new Views(table, { tickMs: -1 })
    let hidden = ''
    const reader = {
      key: 'u',
      generation: 1,
      may: (_: string, __: string, namespace: string) => namespace !== hidden,
      knows: () => true,
    }
    for (const row of [0, 1]) table.put(row, pod(`${row}`, { namespace: `ns-${row}` }))
    const clients = Array.from(
      { length: 20 },
      (_, index) => new Client(views, { resource: 'pods', limit: 10 + index }, reader),
    )
    await microtasks()
    table.changes()
    hidden = 'ns-1'
    reader.generation = 2
    table.put(1, pod('1', { namespace: 'ns-1', revision: 7 }))
    views.tick(table.changes())
    await microtasks()
    const done = clients.filter(({ frames }) => frames.length > 1)
    expect(done.length).toBeGreaterThan(0)
    expect(done.length).toBeLessThan(20)
    for (const client of clients) expect(client.names).toEqual(done.includes(client) ? ['0'] : ['0', '1'])
    for (let count = 0; count < 10; count += 1) views.tick([])
    for (const client of clients) {
      expect(client.names).toEqual(['0'])
      expect(JSON.stringify(client.frames)).not.toContain('"revision":"7"')
    }
    expect(views.count).toBe(20)
  })

  it('count when somebody asks for the whole window before the next tick', async () => {
    const reader = { key: 'u', generation: 1, may: () => true, knows: () => true }
    const { client } = await opened(['a', 'b'], { resource: 'pods' }, reader)
    reader.may = () => false
    reader.generation = 2
    client.view.resend()
    await microtasks()
    expect(client.names).toEqual([])
  })
})

describe('a kind', () => {
  it('that is served no more is told again to one who could not take it', async () => {
    const { table, views, client } = await opened(['a'])
    table.served = false
    client.takesMore = false
    views.tick(table.changes(true))
    client.takesMore = true
    client.view.resend()
    await microtasks()
    client.view.resend()
    await microtasks()
    expect(client.frames.map(({ type }) => type)).toEqual(['whole', 'gone', 'gone'])
  })

  it('whose table is another one is shown anew', async () => {
    const { table, views, client } = await opened(['a', 'b'])
    table.rows.length = 0
    table.put(1, pod('a'))
    views.tick(table.changes(true))
    expect(client.last).toMatchObject({ type: 'whole', page: { rows: [{ id: 1, uid: 'a' }] } })
  })

  it('that is served no more ends its views', async () => {
    const { table, views, client } = await opened(['a'])
    table.served = false
    views.tick(table.changes(true))
    expect(client.last).toEqual({ type: 'gone', view: client.id, message: 'No cluster serves pods' })
    expect(client.frames).toHaveLength(2)
    expect([views.count, table.open]).toEqual([0, 0])
    client.view.resend()
    client.view.move(0, 10)
    client.view.end()
    await microtasks()
    expect(client.frames).toHaveLength(2)
    expect(() => views.view({ resource: 'pods' }, everything, { frame: () => true })).toThrow('No cluster serves pods')
  })
})

/** The same numbers every time. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

describe('a tick that has no time for all', () => {
  it('leaves some to what comes between two ticks, and that tells nobody else', async () => {
    const table = new PodTable()
    const views = new Views(table, { tickMs: -1 })
    table.put(0, pod('0'))
    const clients = Array.from(
      { length: 20 },
      (_, index) =>
        new Client(
          views,
          { resource: 'pods', limit: 10 + index },
          { key: 'u', generation: 1, may: () => true, knows: () => true },
        ),
    )
    await microtasks()
    table.changes()
    let revision = 10
    const told = () => clients.map(({ frames }) => frames.length - 1)
    const tickAfterChange = (onlyLeft: boolean) => {
      revision += 1
      table.put(0, pod('0', { restarts: revision, revision }))
      return views.tick(table.changes(), onlyLeft)
    }
    expect(tickAfterChange(false)).toBe(true)
    const first = told()
    expect(first.filter((count) => count > 0)).toHaveLength(8)
    expect(tickAfterChange(true)).toBe(true)
    expect(told().filter((count) => count > 0)).toHaveLength(16)
    expect(tickAfterChange(true)).toBe(false)
    expect(told()).toEqual(clients.map(() => 1))
    expect(tickAfterChange(true)).toBe(false)
    expect(told()).toEqual(clients.map(() => 1))
    for (let rounds = 0; rounds < 3; rounds += 1) views.tick([])
    for (const client of clients) expect(client.window?.page.rows[0]?.revision).toBe(String(revision))
  })
})

describe('whoever applies the frames', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'ends with exactly what a list answers, whatever happens (seed %i)',
    async (seed) => {
      const next = random(seed)
      const table = new PodTable()
      // A tick that may take no time does a few views and leaves the others to the next.
      const views = new Views(table, { tickMs: seed % 2 === 0 ? -1 : Number.POSITIVE_INFINITY })
      let rights = 3
      const readers = [0, 1, 2].map((index) => ({
        key: `u${index % 2}`,
        generation: 0,
        may: (_: string, __: string, namespace: string) => index % 2 === 0 || namespace !== `ns-${rights}`,
        knows: () => true,
      }))
      const clients = new Map<Client, { query: ListQuery; reader: Reader }>()
      const change = () => {
        const row = next(90)
        const gone = next(4) === 0
        const more = { namespace: `ns-${next(4)}`, restarts: next(5), revision: next(1e6) }
        table.put(
          row,
          gone ? undefined : pod(table.rows[row] && next(2) ? table.rows[row].uid : `pod-${next(1e6)}`, more),
        )
      }
      const open = () => {
        const query: ListQuery = {
          resource: 'pods',
          offset: next(2) * next(20),
          limit: 1 + next(12),
          ...(next(2) ? { sort: [{ field: 'restarts', descending: true }] } : {}),
          ...(next(2) ? { filter: { field: 'namespace', op: '=', values: ['ns-1', 'ns-2'] } } : {}),
        }
        const reader = readers[next(3)] as Reader
        clients.set(new Client(views, query, reader), { query, reader })
      }
      const act = (client: Client, entry: { query: ListQuery }) => {
        const what = next(12)
        if (what === 0) {
          entry.query = { ...entry.query, offset: next(30), limit: 1 + next(12) }
          client.view.move(entry.query.offset as number, entry.query.limit as number)
        } else if (what === 1) client.takesMore = false
        else if (what === 2) {
          client.takesMore = true
          client.view.resend()
        } else if (what === 3 && next(4) === 0) {
          client.view.end()
          clients.delete(client)
        }
      }
      const compare = (all: boolean) => {
        for (const [client, { query, reader }] of clients) {
          if (!all && !client.takesMore) continue
          expect(client.window?.page).toEqual(table.page(query, reader))
          expect(client.id).toBe(client.view.id)
        }
      }
      for (let step = 0; step < 300; step += 1) {
        for (let count = next(6); count > 0; count -= 1) change()
        if (next(3) === 0) table.hear({ state: next(2) ? 'live' : 'stale', revision: String(next(2)) })
        if (clients.size < 16 && next(3) === 0) open()
        for (const [client, entry] of clients) if (next(3) === 0) act(client, entry)
        if (next(25) === 0) {
          rights = next(4)
          for (const reader of readers) reader.generation += 1
        }
        if (next(2) === 0) await microtasks()
        if (next(3) === 0) continue
        // Between two ticks only those are told whom the one before had no time for.
        while (next(3) === 0) {
          change()
          views.tick(table.changes(), true)
        }
        views.tick(table.changes(next(40) === 0))
        await microtasks()
        if (seed % 2 === 1) compare(false)
      }
      for (const client of clients.keys()) {
        if (client.takesMore) continue
        client.takesMore = true
        client.view.resend()
      }
      for (let count = 0; count < 40; count += 1) views.tick(table.changes())
      await microtasks()
      expect(clients.size).toBeGreaterThan(3)
      for (const [client, { query, reader }] of clients) {
        expect(client.window?.page).toEqual(table.page(query, reader))
        expect(client.id).toBe(client.view.id)
        client.view.end()
      }
      expect([views.count, table.open]).toEqual([0, 0])
    },
  )
})
