import type { Expression } from '../expression.ts'
import { type ClusterState, EVERYTHING, type Freshness, type Reader } from '../mirror.ts'
import { eachBit } from '../table/bitmap.ts'
import { nameTest } from '../table/filter/tests.ts'
import type { ClusterEntry, Clusters } from './clusters.ts'
import type { Kinds } from './kinds.ts'
import { isKnown } from './known.ts'
import type { KindState, OpenTable } from './open-table.ts'

/** Seconds with one decimal. */
const age = (now: number, heardTime: number): number => Math.max(0, Math.round((now - heardTime) / 100) / 10)

/** How far to trust rows of one cluster in one table. */
function freshnessOf(open: OpenTable, entry: ClusterEntry, now: number): Freshness {
  const { name: cluster, heard } = entry
  const state = open.states.get(entry.number)
  if (!state) {
    const stale = heard?.state === 'stale'
    const nothing = heard?.state === 'live' ? `${cluster} does not serve ${open.resource}` : 'Not heard of yet'
    return {
      cluster,
      state: stale ? 'stale' : 'unknown',
      revision: '0',
      ageSeconds: heard?.heardTime ? age(now, heard.heardTime) : 0,
      message: stale ? heard.message : nothing,
    }
  }
  return {
    cluster,
    ...known(state, entry),
    revision: String(state.revision),
    ageSeconds: age(now, Math.max(state.heardTime, heard?.heardTime ?? 0)),
  }
}

function known(state: KindState, entry: ClusterEntry): Pick<Freshness, 'state' | 'message' | 'percent'> {
  // A cluster that cannot be reached is stale as a whole.
  if (entry.heard?.state === 'stale' && state.state === 'live') return { state: 'stale', message: entry.heard.message }
  const percent = percentOf(state.loaded, state.expected ?? 0)
  return { state: state.state, message: state.message, ...(state.state === 'syncing' && percent) }
}

const percentOf = (loaded: number, expected: number): { percent?: number } =>
  expected > 0 ? { percent: Math.min(99, Math.floor((100 * loaded) / expected)) } : {}

/** Of the clusters that the filter does not leave out, and of which the reader may know. */
export function freshness(
  clusters: Clusters,
  open: OpenTable,
  filter: Expression | undefined,
  reader: Reader,
  now: number,
): Freshness[] {
  return clusters
    .watched()
    .filter(
      (entry) => (!filter || possible(filter, entry.name) !== false) && isKnown(reader, open.table.spec, entry.name),
    )
    .map((entry) => freshnessOf(open, entry, now))
}

/** Whether rows of a cluster can match; undefined when that depends on the row. */
function possible(filter: Expression, cluster: string): boolean | undefined {
  if ('not' in filter) {
    const inner = possible(filter.not, cluster)
    return inner === undefined ? undefined : !inner
  }
  if ('all' in filter) return everyOne(filter.all.map((part) => possible(part, cluster)))
  if ('any' in filter) {
    const some = everyOne(filter.any.map((part) => opposite(possible(part, cluster))))
    return opposite(some)
  }
  if (!('field' in filter) || filter.field !== 'cluster') return undefined
  const matches = nameTest(filter.op === '!=' ? '=' : filter.op, filter.values.map(String))(cluster)
  return filter.op === '!=' ? !matches : matches
}

const opposite = (answer: boolean | undefined) => (answer === undefined ? undefined : !answer)
const everyOne = (answers: (boolean | undefined)[]): boolean | undefined =>
  answers.includes(false) ? false : answers.includes(undefined) ? undefined : true

/** Every cluster over all kinds, as far as the reader may know of them. */
export function clusterStates(clusters: Clusters, kinds: Kinds, now: number, reader: Reader): ClusterState[] {
  const served = kinds.served()
  const known = clusters.watched().filter(({ name }) => reader.knows(name))
  return known.map((entry) => clusterState(entry, served, now, reader))
}

function clusterState(entry: ClusterEntry, served: readonly OpenTable[], now: number, reader: Reader): ClusterState {
  const { number, name: cluster, heard } = entry
  const known = served.flatMap((open) => {
    const state = open.states.get(number)
    return state && isKnown(reader, open.table.spec, cluster) ? [{ open, state }] : []
  })
  const kinds = known.map(({ open }) => {
    const { state, message } = freshnessOf(open, entry, now)
    return { resource: open.resource, state, objects: countOf(open, number, reader), message }
  })
  const syncing = known.filter(({ state }) => state.state === 'syncing')
  const state = overall(entry, kinds)
  const loaded = syncing.reduce((sum, one) => sum + one.state.loaded, 0)
  const expected = syncing.reduce((sum, one) => sum + (one.state.expected ?? 0), 0)
  const revisions = known.map((one) => one.state.revision).filter((revision) => revision > 0)
  const heardTime = Math.max(heard?.heardTime ?? 0, ...known.map((one) => one.state.heardTime))
  const first = kinds.find((kind) => kind.message !== '')
  return {
    cluster,
    state,
    revision: String(revisions.length > 0 ? Math.min(...revisions) : 0),
    ageSeconds: heardTime > 0 ? age(now, heardTime) : 0,
    ...(state === 'syncing' && percentOf(loaded, expected)),
    message: state === 'live' ? '' : heard?.message || first?.message || 'Not heard of yet',
    objects: kinds.reduce((sum, kind) => sum + kind.objects, 0),
    kinds,
  }
}

/** How many objects of a cluster the reader may see. */
function countOf({ table, lists }: OpenTable, cluster: number, reader: Reader): number {
  const all = table.counts.get(cluster) ?? 0
  if (reader === EVERYTHING || all === 0) return all
  const { bits, count } = lists.result(undefined, reader)
  if (all === table.count) return count
  let seen = 0
  eachBit(bits, table.words, (row) => {
    if (table.clusters[row] === cluster) seen += 1
  })
  return seen
}

/** A kind that may not be read does not make a whole cluster stale; `kinds` says which it is. */
function overall(entry: ClusterEntry, kinds: readonly { state: Freshness['state'] }[]): Freshness['state'] {
  if (entry.heard?.state === 'stale') return 'stale'
  if (kinds.some(({ state }) => state === 'syncing')) return 'syncing'
  if (kinds.some(({ state }) => state === 'live')) return 'live'
  if (kinds.length > 0) return 'stale'
  return entry.heard?.state ?? 'unknown'
}
