import type { ColumnPart, SetsPart, StringsPart } from '../batch.ts'
import type { KindSpec } from '../kind.ts'

/** What is written of the mirror. */
export interface SnapshotSource {
  /** Every table, without those that are being replaced. */
  tables(): SnapshotTable[]
  /** Name and registration (MirroredCluster.revision) of a cluster; undefined when it has been forgotten. */
  cluster(number: number): { name: string; registration: string } | undefined
}

/** One table as a snapshot sees it. */
export interface SnapshotTable {
  /** Another number for each table. */
  readonly table: number
  readonly spec: KindSpec
  /** Another number whenever a row changed. */
  version(): number
  /** The arrays as they are; after the next batch they may be others. */
  arrays(): TableArrays
  /** Where each cluster's reading stands; without those whose first list is not complete. */
  stood(): { cluster: number; revision: number }[]
  /** From now on keeps in mind which rows are written or removed. */
  track(): RowTracker
}

/** Rows that changed since `track`; a row may be named several times. */
export interface RowTracker {
  readonly rows: readonly ArrayLike<number>[]
  end(): void
}

/** Values of the rows 0 to slots-1 (arrays may be longer). `clusters` is NO_CLUSTER where a row is free. */
export interface TableArrays {
  strings: StringsPart
  sets: SetsPart
  slots: number
  clusters: Uint16Array
  /** Four words a row. */
  uids: Uint32Array
  revisions: Float64Array
  columns: ColumnPart[]
}

/** One table as it was read from disk: exactly as long as `slots`, and with the numbers clusters have now. */
export interface RestoredTable extends TableArrays {
  spec: KindSpec
  stood: { cluster: number; revision: number }[]
}
