import type { Freshness, ObjectColumn, ObjectKind, ObjectRow } from '../object/object.contract.ts'

/** Which object of which kind; `namespace` is '' for what belongs to none. */
export interface ObjectRef {
  resource: string
  cluster: string
  namespace: string
  name: string
}

/** Which object a row of a list is. */
export function refOf(
  resource: string,
  columns: readonly string[],
  row: Pick<ObjectRow, 'cluster' | 'values'>,
): ObjectRef {
  const value = (name: string) => String(row.values[columns.indexOf(name)] ?? '')
  return { resource, cluster: row.cluster, namespace: value('namespace'), name: value('name') }
}

/** The column that says how many there should be where `ready` says how many are. */
export const wholeOfReady = (columns: readonly string[]): string =>
  columns.find((name) => name === 'containers') ?? columns.find((name) => name === 'replicas') ?? ''

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

/** Columns that are shown unless others are asked for, where a kind has more than fit beside each other. */
const OWN: Record<string, readonly string[]> = {
  pods: ['name', 'namespace', 'status', 'ready', 'restarts', 'node', 'application', 'created', 'cluster'],
  nodes: ['name', 'status', 'roles', 'zone', 'version', 'address', 'cpu', 'memory', 'conditions', 'created', 'cluster'],
  events: ['last', 'type', 'reason', 'object', 'message', 'count', 'namespace', 'cluster'],
}
/** More are not shown at once unless asked for. */
const FIT = 9

/** The columns that are shown, in order: those asked for, else the kind's own. */
export function shownColumns(
  all: readonly ObjectColumn[],
  asked: readonly string[] | undefined,
  resource = '',
): ObjectColumn[] {
  const named = (names: readonly string[]) => names.flatMap((name) => all.filter((column) => column.name === name))
  const found = named(asked ?? [])
  if (found.length > 0) return found
  const plain = all.filter((column) => !column.wide)
  const own = OWN[resource]
  if (own) return named(own).filter((column) => !column.wide)
  // Of many the last ones give way; age and cluster stay at the end.
  const end = plain.filter(({ name }) => name === 'created' || name === 'cluster')
  const others = plain.filter((column) => !end.includes(column))
  return [...others.slice(0, FIT - end.length), ...end]
}

/** What a list is ordered by when the address does not say. */
export const ownSort = (resource: string): ExploreView['sort'] =>
  resource === 'events' ? [{ field: 'last', descending: true }] : []

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
  // Where there is a status, the phase says less.
  return names
    .filter((name) => place(name) >= 0 && !(name === 'phase' && names.includes('status')))
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

/** Objects by cluster and namespace, at most so many together: what one request can delete. */
export function deletionGroups<Ref extends ObjectRef>(
  objects: readonly Ref[],
  most: number,
): { cluster: string; namespace: string; objects: Ref[] }[] {
  const groups: { cluster: string; namespace: string; objects: Ref[] }[] = []
  for (const object of objects) {
    const { cluster, namespace } = object
    const group = groups.find(
      (one) => one.cluster === cluster && one.namespace === namespace && one.objects.length < most,
    )
    if (group) group.objects.push(object)
    else groups.push({ cluster, namespace, objects: [object] })
  }
  return groups
}
