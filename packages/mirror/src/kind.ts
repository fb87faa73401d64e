/**
 * How a column's values are kept.
 * - `text`: a string of few different values, kept once; absent is ''.
 * - `split`: a string of many different values that share beginnings (names, addresses): the beginning is kept once, the
 *   last part of at most eight bytes beside the row; absent is ''.
 * - `count`: a whole number from 0 to 4,294,967,294; absent is `NO_COUNT`.
 * - `number`: a double; absent is NaN.
 * - `time`: whole seconds since 1970; absent is 0.
 * - `set`: several strings in order, each combination kept once; absent is the empty one.
 */
export type ColumnType = 'text' | 'split' | 'count' | 'number' | 'time' | 'set'

/** What `count` columns hold where there is no value. */
export const NO_COUNT = 0xffff_ffff

/** One column of a kind's rows. */
export interface ColumnSpec {
  /** As filters and sorts name it: camelCase, unique within the kind. */
  name: string
  /** English heading. */
  title: string
  type: ColumnType
  /** Of `count` and `number`. A quantity's value is in the whole unit: cores, bytes. */
  unit?: 'bytes' | 'cores' | 'seconds'
  /** Free text finds it. */
  searched?: true
  /** Shown only when asked for. */
  wide?: true
  /** One sentence for the reader. */
  description?: string
}

/** One kind of object, with the columns of its rows. */
export interface KindSpec {
  /** As in RBAC and on the command line: `pods`, `deployments.apps`. Unique. */
  resource: string
  group: string
  /** The version that is read. */
  version: string
  kind: string
  plural: string
  shortNames: string[]
  namespaced: boolean
  /** Defined by a CustomResourceDefinition or an aggregated API server. */
  custom: boolean
  /** Those of COMMON_COLUMNS first, in that order. */
  columns: ColumnSpec[]
}

/** Every kind has these first. What is not among them is the row's cluster, uid and resource version. */
export const COMMON_COLUMNS: readonly ColumnSpec[] = [
  { name: 'namespace', title: 'Namespace', type: 'text', searched: true },
  { name: 'name', title: 'Name', type: 'split', searched: true },
  { name: 'created', title: 'Created', type: 'time' },
  { name: 'deleted', title: 'Deletion asked for', type: 'time', wide: true },
  { name: 'generation', title: 'Generation', type: 'count', wide: true },
  { name: 'labels', title: 'Labels', type: 'set', searched: true, wide: true, description: 'Members: key=value' },
  {
    name: 'annotations',
    title: 'Annotations',
    type: 'set',
    searched: true,
    wide: true,
    description: 'Members: key=value; only annotations that were chosen to be searched',
  },
  { name: 'owner', title: 'Owner', type: 'text', wide: true, description: 'Kind/name of the controlling owner' },
  { name: 'application', title: 'Application', type: 'text', searched: true },
]

/** Resource of a kind as RBAC and the command line say it. */
export const resourceOf = (plural: string, group: string): string => (group === '' ? plural : `${plural}.${group}`)
