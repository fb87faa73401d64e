export type { ObjectChange } from './batch.ts'
export type { Expression, SortKey } from './expression.ts'
export { COMMON_COLUMNS, type ColumnSpec, type ColumnType, type KindSpec, NO_COUNT, resourceOf } from './kind.ts'
export {
  type ClusterState,
  type Completion,
  EVERYTHING,
  type Facet,
  type Freshness,
  type HavingQuery,
  type HavingRows,
  type ListQuery,
  type Mirror,
  type MirroredCluster,
  type MirrorMetrics,
  type MirrorOptions,
  type Page,
  QueryError,
  type Reader,
  type Row,
  type SearchHits,
  type Value,
  type View,
  type ViewFrame,
  type ViewListener,
} from './mirror.ts'
export { openMirror } from './open-mirror.ts'
export { FilterError } from './query/filter-error.ts'
export { parseFilter } from './query/filter-text.ts'
export { printFilter } from './query/print-filter.ts'
export { parseSort } from './query/sort-text.ts'
export { readSnapshot, type Snapshot } from './snapshot/snapshots.ts'
