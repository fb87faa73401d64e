import { applyLiveFrame, type LiveWindow, type LiveWindowFrame } from '@quarterdeck/client'
import { describe, expect, it } from 'vitest'
import type { Freshness, ListQuery, Mirror, Page, Reader, Row, View } from '../mirror.ts'
import { parseFilter } from '../query/filter-text.ts'
import { parseSort } from '../query/sort-text.ts'
import { kindOf } from '../rows/kinds/kind-of.ts'
import { openTables } from '../rows/tables.ts'
import { ServedMirror } from '../serving/served-mirror.ts'

const POD = kindOf({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  namespaced: true,
  custom: false,
})
const QUERIES = [
  ['', ''],
  ['', '-restarts'],
  ['ns:ns-1', ''],
  ['ns:ns-1 or ns:ns-2 label:tier=t1', '-restarts,cluster'],
  ['-cluster:east', '-age'],
  ['restarts>2 web', 'node'],
  ['age<1h', 'name'],
] as const

/** Everything but the worker thread and the API servers: objects are put, lists are answered. */
function mirrorOf(clusters: string[]) {
  const clock = { now: Date.parse('2026-01-01T00:00:00Z') }
  const mirror = new ServedMirror({ log: { info: () => {}, warn: () => {} } }, () => clock.now)
  const tables = openTables({
    post: (message) => mirror.message(structuredClone(message)),
    searchedAnnotations: [],
    recordsVersions: () => false,
    digestKey: new Uint8Array(32),
    readAnew: () => {},
  })
  const sinks = clusters.map((name, cluster) => {
    mirror.watch({ name, kubeconfig: '', revision: '1' })
    return tables.sink(cluster, POD)
  })
  let revision = 1
  const hear = (cluster: number, state: 'live' | 'stale') =>
    tables.state(cluster, 'pods', { state, revision, loaded: 0, message: '', heardTime: clock.now })
  const put = (
    cluster: number,
    pod: { name: string; uid: number; namespace: string; restarts: number; tier: number },
  ) => {
    revision += 1
    sinks[cluster]?.put({
      metadata: {
        name: pod.name,
        namespace: pod.namespace,
        uid: `00000000-0000-0000-0000-${String(pod.uid).padStart(12, '0')}`,
        resourceVersion: String(revision),
        creationTimestamp: new Date(clock.now - pod.uid * 1000).toISOString(),
        labels: { tier: `t${pod.tier}` },
      },
      spec: { nodeName: `node-${pod.uid % 5}`, containers: [{ name: 'web', image: 'web:1' }] },
      status: { phase: 'Running', containerStatuses: [{ name: 'web', restartCount: pod.restarts, ready: true }] },
    })
  }
  const remove = (cluster: number, uid: number) => {
    revision += 1
    const text = `00000000-0000-0000-0000-${String(uid).padStart(12, '0')}`
    sinks[cluster]?.remove({ metadata: { name: 'gone', uid: text, resourceVersion: String(revision) } })
  }
  for (const cluster of clusters.keys()) hear(cluster, 'live')
  return { mirror, tables, clock, hear, put, remove }
}

class Client {
  window: LiveWindow<Row, Freshness> | undefined
  takesMore = true
  readonly view: View
  constructor(mirror: Mirror, query: ListQuery, reader: Reader) {
    this.view = mirror.view(query, reader, {
      frame: (bytes) => {
        const frame = JSON.parse(Buffer.from(bytes).toString()) as LiveWindowFrame<Row, Freshness>
        this.window = applyLiveFrame(this.window, frame)
        if (!this.window) throw new Error(`Frame ${frame.number} does not follow`)
        return this.takesMore
      },
    })
  }
}

const microtasks = () => new Promise<void>((resolve) => setImmediate(resolve))
/** Ages of freshness are not sent. */
const withoutAges = (page: Page | undefined) =>
  page && { ...page, freshness: page.freshness.map((one) => ({ ...one, ageSeconds: 0 })) }

function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

describe('live views of tables', () => {
  it.each([1, 2, 3, 4])('show what a list answers after every tick (seed %i)', async (seed) => {
    const next = random(seed)
    const { mirror, tables, clock, hear, put, remove } = mirrorOf(['east', 'west'])
    let denied = ''
    const readers = [0, 1].map((index) => ({
      key: `u${index}`,
      generation: 0,
      may: (_: string, __: string, namespace: string) => index === 0 || namespace !== denied,
      knows: () => true,
    }))
    const clients: { client: Client; query: ListQuery; reader: Reader }[] = []
    const open = () => {
      const [filter, sort] = QUERIES[next(QUERIES.length)] ?? ['', '']
      const parsed = parseFilter(filter, POD.spec)
      const query = {
        resource: 'pods',
        sort: parseSort(sort, POD.spec),
        offset: next(2) * next(60),
        limit: 1 + next(20),
        ...(parsed ? { filter: parsed } : {}),
        ...(next(2) ? { columns: ['name', 'restarts', 'labels'] } : {}),
      }
      const reader = readers[next(2)] as Reader
      clients.push({ client: new Client(mirror, query, reader), query, reader })
    }
    const change = () => {
      const cluster = next(2)
      const uid = 1 + next(150)
      if (next(4) === 0) return remove(cluster, uid)
      put(cluster, { name: `web-${next(40)}`, uid, namespace: `ns-${next(4)}`, restarts: next(6), tier: next(3) })
    }
    const act = (entry: (typeof clients)[number]) => {
      const { client } = entry
      const what = next(3)
      if (what === 0) {
        entry.query = { ...entry.query, offset: next(50), limit: 1 + next(20) }
        client.view.move(entry.query.offset as number, entry.query.limit as number)
      } else if (what === 1) client.takesMore = false
      else {
        client.takesMore = true
        client.view.resend()
      }
    }
    let compared = 0
    const compare = () => {
      for (const { client, query, reader } of clients) {
        if (!client.takesMore) continue
        compared += 1
        expect(withoutAges(client.window?.page)).toEqual(withoutAges(mirror.list(query, reader)))
      }
    }
    for (let step = 0; step < 150; step += 1) {
      for (let count = next(8); count > 0; count -= 1) change()
      if (next(2) === 0) tables.flush()
      if (clients.length < 14 && next(3) === 0) open()
      for (const entry of clients) if (next(12) === 0) act(entry)
      if (next(10) === 0) hear(next(2), next(2) ? 'live' : 'stale')
      if (next(25) === 0) {
        denied = `ns-${next(4)}`
        for (const reader of readers) reader.generation += 1
      }
      if (next(40) === 0) mirror.forgetReaders()
      if (next(20) === 0) clock.now += 1_500
      if (next(2) === 0) await microtasks()
      if (next(3) === 0) continue
      tables.flush()
      // A tick that has taken too long leaves views to the next one.
      for (let count = 0; count < 14; count += 1) mirror.tick()
      await microtasks()
      compare()
    }
    expect(compared).toBeGreaterThan(300)
    for (const { client } of clients) client.view.end()
    expect(mirror.metrics().views).toBe(0)
    tables.close()
    await mirror.close()
  })
})
