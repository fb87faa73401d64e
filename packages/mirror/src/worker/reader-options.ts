/** What the reading thread is started with (workerData). */
export interface ReaderOptions {
  /** Annotations that are searched: exact keys, or beginnings that end in `*`. */
  searchedAnnotations: string[]
  /** Resources whose changes are not recorded as versions; absent: none are recorded. */
  unrecorded?: string[]
  /** Key of the digests that stand for values of Secrets in recorded versions. */
  digestKey?: Uint8Array
  timings?: Partial<Timings>
}

/** Patience, in milliseconds. Tests make it shorter. */
export interface Timings {
  /** Batches and states are handed over so often. */
  flush: number
  /** A watch without any event for so long is dead: it is begun anew. The API server sends a bookmark about every minute, for most kinds. */
  watchSilence: number
  /** A connection that does not answer a ping for so long is dead. */
  pingSilence: number
  /** A connection is pinged so often. */
  pingEvery: number
  /** For a connection to be made; when it is not, what is known counts as stale. Together with the two above 15 s. */
  connect: number
  /** For an answer to begin. */
  answer: number
  /** For the next byte of a list. */
  listSilence: number
  /** For a streaming list to come to its end, as long as nothing comes. */
  streamSilence: number
  /** A watch that ends sooner and has said nothing is no watch; it is tried again no sooner than after this. */
  quickEnd: number
  firstRetry: number
  longestRetry: number
  /** Between attempts to connect: a cluster that is back is read again within this. */
  longestReconnect: number
  /** A kind that may not be read is tried again after so long at the latest. */
  refusedRetry: number
  /** What a cluster serves is asked again so long after a CustomResourceDefinition or APIService changed. */
  rediscover: number
  /** What a cluster serves is asked again at least so often. */
  rediscoverAtLeast: number
}

export const TIMINGS: Timings = {
  flush: 50,
  watchSilence: 90_000,
  pingSilence: 6_000,
  pingEvery: 4_000,
  connect: 5_000,
  answer: 30_000,
  listSilence: 30_000,
  streamSilence: 15_000,
  quickEnd: 1_000,
  firstRetry: 250,
  longestRetry: 30_000,
  longestReconnect: 5_000,
  refusedRetry: 300_000,
  rediscover: 500,
  rediscoverAtLeast: 600_000,
}
