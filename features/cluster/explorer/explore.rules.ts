import type { Freshness, ObjectColumn, ObjectKind } from '../object/object.contract.ts'

/** Which object of which kind; `namespace` is '' for what belongs to none. */
export interface ObjectRef {
  resource: string
  cluster: string
  namespace: string
  name: string
}

/** What one looks at: the part of the address behind the question mark. */
export interface ExploreView {
  filter: string
  sort: { field: string; descending?: boolean }[]
  /** Names of the columns that are shown, in order; undefined: the kind's own. */
  columns: string[] | undefined
  /** Which tab of the details is open; '' for the first. */
  tab?: string
}

/** Stands for the namespace of what belongs to none; no namespace may be called so. */
const NO_NAMESPACE = '-'

/** The page of one object, beside its list. */
export function objectPath({ resource, cluster, namespace, name }: ObjectRef, search = ''): string {
  const parts = [resource, cluster, namespace === '' ? NO_NAMESPACE : namespace, name].map(encodeURIComponent)
  return `/explore/${parts.join('/')}${search}`
}
/** The namespace that a part of the address stands for. */
export const namespaceOfPath = (part: string): string => (part === NO_NAMESPACE ? '' : part)

/** The list of a kind, filtered. */
export const listPath = (resource: string, view: Partial<ExploreView> = {}): string =>
  `/explore/${encodeURIComponent(resource)}${viewSearch({ filter: '', sort: [], columns: undefined, ...view })}`

/** `-restarts,name` and back. */
export const sortText = (sort: ExploreView['sort']): string =>
  sort.map(({ field, descending }) => (descending ? `-${field}` : field)).join(',')
const sortOf = (text: string): ExploreView['sort'] =>
  text
    .split(',')
    .filter((word) => word !== '' && word !== '-')
    .map((word) => (word.startsWith('-') ? { field: word.slice(1), descending: true } : { field: word }))

/** What an address shows. */
export function viewOf(search: { get: (name: string) => string | null }): ExploreView {
  const columns = search.get('columns')?.split(',').filter(Boolean)
  return {
    filter: search.get('filter') ?? '',
    sort: sortOf(search.get('sort') ?? ''),
    columns: columns && columns.length > 0 ? columns : undefined,
    ...(search.get('tab') ? { tab: search.get('tab') ?? '' } : {}),
  }
}
/** The part of the address, from the question mark on; '' when it says nothing. */
export function viewSearch({ filter, sort, columns, tab = '' }: ExploreView): string {
  const said = Object.entries({ filter, sort: sortText(sort), columns: columns?.join(',') ?? '', tab })
  const text = said
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&')
  return text === '' ? '' : `?${text}`
}

/** `cluster` is a field of every kind. */
export const CLUSTER: ObjectColumn = { name: 'cluster', title: 'Cluster', type: 'text' }

/** All columns that can be shown: cluster and name first. */
export function allColumns(kind: ObjectKind, clusters: number): ObjectColumn[] {
  const others = kind.columns.filter(({ name }) => name !== 'name' && name !== 'created')
  const find = (name: string) => kind.columns.filter((column) => column.name === name)
  const cluster: ObjectColumn = clusters > 1 ? CLUSTER : { ...CLUSTER, wide: true }
  return [
    ...find('name'),
    ...others.filter(({ name }) => name !== 'namespace' || kind.namespaced),
    ...find('created'),
    cluster,
  ]
}

/** The columns that are shown, in order: those asked for, else those that are not only for the asking. */
export function shownColumns(all: readonly ObjectColumn[], asked: readonly string[] | undefined): ObjectColumn[] {
  const found = asked?.flatMap((name) => all.filter((column) => column.name === name)) ?? []
  return found.length > 0 ? found : all.filter((column) => !column.wide)
}

/** Fields whose values are counted beside the list, the most telling first. */
const TELLING = [
  'status',
  'phase',
  'type',
  'reason',
  'cluster',
  'namespace',
  'application',
  'node',
  'zone',
  'owner',
  'class',
  'kind',
]
/** Fields to count of a kind, at most seven. */
export function countedFields(kind: ObjectKind, clusters: number): string[] {
  const text = kind.columns.filter(({ type }) => type === 'text').map(({ name }) => name)
  const names = [...text, ...(clusters > 1 ? ['cluster'] : [])].filter(
    (name) => name !== 'namespace' || kind.namespaced,
  )
  const place = (name: string) => TELLING.indexOf(name)
  return names
    .filter((name) => place(name) >= 0)
    .sort((one, other) => place(one) - place(other))
    .slice(0, 7)
}

/** What a list as a whole is known by: the worst of its clusters. */
export interface Trust {
  state: Freshness['state']
  /** While syncing: of 100, over all clusters. */
  percent: number | undefined
  stale: Freshness[]
}
/** How far the rows of a list can be trusted. Clusters that do not serve the kind do not count. */
export function trustIn(freshness: readonly Freshness[]): Trust {
  const known = freshness.filter(({ state }) => state !== 'unknown')
  const syncing = known.filter(({ state }) => state === 'syncing')
  const stale = known.filter(({ state }) => state === 'stale')
  const least = Math.min(...syncing.map(({ percent }) => percent ?? 0))
  return {
    state: stale.length > 0 ? 'stale' : syncing.length > 0 ? 'syncing' : known.length > 0 ? 'live' : 'unknown',
    percent: syncing.length > 0 ? Math.floor(least) : undefined,
    stale,
  }
}
