import type { ObjectChange } from './batch.ts'
import type { Expression, SortKey } from './expression.ts'
import type { KindSpec } from './kind.ts'
import type { Timings } from './worker/reader-options.ts'

/** The state of all clusters, kept in memory: lists, searches and live views without asking an API server. */
export interface Mirror {
  /** Reads a cluster; again with another revision: reads it with the new kubeconfig. */
  watch(cluster: MirroredCluster): void
  /** Ends the reading and forgets the rows. */
  forget(cluster: string): void
  /** Every kind that some cluster serves and that the reader (absent: everybody) may list there, by resource. */
  kinds(reader?: Reader): KindSpec[]
  /** By resource, plural, kind or short name, without regard to case. Undefined when `kinds` has none that fits. */
  kind(name: string, reader?: Reader): KindSpec | undefined
  /** How well each cluster is known, and how many objects the reader (absent: everybody) may see in it. */
  clusters(reader?: Reader): ClusterState[]
  /** Throws QueryError. */
  list(query: ListQuery, reader: Reader): Page
  /** The Page of `list` as JSON in UTF-8, several times cheaper than making the objects first. Throws QueryError. */
  listJson(query: ListQuery, reader: Reader): Uint8Array
  /** How often each value of the fields occurs, the most frequent first. Throws QueryError. */
  facets(query: FacetQuery, reader: Reader): Facet[]
  /** Sums of number columns, for each value of a field, the most rows first. Throws QueryError. */
  sums(query: SumQuery, reader: Reader): GroupSum[]
  /** Free text over all kinds. */
  search(query: SearchQuery, reader: Reader): SearchHits
  /** What may follow at the cursor of a filter text. */
  complete(query: CompleteQuery, reader: Reader): Completion[]
  /** One object's row; undefined when it is not there or the reader may not see it. */
  find(ref: RowRef, reader: Reader): Row | undefined
  /** Objects of one cluster that hold a value in a text column, without looking at the others. Throws QueryError. */
  having(query: HavingQuery, reader: Reader): HavingRows
  /** Keeps a window of a list up to date until `end` is called. Throws QueryError. */
  view(query: ListQuery, reader: Reader, listener: ViewListener): View
  /** The generation of some readers may be another: live views are told at once what they see now. */
  readersChanged(): void
  /** Called when `reader.generation` of readers changes is not enough: nothing of what was worked out for them is kept. */
  forgetReaders(): void
  /**
   * From here on changes of all resources but these are recorded, instead of `versions.except`. Kinds that were left out
   * before are read anew, so that their objects are recorded as they are.
   */
  recordAllBut(resources: readonly string[]): void
  /** Changes since the start, for /metrics. */
  metrics(): MirrorMetrics
  /** Writes the snapshot and ends. */
  close(): Promise<void>
}

export interface MirroredCluster {
  name: string
  kubeconfig: string
  context?: string
  allowPlugin?: boolean
  /** Another for every change of the registration. */
  revision: string
}

export interface MirrorOptions {
  /** Where snapshots lie, and the key (32 bytes) that they are sealed with; absent: none are kept. */
  snapshots?: { folder: string; key: Uint8Array }
  /** Annotations that are searched: exact keys, or beginnings that end in `*`. */
  searchedAnnotations?: string[]
  versions?: {
    /** Resources whose changes are not recorded. */
    except: readonly string[]
    /** Key of the digests that stand for values of Secrets. */
    digestKey: Uint8Array
    /** Called in order; awaited before the next call. What it throws is logged and the changes are offered again. */
    record(cluster: string, kind: KindSpec, changes: ObjectChange[]): Promise<void>
  }
  /** For tests of faults: shorter patience of the reading thread. */
  timings?: Partial<Timings>
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void }
}

/** Who asks. Readers of equal `key` and `generation` see the same. */
export interface Reader {
  key: string
  /** Another number whenever an answer of `may` may have changed. */
  generation: number
  /**
   * May list this resource there. `namespace` is '' for what has none. The function that one takes answers by the
   * generation it was taken with, then and later: what is worked out by it is kept for all of that generation.
   */
  readonly may: (resource: string, cluster: string, namespace: string) => boolean
  /** May list this resource (absent: any) at one place of the cluster at least, whether objects are there or not. */
  readonly knows: (cluster: string, resource?: string) => boolean
}

/** Sees everything. */
export const EVERYTHING: Reader = { key: '*', generation: 0, may: () => true, knows: () => true }

/** The reader as it is now: its generation does not change any more. */
export const asItIsNow = (reader: Reader): Reader => {
  if (reader === EVERYTHING) return reader
  const { key, generation, may, knows } = reader
  return { key, generation, may, knows }
}

export interface ListQuery {
  /** Of KindSpec. */
  resource: string
  filter?: Expression
  /** Absent: namespace, name, cluster. */
  sort?: SortKey[]
  /** From 0. */
  offset?: number
  /** Default 50, at most 1,000. */
  limit?: number
  /** Column names; absent: all. */
  columns?: string[]
}

/** `cluster`, `uid` and `revision`, then the columns asked for. Times are seconds since 1970; absent values are null. */
export interface Row {
  /** Stands for the object as long as it is there. */
  id: number
  cluster: string
  uid: string
  revision: string
  values: Value[]
}
export type Value = string | number | string[] | null

export interface Page {
  resource: string
  columns: string[]
  /** Exactly how many rows match. */
  total: number
  offset: number
  rows: Row[]
  /** Of the clusters that the filter does not leave out. */
  freshness: Freshness[]
}

/** How far to trust rows of one cluster. */
export interface Freshness {
  cluster: string
  /** `unknown`: this cluster does not serve the kind, or has not been heard of yet. */
  state: 'syncing' | 'live' | 'stale' | 'unknown'
  revision: string
  /** Since the last sign of life. */
  ageSeconds: number
  /** While syncing, of 100. */
  percent?: number
  message: string
}

export interface ClusterState extends Freshness {
  /** Over all kinds. */
  objects: number
  kinds: { resource: string; state: Freshness['state']; objects: number; message: string }[]
}

export interface FacetQuery {
  resource: string
  filter?: Expression
  /** `text`, `set` and `cluster` fields, or `label:KEY`. */
  fields: string[]
  /** Values a field, default 20. */
  limit?: number
}
export interface Facet {
  field: string
  /** How many different values there are. */
  distinct: number
  values: { value: string; count: number }[]
}

export interface SumQuery {
  resource: string
  filter?: Expression
  /** A `text` or `cluster` field; absent: one group of everything, its value ''. */
  by?: string
  /** `count` and `number` columns. */
  fields: string[]
  /** Groups, default 1,000. */
  limit?: number
}
export interface GroupSum {
  /** '' for the rows that have none. */
  value: string
  count: number
  /** One for each field; absent values count nothing. */
  sums: number[]
}

export interface SearchQuery {
  /** At least one character; several words must all be found in the row. */
  text: string
  clusters?: string[]
  /** Rows a kind, default 5. */
  limit?: number
}
export interface SearchHits {
  total: number
  /** Kinds with hits, best first. */
  kinds: { resource: string; kind: string; total: number; rows: Row[]; columns: string[] }[]
  freshness: Freshness[]
}

export interface CompleteQuery {
  resource: string
  text: string
  cursor: number
}
export interface Completion {
  /** What replaces `from`..`to` of the text. */
  insert: string
  from: number
  to: number
  /** What it is, for the reader: a field's title, or how often a value occurs. */
  hint: string
}

export interface RowRef {
  resource: string
  cluster: string
  namespace: string
  name: string
}

export interface HavingQuery {
  resource: string
  cluster: string
  /** Absent: in all. */
  namespace?: string
  /** A `text` column. */
  field: string
  /** One of these, with regard to case. */
  values: readonly string[]
  /** Default 50, at most 1,000. */
  limit?: number
}
/** By namespace and name; `total` counts all. */
export interface HavingRows {
  total: number
  rows: Row[]
}

export interface View {
  /** Another after `move`, and when the reader's rights changed. */
  readonly id: number
  /** Moves the window; the listener gets a whole one. Throws QueryError. */
  move(offset: number, limit: number): void
  /** Asks for the whole window again. */
  resend(): void
  end(): void
}

/**
 * Gets what changed, at most ten times a second. The same bytes go to everybody who looks at the same. Never called
 * before `view`, `move` or `resend` has returned; never after `gone`.
 */
export interface ViewListener {
  /**
   * `frame` is a ViewFrame as JSON, `view` the View.id it belongs to. Answers whether it can take more; if not, it gets
   * nothing until `resend` is called, and then a whole window.
   */
  frame(frame: Uint8Array, view: number): boolean
}

/**
 * `whole`: everything in the window. `change`: what is different since the frame with the number before. `view` is
 * View.id, the same for all who look at the same window of the same list with the same rights.
 */
export type ViewFrame =
  | { type: 'whole'; view: number; number: number; page: Page }
  | {
      type: 'change'
      view: number
      number: number
      total: number
      /** Row ids of the window in order; absent: as before. */
      order?: number[]
      /** New or changed rows. */
      rows: Row[]
      /** Present when something of it changed, the age aside. */
      freshness?: Freshness[]
    }
  | { type: 'gone'; view: number; message: string }

export interface MirrorMetrics {
  objects: number
  bytes: number
  batches: number
  events: number
  /** Lists that had to be read again, by cause. */
  relists: Record<string, number>
  views: number
}

/** The query cannot be answered; `pointer` says which part of it (JSON pointer), the message what to do. */
export class QueryError extends Error {
  readonly pointer: string
  constructor(message: string, pointer: string) {
    super(message)
    this.pointer = pointer
  }
}
