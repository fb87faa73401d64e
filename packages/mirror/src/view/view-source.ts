import type { Freshness, ListQuery, Reader } from '../mirror.ts'

/** What live views need of the tables. */
export interface ViewSource {
  /** A list that is kept up to date until it is closed. `offset` and `limit` are passed over. Throws QueryError. */
  openList(query: ListQuery, reader: Reader): LiveList
}

/**
 * The rows that answer one query of one reader, in order, as they are now: every method answers for the present state of
 * the table, between ticks too. A list ends (is opened anew by the views) when its table is replaced.
 */
export interface LiveList {
  /** As in Page. */
  readonly resource: string
  readonly columns: string[]
  /** Another number whenever a row of the table changed, or what is known of its clusters. */
  version(): number
  total(): number
  /**
   * Of the rows that changed since the call before (or since the list was opened), all that are in the list now or were
   * before, and perhaps others; a row may be named several times. Undefined when any row may be.
   */
  touched(): ArrayLike<number> | undefined
  /** Another number whenever rows came, went or changed places. */
  places(): number
  /** Numbers of the rows from `offset` on, in order, at most `limit`. The array may be used again by the next call. */
  rows(offset: number, limit: number): ArrayLike<number>
  /** Whether this row is in the list. False for free rows. Called for every dirty row of every tick: tens of nanoseconds. */
  has(row: number): boolean
  /** Order of two rows of the list: negative when `a` comes first; never 0 for two different rows. */
  compare(a: number, b: number): number
  /** The Row as JSON; its `id` is the row's number. */
  rowJson(row: number): string
  /** As in Page. */
  freshness(): Freshness[]
  close(): void
}

/** What happened to one kind since the tick before. */
export interface TableChanges {
  resource: string
  /** Rows written, removed or used again, each at most once. */
  dirty: ArrayLike<number>
  /** What is known of some cluster changed, its age aside. */
  freshness: boolean
  /** The table is another one (or gone, or has come): nothing of what was known of its rows counts. */
  replaced: boolean
}
