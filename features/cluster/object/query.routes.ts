import { invalidInput, type KubeRef, type Subject } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import type { Expression, KindSpec, ListQuery, Mirror, parseFilter, parseSort, QueryError } from '@quarterdeck/mirror'
import type { ObjectReader } from '../access/access.contract.ts'
import { unknownKind } from './object.contract.ts'

/** The mirror and the readers of its texts. They are loaded once the store is open, so that the page is there before. */
export interface OpenedMirror {
  mirror: Mirror
  parseFilter: typeof parseFilter
  parseSort: typeof parseSort
}

/** What the doors to the mirror are given. */
export interface MirrorParts {
  /** Throws storeUnavailable while it is not open yet. */
  opened(): OpenedMirror
  /** What a subject may see of the clusters. */
  readerOf(subject: Subject): ObjectReader
}

/** The same with the clusters themselves. */
export interface ObjectParts extends MirrorParts {
  /** Throws notFound for a cluster that is not registered. */
  clusterOf(name: string): Promise<Cluster>
  /** The cluster as this subject: its API server judges what they read. Throws notFound, too. */
  clusterAs(subject: Subject, name: string): Promise<Cluster>
}

/** By resource, plural, kind or short name, of those that may be listed. Throws unknownKind with what comes near. */
export function kindNamed({ mirror }: OpenedMirror, reader: ObjectReader, name: string, pointer: string): KindSpec {
  const kind = mirror.kind(name, reader)
  if (kind) return kind
  const wanted = name.toLowerCase()
  const near = mirror
    .kinds(reader)
    .filter((one) => one.resource.includes(wanted) || wanted.startsWith(one.kind.toLowerCase()))
    .slice(0, 5)
    .map(({ resource }) => resource)
  const unread = mirror.clusters(reader).filter(({ state }) => state === 'unknown' || state === 'syncing')
  const detail = [
    `No cluster serves a kind ${name}, or you may not list it.`,
    near.length > 0 ? `Did you mean ${near.join(', ')}?` : 'qd kinds lists those there are.',
    ...(unread.length > 0 ? [`Not all is read yet of ${unread.map(({ cluster }) => cluster).join(', ')}.`] : []),
  ].join(' ')
  throw unknownKind({ detail, errors: [{ pointer, detail }] })
}

/** A list as it is asked for in text. */
export interface AskedList {
  cluster?: string | undefined
  namespace?: string | undefined
  filter?: string | undefined
  sort?: string | undefined
  offset?: number
  limit?: number
  columns?: string[] | undefined
}

/** The same for the mirror. Throws QueryError. */
export function listQuery(opened: OpenedMirror, kind: KindSpec, asked: AskedList): ListQuery {
  const { sort, offset, limit, columns } = asked
  const filter = [...placeOf(asked), ...allOf(opened, kind, asked.filter)]
  return {
    resource: kind.resource,
    ...(filter[1] ? { filter: { all: filter } } : filter[0] ? { filter: filter[0] } : {}),
    ...(sort ? { sort: opened.parseSort(sort, kind) } : {}),
    ...(offset === undefined ? {} : { offset }),
    ...(limit === undefined ? {} : { limit }),
    ...(columns === undefined ? {} : { columns }),
  }
}

const placeOf = ({ cluster, namespace }: AskedList): Expression[] => [
  ...(cluster === undefined ? [] : [{ field: 'cluster', op: '=' as const, values: [cluster] }]),
  ...(namespace === undefined ? [] : [{ field: 'namespace', op: '=' as const, values: [namespace] }]),
]

function allOf(opened: OpenedMirror, kind: KindSpec, text: string | undefined): Expression[] {
  const { filter } = filterOf(opened, kind, text)
  return filter === undefined ? [] : 'all' in filter ? filter.all : [filter]
}

/** A filter text for the mirror; nothing when it is empty. Throws QueryError. */
export function filterOf(opened: OpenedMirror, kind: KindSpec, text: string | undefined): Pick<ListQuery, 'filter'> {
  const filter = text ? opened.parseFilter(text, kind) : undefined
  return filter === undefined ? {} : { filter }
}

/** Whether the mirror says that a query cannot be answered. Its class is not loaded here. */
export const isQueryError = (error: unknown): error is QueryError =>
  error instanceof Error && typeof (error as { pointer?: unknown }).pointer === 'string'

/** Runs a query of an endpoint; what is wrong with it becomes the problem invalid-input at the field of the request. */
export function answered<T>(query: () => T): T {
  try {
    return query()
  } catch (error) {
    if (!isQueryError(error)) throw error
    const pointer = error.pointer === '/resource' ? '/params/resource' : `/query${error.pointer}`
    throw invalidInput({
      detail: `${pointer}: ${error.message}`,
      errors: [{ pointer, detail: error.message }],
    })
  }
}

/** How the API server is asked for an object of a kind. */
export const refOfKind = (
  { group, version, kind }: KindSpec,
  { namespace, name }: { namespace: string; name: string },
): KubeRef => ({
  apiVersion: group === '' ? version : `${group}/${version}`,
  kind,
  ...(namespace === '' ? {} : { namespace }),
  name,
})

/** Throws invalidInput at `pointer` when a namespace is missing, or given where the kind has none. */
export function checkNamespace({ kind, namespaced }: KindSpec, namespace: string, pointer: string): void {
  if (namespaced === (namespace !== '')) return
  const detail = namespaced ? `In which namespace is the ${kind}?` : `A ${kind} belongs to no namespace: leave it out`
  throw invalidInput({ detail: `${pointer}: ${detail}`, errors: [{ pointer, detail }] })
}
