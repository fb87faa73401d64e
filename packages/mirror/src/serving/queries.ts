import type { Expression } from '../expression.ts'
import {
  type CompleteQuery,
  type Completion,
  EVERYTHING,
  type Facet,
  type FacetQuery,
  type GroupSum,
  type HavingQuery,
  type HavingRows,
  type ListQuery,
  type Page,
  QueryError,
  type Reader,
  type Row,
  type RowRef,
  type SearchHits,
  type SearchQuery,
  type SumQuery,
} from '../mirror.ts'
import { completeFilter } from '../query/complete-filter.ts'
import type { Result } from '../table/filter/filters.ts'
import { folded } from '../table/filter/string-test.ts'
import { countsOf, facetOf, labelKeys, sumsOf } from '../table/read/facets.ts'
import { findRow } from '../table/read/find.ts'
import { cellOf, type Projection } from '../table/read/projection.ts'
import { searchTable, wordsOfSearch } from '../table/read/search.ts'
import type { Clusters } from './clusters.ts'
import { clusterStates, freshness } from './freshness.ts'
import type { Kinds } from './kinds.ts'
import type { OpenTable } from './open-table.ts'

const MOST_ROWS = 1_000
const ROWS = 50
const COMMA = Buffer.from(',')
/** Kinds that are looked for most often, in the order in which hits are shown. */
const FIRST_KINDS = [
  'deployments.apps',
  'statefulsets.apps',
  'daemonsets.apps',
  'cronjobs.batch',
  'jobs.batch',
  'pods',
  'services',
  'ingresses.networking.k8s.io',
  'nodes',
  'namespaces',
  'configmaps',
  'secrets',
  'persistentvolumeclaims',
]
const LAST_KINDS = ['replicasets.apps', 'endpointslices.discovery.k8s.io', 'leases.coordination.k8s.io', 'events']

/** The page that answers a query. */
interface Answer {
  open: OpenTable
  result: Result
  projection: Projection
  rows: Uint32Array
  offset: number
}

/** Answers queries from the tables. */
export class Queries {
  readonly #kinds: Kinds
  readonly #clusters: Clusters
  readonly #now: () => number

  constructor(kinds: Kinds, clusters: Clusters, now: () => number) {
    this.#kinds = kinds
    this.#clusters = clusters
    this.#now = now
  }

  /** Throws QueryError. */
  table(resource: string): OpenTable {
    const open = this.#kinds.find(resource)
    if (!open) throw new QueryError(`No cluster serves ${resource}.`, '/resource')
    return open
  }

  #answer(query: ListQuery, reader: Reader): Answer {
    const { offset = 0, limit = ROWS } = query
    if (!Number.isSafeInteger(offset) || offset < 0)
      throw new QueryError('The offset has to be a whole number from 0.', '/offset')
    checkLimit(limit)
    const open = this.table(query.resource)
    const { lists } = open
    const result = lists.result(query.filter, reader)
    const rows = lists.rows(result, lists.order(query.sort), offset, limit)
    return { open, result, projection: lists.projection(query.columns), rows, offset }
  }

  freshness(open: OpenTable, filter: Expression | undefined, reader: Reader) {
    return freshness(this.#clusters, open, filter, reader, this.#now())
  }

  list(query: ListQuery, reader: Reader): Page {
    const { open, result, projection, rows, offset } = this.#answer(query, reader)
    return {
      resource: open.resource,
      columns: projection.columns,
      total: result.count,
      offset,
      rows: Array.from(rows, (row) => projection.row(row)),
      freshness: this.freshness(open, query.filter, reader),
    }
  }

  listJson(query: ListQuery, reader: Reader): Uint8Array {
    const { open, result, projection, rows, offset } = this.#answer(query, reader)
    const names = `"resource":${JSON.stringify(open.resource)},"columns":${JSON.stringify(projection.columns)}`
    const parts: Buffer[] = [Buffer.from(`{${names},"total":${result.count},"offset":${offset},"rows":[`)]
    for (let at = 0; at < rows.length; at += 1) {
      if (at > 0) parts.push(COMMA)
      parts.push(projection.jsonBytes(rows[at] as number))
    }
    parts.push(Buffer.from(`],"freshness":${JSON.stringify(this.freshness(open, query.filter, reader))}}`))
    return Buffer.concat(parts)
  }

  facets(query: FacetQuery, reader: Reader): Facet[] {
    const { limit = 20 } = query
    checkLimit(limit)
    const { lists, table } = this.table(query.resource)
    const result = lists.result(query.filter, reader)
    return query.fields.map((field) => facetOf(table, this.#clusters, result, field, limit))
  }

  sums(query: SumQuery, reader: Reader): GroupSum[] {
    const { lists, table } = this.table(query.resource)
    const result = lists.result(query.filter, reader)
    return sumsOf(table, this.#clusters, result, query.by, query.fields).slice(0, query.limit ?? 1_000)
  }

  search(query: SearchQuery, reader: Reader): SearchHits {
    const words = wordsOfSearch(query.text)
    if (words.length === 0) throw new QueryError('A search needs at least one character.', '/text')
    const limit = Math.min(query.limit ?? 5, MOST_ROWS)
    const found = this.#kinds.served().flatMap((open) => {
      if (open.table.count === 0) return []
      const hits = searchTable(open.lists, words, query.clusters, reader, limit)
      return hits.total > 0 ? [{ open, hits }] : []
    })
    found.sort((a, b) => a.hits.best - b.hits.best || compareKinds(a.open.resource, b.open.resource))
    const states = clusterStates(this.#clusters, this.#kinds, this.#now(), reader)
    return {
      total: found.reduce((sum, { hits }) => sum + hits.total, 0),
      kinds: found.map(({ open, hits }) => {
        const { resource, kind, columns } = open.table.spec
        const projection = open.lists.projection(columns.filter(({ wide }) => !wide).map(({ name }) => name))
        const rows = hits.rows.map((row): Row => projection.row(row))
        return { resource, kind, total: hits.total, rows, columns: projection.columns }
      }),
      freshness: states
        .filter(({ cluster }) => !query.clusters || query.clusters.includes(cluster))
        .map(({ objects: _objects, kinds: _kinds, ...fresh }) => fresh),
    }
  }

  complete(query: CompleteQuery, reader: Reader): Completion[] {
    const open = this.table(query.resource)
    const { table, lists } = open
    return completeFilter(query.text, query.cursor, table.spec, {
      values: (field, typed, limit) => this.#values(open, field, typed, limit, reader),
      labelKeys: (typed, limit) =>
        labelKeys(table, lists.result(undefined, reader), (key) => folded(key).includes(folded(typed)), limit),
    })
  }

  /** Values of a field that contain what is typed; those that begin with it first, then the most frequent ones. */
  #values(open: OpenTable, field: string, typed: string, limit: number, reader: Reader) {
    const { table, lists } = open
    const wanted = folded(typed)
    const column = table.column(field)
    if (column?.type === 'split') {
      const result = lists.result({ field, op: '~', values: [typed] }, reader)
      const order = lists.order([{ field }])
      const texts = Array.from(lists.rows(result, order, 0, limit * 10), (row) =>
        String(cellOf(table, column, row) ?? ''),
      )
      return beginnersFirst(
        [...new Set(texts)].filter(Boolean).map((value) => ({ value, count: 1 })),
        wanted,
      ).slice(0, limit)
    }
    const result = lists.result(undefined, reader)
    const counted = countsOf(table, this.#clusters, result, field, (value) => folded(value).includes(wanted))
    return beginnersFirst(
      counted.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1)),
      wanted,
    ).slice(0, limit)
  }

  /** Rows that hold a value, by an index: others are not looked at. */
  having(query: HavingQuery, reader: Reader): HavingRows {
    const { lists, table } = this.table(query.resource)
    const { limit = ROWS } = query
    checkLimit(limit)
    const cluster = this.#clusters.find(query.cluster)?.number
    const rights = reader === EVERYTHING ? undefined : lists.filters.rights(reader)
    const namespaces = table.column('namespace')
    const isHere = (row: number) =>
      table.clusters[row] === cluster &&
      (query.namespace === undefined ||
        (namespaces && String(cellOf(table, namespaces, row) ?? '') === query.namespace)) &&
      (!rights || rights.sees(row))
    const rows = lists.index(query.field).rows(query.values).filter(isHere)
    const shown = rows.sort(lists.compare).slice(0, limit)
    const projection = lists.projection(undefined)
    return { total: rows.length, rows: shown.map((row) => projection.row(row)) }
  }

  find(ref: RowRef, reader: Reader): Row | undefined {
    const open = this.#kinds.find(ref.resource)
    if (!open) return undefined
    const { cluster, namespace, name } = ref
    const row = findRow(open.lists, { cluster, namespace, name }, (number) => this.#clusters.name(number))
    if (row === undefined || (reader !== EVERYTHING && !open.lists.filters.rights(reader).sees(row))) return undefined
    return open.lists.projection(undefined).row(row)
  }
}

function checkLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MOST_ROWS)
    throw new QueryError(`The limit has to be a whole number from 1 to ${MOST_ROWS}.`, '/limit')
}

const beginnersFirst = <T extends { value: string }>(values: T[], wanted: string): T[] => {
  const begins = ({ value }: T) => folded(value).startsWith(wanted)
  return [...values.filter(begins), ...values.filter((value) => !begins(value))]
}

function compareKinds(a: string, b: string): number {
  return placeOf(a) - placeOf(b) || (a < b ? -1 : 1)
}

function placeOf(resource: string): number {
  const first = FIRST_KINDS.indexOf(resource)
  if (first >= 0) return first
  const last = LAST_KINDS.indexOf(resource)
  return last >= 0 ? 1_000 + last : 100
}
