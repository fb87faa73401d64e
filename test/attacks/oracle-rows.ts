import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { isProblem, notFound } from '@quarterdeck/kernel'
import WebSocket from 'ws'
import { csvOf } from '../../features/cluster/explorer/csv.rules.ts'
import {
  completeFilter,
  countObjects,
  getObject,
  LiveFrame,
  listKinds,
  listObjects,
  type ObjectPage,
  searchObjects,
  sumObjects,
  unknownKind,
  watchObjects,
} from '../../features/cluster/object/object.contract.ts'
import { getObjectTree } from '../../features/cluster/object/related.contract.ts'
import { listChanges, listVersions } from '../../features/cluster/version/version.contract.ts'
import { run } from '../../scripts/stage.ts'
import { dice } from '../platform/random-rbac.ts'
import { type ComparedKind, KINDS, type Person, WORD, Worlds } from './rbac-worlds.ts'
import type { Row, RowOptions } from './row.ts'
import type { Target } from './target.ts'

/** Bindings are on their way to us and to the API server's own authorizer, and grants of before on their way out. */
const SETTLE_MS = 15_000

/** By kind; undefined: they may list it nowhere. */
type Listed = ReadonlyMap<string, readonly string[] | undefined>

/** What an unknown kind is answered with becomes undefined. */
const known = <T>(answer: Promise<T>): Promise<T | undefined> =>
  answer.catch((error: unknown) => {
    if (isProblem(error, unknownKind)) return undefined
    throw error
  })

const keysOf = ({ columns, rows }: Pick<ObjectPage, 'columns' | 'rows'>): string[] => {
  const [namespace, name] = [columns.indexOf('namespace'), columns.indexOf('name')]
  return rows.map(({ values }) => `${values[namespace] ?? ''}/${values[name]}`).sort()
}
const namespaceOf = (key: string) => key.slice(0, key.indexOf('/'))

/** Of what the console writes for a spreadsheet. Texts that have commas are in columns after the name. */
function keysOfFile(file: string): string[] {
  const [head = '', ...lines] = file.slice(1).split('\r\n').filter(Boolean)
  const columns = head.split(',')
  const [namespace, name] = [columns.indexOf('namespace'), columns.indexOf('name')]
  const cells = lines.map((line) => line.split(',').slice(0, Math.max(namespace, name) + 1))
  return cells.map((cell) => `${cell[namespace] ?? ''}/${cell[name]}`).sort()
}

/** What `qd get` lists of one kind, in a process of its own; undefined: it knows no such kind. */
async function compareCli({ client, name }: Person, { resource }: ComparedKind, listed: Listed): Promise<void> {
  const { status, text } = await run('qd', ['get', resource, '--limit', '1000', '-o', 'json'], {
    environment: { QUARTERDECK_SERVER: client.baseUrl, QUARTERDECK_TOKEN: client.token ?? '', NO_COLOR: '1' },
  })
  const keys = status === 0 ? keysOf(JSON.parse(text) as ObjectPage) : undefined
  assert.deepEqual(keys, listed.get(resource), `qd get ${resource} for ${name}: ${status === 0 ? '' : text}`)
}

/** How often each namespace occurs. */
function counted(keys: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const key of keys) if (namespaceOf(key) !== '') counts[namespaceOf(key)] = (counts[namespaceOf(key)] ?? 0) + 1
  return counts
}

/** Every door to many objects of one kind, and what each has to say. */
async function compareKind({ resource }: ComparedKind, as: Person, keys: readonly string[] | undefined): Promise<void> {
  const { client } = as
  const params = { resource }
  const page = await known(client(listObjects, { params, query: { limit: 1_000 } }))
  const facets = await known(client(countObjects, { params, query: { fields: 'namespace,cluster', limit: 1_000 } }))
  const sums = await known(client(sumObjects, { params, query: { by: 'namespace' } }))
  const typed = await known(client(completeFilter, { params, query: { text: 'ns:' } }))
  if (keys === undefined) {
    assert.deepEqual([page, facets, sums, typed], [undefined, undefined, undefined, undefined], `${resource} is known`)
    return
  }
  assert.ok(page && facets && sums && typed, `${resource} is not known`)
  assert.deepEqual(keysOf(page), keys, `the list of ${resource}`)
  assert.equal(page.total, keys.length, `the total of ${resource}`)
  assert.deepEqual(keysOfFile(csvOf(page.columns, page.rows)), keys, `the file of ${resource}`)
  const [namespaces, clusters] = facets.items
  const byNamespace = Object.fromEntries((namespaces?.values ?? []).map(({ value, count }) => [value, count]))
  assert.deepEqual(byNamespace, counted(keys), `the facets of ${resource}`)
  assert.equal(clusters?.values.reduce((sum, { count }) => sum + count, 0) ?? 0, keys.length)
  const summed = Object.fromEntries(sums.items.flatMap(({ value, count }) => (value === '' ? [] : [[value, count]])))
  assert.deepEqual(summed, counted(keys), `the sums of ${resource}`)
  const seen = Object.keys(counted(keys))
  for (const { insert } of typed.items) {
    const namespace = insert.replace(/^.*:/, '').trim()
    assert.ok(seen.includes(namespace), `completions of ${resource} name ${namespace}`)
  }
}

async function compareSearch(as: Person, listed: Listed): Promise<void> {
  const { kinds, total } = await as.client(searchObjects, { query: { text: WORD, limit: 50 } })
  assert.equal(
    total,
    kinds.reduce((sum, one) => sum + one.total, 0),
  )
  const found = Object.fromEntries(kinds.map((one) => [one.resource, one.total]))
  for (const { resource } of KINDS) {
    const keys = (listed.get(resource) ?? []).filter((key) => key.includes(WORD))
    // Of roles and the like other columns hold the word as well.
    if (!resource.includes('rbac')) assert.equal(found[resource] ?? 0, keys.length, `the search in ${resource}`)
    else if (listed.get(resource) === undefined) assert.equal(found[resource], undefined, `the search in ${resource}`)
  }
  for (const hit of kinds) {
    const allowed = listed.get(hit.resource)
    if (allowed)
      for (const key of keysOf(hit)) assert.ok(allowed.includes(key), `the search shows ${hit.resource} ${key}`)
  }
}

async function compareKinds(as: Person, listed: Listed): Promise<void> {
  const { items } = await as.client(listKinds)
  for (const { resource } of KINDS) {
    const shown = items.find((one) => one.resource === resource)
    assert.equal(shown !== undefined, listed.get(resource) !== undefined, `kind ${resource}`)
    const objects = shown?.clusters.reduce((sum, one) => sum + one.objects, 0)
    assert.equal(objects, listed.get(resource)?.length, `how many ${resource} there are`)
  }
}

/** Doors to single objects: they open for who may get it. Nothing else is told of what may not be got. */
async function compareSingle(worlds: Worlds, as: Person, next: (bound: number) => number): Promise<void> {
  for (let count = 0; count < 6; count++) {
    const kind = KINDS[next(KINDS.length)] as ComparedKind
    const namespace = worlds.namespaces[next(4)] ?? ''
    const key = kind.namespaced
      ? `${namespace}/${WORD}-${next(4)}`
      : kind.plural === 'namespaces'
        ? `/${namespace}`
        : '/fake-0'
    const [, name = ''] = key.split('/')
    const asked = {
      params: { cluster: worlds.cluster, resource: kind.resource, name },
      query: { namespace: namespaceOf(key) },
    }
    const reads = await worlds.reads(kind, key, as)
    const opened = (answer: Promise<unknown>) =>
      answer.then(
        () => true,
        (error: unknown) => {
          if (isProblem(error, notFound) || isProblem(error, unknownKind)) return false
          throw error
        },
      )
    assert.equal(await opened(as.client(getObject, asked)), reads, `${kind.resource} ${key} is read`)
    if (!reads) {
      assert.equal(await opened(as.client(listVersions, asked)), false, `versions of ${kind.resource} ${key}`)
      const tree = { ...asked, query: { ...asked.query, limit: 100 } }
      assert.equal(await opened(as.client(getObjectTree, tree)), false, `the tree of ${kind.resource} ${key}`)
    }
  }
}

async function compareChanges(as: Person, listed: Listed): Promise<void> {
  const { items } = await as.client(listChanges, { query: { limit: 200 } })
  for (const { resource, namespace, name } of items) {
    const keys = listed.get(resource)
    if (!listed.has(resource)) continue
    assert.ok(keys !== undefined, `changes tell of ${resource} ${namespace}/${name}`)
  }
}

/** Live views of every kind over one socket: the first whole window of each. */
async function compareLive(as: Person, listed: Listed): Promise<void> {
  const socket = socketOf(as)
  const views = new Map<number, number>()
  const shown = new Map<string, ObjectPage | undefined>()
  const done = Promise.withResolvers<void>()
  socket.on('message', (bytes) => {
    const frame = LiveFrame.parse(JSON.parse(String(bytes)))
    if (frame.type === 'opened') views.set(frame.view, frame.id)
    if (frame.type === 'refused') shown.set(KINDS[frame.id ?? -1]?.resource ?? '', undefined)
    if (frame.type === 'whole') shown.set(KINDS[views.get(frame.view) ?? -1]?.resource ?? '', frame.page)
    if (shown.size === KINDS.length) done.resolve()
  })
  socket.once('close', () => done.reject(new Error('The live socket was closed')))
  await once(socket, 'open')
  for (const [id, { resource }] of KINDS.entries()) {
    socket.send(JSON.stringify({ type: 'open', id, resource, limit: 1_000 }))
  }
  await done.promise
  socket.terminate()
  for (const { resource } of KINDS) {
    const page = shown.get(resource)
    assert.deepEqual(page && keysOf(page), listed.get(resource), `the live view of ${resource}`)
  }
}

const socketOf = ({ client }: Person): WebSocket =>
  new WebSocket(client.socketUrl(watchObjects, {}), { headers: { authorization: `Bearer ${client.token}` } })

/** A view that stays open from world to world: what it shows has to follow. */
class Watched {
  readonly #as: Person
  #socket: WebSocket | undefined
  #rows = new Map<number, string>()
  #order: number[] = []
  #columns: string[] = []

  constructor(as: Person) {
    this.#as = as
  }

  /** Once they may list pods, that is looked at until the end. */
  async open(): Promise<void> {
    if (this.#socket) return
    this.#socket = socketOf(this.#as)
    this.#socket.on('message', (bytes) => this.#take(LiveFrame.parse(JSON.parse(String(bytes)))))
    await once(this.#socket, 'open')
    this.#socket.send(JSON.stringify({ type: 'open', id: 1, resource: 'pods', limit: 1_000 }))
  }

  #take(frame: LiveFrame): void {
    if (frame.type === 'whole') {
      this.#columns = frame.page.columns
      this.#rows = new Map()
      this.#order = frame.page.rows.map(({ id }) => id)
    } else if (frame.type === 'change') this.#order = frame.order ?? this.#order
    else return
    const rows = frame.type === 'whole' ? frame.page.rows : frame.rows
    for (const row of rows) this.#rows.set(row.id, keysOf({ columns: this.#columns, rows: [row] })[0] ?? '')
  }

  compare(listed: Listed): void {
    if (!this.#socket) return
    const keys = this.#order.map((id) => this.#rows.get(id) ?? '').sort()
    assert.deepEqual(keys, listed.get('pods') ?? [], 'the live view of pods that has been open all the while')
  }

  end(): void {
    this.#socket?.terminate()
  }
}

async function compare(worlds: Worlds, as: Person, watched: Watched, seed: number): Promise<void> {
  const answers = await Promise.all(KINDS.map(async (kind) => [kind.resource, await worlds.listed(kind, as)] as const))
  const listed = new Map(answers)
  if (listed.get('pods')) await watched.open()
  for (const kind of KINDS) await compareKind(kind, as, listed.get(kind.resource))
  await compareKinds(as, listed)
  await compareSearch(as, listed)
  await compareLive(as, listed)
  await compareChanges(as, listed)
  await compareSingle(worlds, as, dice(seed))
  // A process takes as much as all the rest: one of each world's people, one kind, in turn.
  const teller = worlds.people[seed % worlds.people.length]
  if (as === teller) await compareCli(as, KINDS[Math.floor(seed / 5) % KINDS.length] as ComparedKind, listed)
  watched.compare(listed)
}

/** Until both say the same; what they differ in at last is the failure. */
async function agree(worlds: Worlds, as: Person, watched: Watched, seed: number): Promise<void> {
  const until = Date.now() + SETTLE_MS
  for (;;) {
    try {
      await compare(worlds, as, watched, seed)
      return
    } catch (error) {
      if (Date.now() < until) {
        await sleep(50)
        continue
      }
      const { message } = error as Error
      throw new Error(
        `World ${seed}, ${as.name}: ${message}\nOnce more: npm run attacks -- --only A08 --worlds 1 --seed ${seed}`,
      )
    }
  }
}

async function differential(target: Target, { worlds: count, seed }: RowOptions): Promise<string> {
  const worlds = new Worlds(target)
  await worlds.prepare()
  const watched = new Map(worlds.people.map((as) => [as, new Watched(as)]))
  try {
    for (let at = 0; at < count; at++) {
      const close = await worlds.open(seed + at)
      await Promise.all([...watched].map(([as, view]) => agree(worlds, as, view, seed + at)))
      await close()
    }
  } finally {
    for (const view of watched.values()) view.end()
  }
  return `${count} worlds from seed ${seed} × ${worlds.people.length} people × ${KINDS.length} kinds`
}

export const oracleRows: Row[] = [
  {
    id: 'A08',
    what: 'random roles, bindings and grants: every list, total, facet, sum, completion, search, kind, live view, export and object is what the API server answers to the same person',
    run: differential,
  },
]
