import type { KindSpec } from './kind.ts'

/**
 * What the reading thread tells the serving thread. Strings lie in shared memory and are only ever added, so an id that
 * has been told stays true; all other arrays are handed over (transferred).
 */
export type FromReader =
  | KindMessage
  | BatchMessage
  | StateMessage
  | DroppedMessage
  | ClusterMessage
  | VersionsMessage
  | ReaderNote
  | ReaderFailed

/** A table opens. Comes before its first batch. */
export interface KindMessage {
  type: 'kind'
  /** Number of the table; never used twice in the life of the reader. */
  table: number
  spec: KindSpec
  /**
   * The table it takes the place of once every cluster that is read has all its rows here, or after a minute: the columns
   * changed, or the old one held too many strings that nobody uses.
   */
  replaces?: number
}

/** Strings of one table by id; id 0 is ''. */
export interface StringsPart {
  /** UTF-8 of all strings, one after the other. Another, larger buffer from time to time; earlier ids stay true in it. */
  bytes: SharedArrayBuffer
  /** Uint32: where each string ends in `bytes`. String i begins where i-1 ends. */
  ends: SharedArrayBuffer
  count: number
}

/** Sets of one table by id; id 0 is the empty set. Same rules as StringsPart. */
export interface SetsPart {
  /** Uint32: string ids. */
  members: SharedArrayBuffer
  /** Uint32: where each set ends in `members`. */
  ends: SharedArrayBuffer
  count: number
}

/** Values of one column, one for each row of the batch, by ColumnType. */
export type ColumnPart =
  /** `text` and `set` (ids), `count`, `time`. */
  | { type: 'u32'; values: Uint32Array }
  | { type: 'f64'; values: Float64Array }
  /** `split`: id of the beginning, and eight bytes of the rest, filled up with zero bytes. */
  | { type: 'split'; prefixes: Uint32Array; suffixes: Uint8Array }

/** Changed rows of one table. A row number stands for one object until it is among `removed`; then it may be used again. */
export interface BatchMessage {
  type: 'batch'
  table: number
  strings: StringsPart
  sets: SetsPart
  /** Gone. Taken before `rows`: a number may be in both, when another object has it now. */
  removed: Uint32Array
  /** Written, each at most once. */
  rows: Uint32Array
  /** Number of the cluster of each row, as the serving thread gave it. */
  clusters: Uint16Array
  /** Four words a row. */
  uids: Uint32Array
  /** Resource version of each row. */
  revisions: Float64Array
  /** One for each of the kind's columns. */
  columns: ColumnPart[]
  /** The newest time, in milliseconds since 1970, at which the reader got something that is in here. */
  readTime: number
}

/** How well one kind of one cluster is known. Sent when it changes, and with each bookmark. */
export interface StateMessage {
  type: 'state'
  cluster: number
  table: number
  /** `syncing`: the list is not complete. `live`: the watch runs. `stale`: it does not; `message` says why. */
  state: 'syncing' | 'live' | 'stale'
  /** Complete up to this resource version; 0 while the first list is not complete. */
  revision: number
  /** While syncing: objects so far, and of how many where the server says so. */
  loaded: number
  expected?: number
  /** A sentence; '' when live. */
  message: string
  /** Milliseconds since 1970: last sign of life of the watch, bookmarks included. */
  heardTime: number
}

/** The cluster does not serve this kind any more; its rows are gone with the batches before. */
export interface DroppedMessage {
  type: 'dropped'
  cluster: number
  table: number
}

/** How well a whole cluster is known, whatever its kinds are; comes first, before it has any. */
export interface ClusterMessage {
  type: 'cluster'
  cluster: number
  /** `syncing`: what it serves is being asked. `stale`: it cannot be reached or refuses us; `message` says why. */
  state: 'syncing' | 'live' | 'stale'
  /** A sentence; '' when live. */
  message: string
  /** Milliseconds since 1970: last sign of life; 0 when there was none. */
  heardTime: number
}

/** Why a list had to be read again, or the watch begun anew, though the server had not ended it. */
export type RelistCause =
  /** The revision is too old for the server (410). */
  | 'expired'
  /** The server said in the watch that it cannot go on. */
  | 'error-frame'
  /** A frame or an item that is not what it should be: cut, corrupted, not UTF-8, too long. */
  | 'unreadable'
  /** The server's revisions went backwards: its store was restored from a backup. */
  | 'backwards'
  /** The streaming list did not come to its end in time. */
  | 'stream-unfinished'
  /** Nothing came for so long that the watch counts as dead. It goes on from where it was. */
  | 'silent'
  /** The table was replaced. */
  | 'table-replaced'

/** A line for the log. */
export interface ReaderNote {
  type: 'note'
  level: 'info' | 'warn'
  cluster: number
  /** '' when it is about the whole cluster. */
  resource: string
  /** '' when it is only to be counted. */
  message: string
  /** To be counted. */
  relist?: RelistCause
}

/** Objects whose specification changed, for the record of versions. */
export interface VersionsMessage {
  type: 'versions'
  cluster: number
  resource: string
  versions: ObjectChange[]
}

/** One state of one object. */
export interface ObjectChange {
  change: 'listed' | 'added' | 'changed' | 'deleted'
  namespace: string
  name: string
  uid: string
  generation: number
  revision: string
  /** Milliseconds since 1970: when the reader got it. */
  time: number
  /** Field manager of the newest entry in managedFields, and its time (RFC 3339); '' where there is none. */
  manager: string
  managedTime: string
  /** JSON without status, managedFields and resourceVersion; values of Secrets are digests. '' when deleted. */
  content: string
}

/** The reader cannot go on; a new one is started. */
export interface ReaderFailed {
  type: 'failed'
  message: string
}

/** What the serving thread tells the reading thread. */
export type ToReader = WatchCluster | ForgetCluster | Restore | Unrecorded | { type: 'close' }

/** From here on changes of all resources but these are recorded. */
export interface Unrecorded {
  type: 'unrecorded'
  resources: string[]
}

/** Reads a cluster; again with another kubeconfig: reads it with that one. */
export interface WatchCluster {
  type: 'watch'
  cluster: number
  name: string
  kubeconfig: string
  context?: string
  allowPlugin?: boolean
}

/** Ends the reading; its rows are removed. */
export interface ForgetCluster {
  type: 'forget'
  cluster: number
}

/** Rows of a snapshot, sent before the clusters are watched: the reader goes on from `revisions` instead of listing. */
export interface Restore {
  type: 'restore'
  table: number
  spec: KindSpec
  strings: StringsPart
  sets: SetsPart
  /** Number of row slots; `clusters` is 0xffff where a slot is free. */
  slots: number
  clusters: Uint16Array
  uids: Uint32Array
  revisions: Float64Array
  /** Where each cluster's reading stood. */
  stood: { cluster: number; revision: number }[]
}

/** Cluster number of a free row. */
export const NO_CLUSTER = 0xffff
