import { type FromReader, NO_CLUSTER, type Restore } from '../batch.ts'
import type { KindSpec } from '../kind.ts'
import {
  type ClusterState,
  type CompleteQuery,
  EVERYTHING,
  type FacetQuery,
  type HavingQuery,
  type ListQuery,
  type Mirror,
  type MirroredCluster,
  type MirrorMetrics,
  type MirrorOptions,
  type Reader,
  type RowRef,
  type SearchQuery,
  type SumQuery,
  type View,
  type ViewListener,
} from '../mirror.ts'
import type { SnapshotSource, SnapshotTable } from '../snapshot/snapshot-source.ts'
import type { Snapshot, Snapshots } from '../snapshot/snapshots.ts'
import { Ticks } from '../view/ticks.ts'
import { Views } from '../view/views.ts'
import { type ClusterEntry, Clusters } from './clusters.ts'
import { clusterStates } from './freshness.ts'
import { kindNamed } from './kind-names.ts'
import { Kinds } from './kinds.ts'
import { isKnown } from './known.ts'
import { liveLists } from './live-lists.ts'
import type { OpenTable } from './open-table.ts'
import { Queries } from './queries.ts'
import type { ReaderEvents, ReaderPort } from './reader-thread.ts'
import { VersionFeed } from './version-feed.ts'

/** Clusters of a snapshot that nobody asks for are forgotten after this long. */
const UNCLAIMED_MS = 60_000
/** How long the end waits for versions to be recorded. */
const RECORD_MS = 5_000

/** The serving thread: takes in what the reading thread says, and answers from it. */
export class ServedMirror implements Mirror, ReaderEvents {
  readonly #options: Pick<MirrorOptions, 'log' | 'versions'>
  readonly #now: () => number
  readonly #clusters = new Clusters()
  readonly #kinds: Kinds
  readonly #queries: Queries
  readonly #views: Views
  readonly #feed: VersionFeed | undefined
  readonly #relists: Record<string, number> = {}
  readonly #timers: NodeJS.Timeout[] = []
  #reader: ReaderPort | undefined
  #ticks: Ticks | undefined
  #snapshots: Pick<Snapshots, 'close'> | undefined
  /** Told to each reading thread that is started; undefined: what it was started with. */
  #unrecorded: string[] | undefined
  #batches = 0
  #events = 0
  /** The next reading thread begins with nothing: one that went on with our rows has died soon. */
  #fresh = false

  constructor(options: Pick<MirrorOptions, 'log' | 'versions'>, now: () => number = Date.now) {
    this.#options = options
    this.#now = now
    this.#kinds = new Kinds(this.#clusters, now)
    this.#queries = new Queries(this.#kinds, this.#clusters, now)
    this.#views = new Views(liveLists(this.#queries), { now })
    this.#feed = options.versions && new VersionFeed(options.versions, options.log)
  }

  /** From here on what is to be read is said to this reading thread. */
  attach(reader: ReaderPort): void {
    this.#reader = reader
    this.#ticks = new Ticks((onlyLeft) => this.tick(onlyLeft))
    this.#timers.push(setTimeout(() => this.#forgetUnclaimed(), UNCLAIMED_MS).unref())
  }

  /** Takes in a snapshot, before the reading thread starts. */
  restore({ clusters, tables, writtenTime }: Snapshot): void {
    if (tables.length === 0) return
    // Numbers are given anew, without gaps.
    const numbers = new Uint16Array(NO_CLUSTER + 1).fill(NO_CLUSTER)
    for (const { number, name } of clusters) numbers[number] = this.#clusters.add(name).number
    const renumbered = tables.map((table) => ({
      ...table,
      clusters: table.clusters.map((number) => numbers[number] as number),
      stood: table.stood.map(({ cluster, revision }) => ({ cluster: numbers[cluster] as number, revision })),
    }))
    this.#kinds.restore(renumbered, writtenTime)
  }

  /** From here on `close` writes a snapshot. */
  keep(snapshots: Pick<Snapshots, 'close'>): void {
    this.#snapshots = snapshots
  }

  /** What a snapshot is written of. */
  snapshotSource(): SnapshotSource {
    return {
      tables: () => this.#kinds.served().map(snapshotTable),
      cluster: (number) => {
        const entry = this.#clusters.entry(number)
        return entry && { name: entry.name, registration: entry.watched?.revision ?? '' }
      },
    }
  }

  // The reading thread

  recordAllBut(resources: readonly string[]): void {
    if (!this.#options.versions) return
    this.#unrecorded = [...resources]
    this.#reader?.post({ type: 'unrecorded', resources: this.#unrecorded })
  }

  started(again: boolean): void {
    if (this.#unrecorded) this.#reader?.post({ type: 'unrecorded', resources: this.#unrecorded })
    if (!this.#fresh) for (const open of this.#kinds.restorable()) this.#reader?.post(restoreOf(open))
    for (const entry of this.#clusters.watched()) this.#postWatch(entry)
    if (again) this.#options.log.info({}, 'The reading thread of the mirror was started again')
  }

  ended(cause: string, soon: boolean): void {
    this.#fresh = soon
    this.#options.log.warn({ cause }, 'The reading thread of the mirror has ended; another one is started')
    this.#kinds.readerEnded(`The clusters are not read at the moment (${cause}); reading begins again by itself`, !soon)
    for (const entry of this.#clusters.watched()) delete entry.heard
  }

  message(message: FromReader): void {
    switch (message.type) {
      case 'batch':
        this.#batches += 1
        this.#events += this.#kinds.apply(message)
        break
      case 'state':
        this.#kinds.state(message)
        break
      case 'kind':
        this.#kinds.open(message)
        break
      case 'dropped':
        this.#kinds.dropped(message)
        break
      case 'cluster': {
        const entry = this.#clusters.entry(message.cluster)
        if (entry) entry.heard = message
        for (const open of this.#kinds.all()) open.stateVersion += 1
        break
      }
      case 'versions': {
        const entry = this.#clusters.entry(message.cluster)
        const spec = this.#kinds.find(message.resource)?.table.spec
        if (entry && spec) this.#feed?.add(entry.name, spec, message.versions)
        break
      }
      case 'note': {
        const { level, cluster, resource, message: line, relist } = message
        if (relist) this.#relists[relist] = (this.#relists[relist] ?? 0) + 1
        if (line !== '') this.#options.log[level]({ cluster: this.#clusters.name(cluster), resource }, line)
        break
      }
      case 'failed':
        // The thread's keeper sees to it.
        break
    }
    this.#ticks?.came()
  }

  /** Tells the live views what changed. As Views.tick. */
  tick(onlyLeft = false): boolean {
    this.#kinds.settle()
    return this.#views.count > 0 && this.#views.tick(this.#kinds.changes(), onlyLeft)
  }

  // Clusters

  watch(cluster: MirroredCluster): void {
    const entry = this.#clusters.find(cluster.name) ?? this.#clusters.add(cluster.name)
    if (entry.watched?.revision === cluster.revision) return
    const first = entry.watched === undefined
    entry.watched = cluster
    if (first) this.#kinds.showAgain(entry.number)
    this.#postWatch(entry)
  }

  #postWatch({ number, watched }: ClusterEntry): void {
    if (!watched) return
    const { name, kubeconfig, context, allowPlugin } = watched
    this.#reader?.post({
      type: 'watch',
      cluster: number,
      name,
      kubeconfig,
      ...(context !== undefined && { context }),
      ...(allowPlugin !== undefined && { allowPlugin }),
    })
  }

  forget(cluster: string): void {
    const entry = this.#clusters.find(cluster)
    if (!entry) return
    this.#clusters.forget(entry)
    this.#kinds.forget(entry.number)
    this.#reader?.post({ type: 'forget', cluster: entry.number })
  }

  #forgetUnclaimed(): void {
    for (const entry of this.#clusters.neverWatched()) {
      this.#options.log.info({ cluster: entry.name }, 'A cluster of the snapshot is not registered any more')
      this.forget(entry.name)
    }
  }

  clusters(reader: Reader = EVERYTHING): ClusterState[] {
    return clusterStates(this.#clusters, this.#kinds, this.#now(), reader)
  }

  // Queries

  kinds(reader: Reader = EVERYTHING): KindSpec[] {
    const known = this.#kinds.served().filter((open) => this.#isKnown(open, reader))
    return known.map((open) => open.table.spec).sort((a, b) => (a.resource < b.resource ? -1 : 1))
  }

  kind(name: string, reader: Reader = EVERYTHING): KindSpec | undefined {
    const exact = this.#kinds.find(name)
    if (exact && this.#isKnown(exact, reader)) return exact.table.spec
    return kindNamed(this.kinds(reader), name)
  }

  /** Some cluster serves it in which the reader may list it. */
  #isKnown(open: OpenTable, reader: Reader): boolean {
    if (reader === EVERYTHING) return true
    const entries = [...open.states.keys()].map((number) => this.#clusters.entry(number))
    // A kind that has just been opened is served by some cluster; which one has not been said yet.
    const may = entries.length > 0 ? entries : this.#clusters.watched()
    return may.some((entry) => entry !== undefined && isKnown(reader, open.table.spec, entry.name))
  }

  list(query: ListQuery, reader: Reader) {
    return this.#queries.list(query, reader)
  }

  listJson(query: ListQuery, reader: Reader) {
    return this.#queries.listJson(query, reader)
  }

  facets(query: FacetQuery, reader: Reader) {
    return this.#queries.facets(query, reader)
  }

  sums(query: SumQuery, reader: Reader) {
    return this.#queries.sums(query, reader)
  }

  search(query: SearchQuery, reader: Reader) {
    return this.#queries.search(query, reader)
  }

  complete(query: CompleteQuery, reader: Reader) {
    return this.#queries.complete(query, reader)
  }

  having(query: HavingQuery, reader: Reader) {
    return this.#queries.having(query, reader)
  }

  find(ref: RowRef, reader: Reader) {
    return this.#queries.find(ref, reader)
  }

  view(query: ListQuery, reader: Reader, listener: ViewListener): View {
    // What happened while nobody looked concerns nobody.
    if (this.#views.count === 0) this.#kinds.changes()
    return this.#views.view(query, reader, listener)
  }

  readersChanged(): void {
    if (this.#views.count > 0) this.#views.readersChanged()
  }

  forgetReaders(): void {
    for (const open of this.#kinds.all()) open.lists.forgetReaders()
    this.#views.forgetReaders()
  }

  metrics(): MirrorMetrics {
    const tables = this.#kinds.all()
    return {
      objects: this.#kinds.served().reduce((sum, open) => sum + open.table.count, 0),
      bytes: tables.reduce((sum, { table, lists }) => sum + table.bytes + lists.bytes, this.#kinds.budget.bytes),
      batches: this.#batches,
      events: this.#events,
      relists: { ...this.#relists },
      views: this.#views.count,
    }
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#ticks?.end()
    this.#views.close()
    await this.#reader?.close()
    await this.#snapshots?.close()
    await this.#feed?.close(RECORD_MS)
  }
}

function snapshotTable(open: OpenTable): SnapshotTable {
  const { table } = open
  return {
    table: open.id,
    spec: table.spec,
    version: () => table.log.position,
    arrays: () => table.arrays(),
    stood: () => stood(open),
    track: () => table.track(),
  }
}

const stood = (open: OpenTable): { cluster: number; revision: number }[] =>
  [...open.states.values()]
    .filter(({ revision }) => revision > 0)
    .map(({ cluster, revision }) => ({ cluster, revision }))

function restoreOf(open: OpenTable): Restore {
  const { strings, sets, slots, clusters, uids, revisions } = open.table.arrays()
  return {
    type: 'restore',
    table: open.table.number,
    spec: open.table.spec,
    strings,
    sets,
    slots,
    clusters: clusters.slice(0, slots),
    uids: uids.slice(0, slots * 4),
    revisions: revisions.slice(0, slots),
    stood: stood(open),
  }
}
