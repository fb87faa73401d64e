import type { Expression, SortKey } from '../../expression.ts'
import { QueryError, type Reader } from '../../mirror.ts'
import { rowsOfBits } from '../bitmap.ts'
import type { Budget, Kept } from '../budget.ts'
import type { Column } from '../column.ts'
import { Filters, type Result } from '../filter/filters.ts'
import type { ClusterRanks } from '../order/compare.ts'
import { Order } from '../order/order.ts'
import type { Table } from '../table.ts'
import { Projection } from './projection.ts'
import { ValueIndex } from './value-index.ts'

/** Fewer rows than this are sorted by comparing; more are picked out of the whole order. */
const FEW = 64
/** A page is looked for from the nearer end of the order when it is probably not farther than this. */
const NEAR = 12_000

/** Matching rows in order, as they were at two versions. */
interface Sorted extends Kept {
  rows: Uint32Array
  result: number
  order: number
}

/** Filters, orders and pages of one table. */
export class Lists {
  readonly table: Table
  readonly filters: Filters
  readonly #clusters: ClusterRanks
  readonly #budget: Budget
  readonly #base: Order
  readonly #key: string

  /** `key`: another for each table. */
  constructor(table: Table, clusters: ClusterRanks, budget: Budget, nowSeconds: () => number, key: string) {
    this.table = table
    this.#clusters = clusters
    this.#budget = budget
    this.#key = key
    this.filters = new Filters(table, clusters, budget, nowSeconds, key)
    this.#base = new Order(table, clusters, [])
  }

  /** Drops all that is kept; the table is not used any more. */
  end(): void {
    this.#budget.forget(this.#key)
  }

  /** Drops what was worked out for readers. */
  forgetReaders(): void {
    this.#budget.forget(`${this.#key}reader `)
    this.#budget.forget(`${this.#key}result `)
  }

  get bytes(): number {
    return this.#base.bytes
  }

  /** Throws QueryError. */
  result(filter: Expression | undefined, reader: Reader): Result {
    return this.filters.result(filter, reader)
  }

  /** Throws QueryError. Absent: namespace, name, cluster. */
  order(sort: readonly SortKey[] | undefined): Order {
    if (!sort || isBase(sort)) return this.#base.refresh()
    if (sort.length > 8) throw new QueryError('A list can be sorted by at most 8 columns.', '/sort')
    const key = sort.map(({ field, descending }) => (descending ? '-' : '+') + field).join(' ')
    return this.#budget
      .use(`${this.#key}order ${key}`, () => new Order(this.table, this.#clusters, sort, this.#base))
      .refresh()
  }

  /** Of two rows, by namespace, name and cluster. */
  get compare(): Order['compare'] {
    return this.#base.compare
  }

  /** Of a `text` column. Throws QueryError. */
  index(field: string): ValueIndex {
    const column = this.#column(field)
    if (column.type !== 'text')
      throw new QueryError(
        `"${field}" of ${this.table.spec.plural} is ${column.type}: only text has an index.`,
        '/field',
      )
    return this.#budget.use(`${this.#key}index ${field}`, () => new ValueIndex(this.table, column))
  }

  /** Throws QueryError. Absent: all columns. */
  projection(columns: readonly string[] | undefined): Projection {
    const key = columns ? JSON.stringify(columns) : ''
    return this.#budget.use(`${this.#key}rows ${key}`, () => {
      const chosen = columns ? columns.map((name) => this.#column(name)) : this.table.columns
      return new Projection(this.table, this.#clusters, chosen)
    })
  }

  #column(name: string): Column {
    const column = this.table.column(name)
    if (column) return column
    const names = this.table.spec.columns.map((spec) => spec.name).join(', ')
    throw new QueryError(`${this.table.spec.plural} have no column "${name}"; there are ${names}.`, '/columns')
  }

  /** Rows from `offset` on, in order, at most `limit`. The array may be a part of what is kept: it is not to be changed. */
  rows(result: Result, order: Order, offset: number, limit: number): Uint32Array {
    const { count } = result
    if (offset >= count) return new Uint32Array(0)
    const end = Math.min(count, offset + limit)
    if (count === order.length) return order.rows.subarray(offset, end)
    const near = Math.min(end, count - offset)
    if (count > FEW && (near * order.length) / count <= NEAR)
      return end <= count - offset ? fromStart(result, order, offset, end) : fromEnd(result, order, offset, end)
    return this.#sorted(result, order).subarray(offset, end)
  }

  #sorted(result: Result, order: Order): Uint32Array {
    const key = `${this.#key}sorted ${identity(result)} ${identity(order)}`
    const make = (): Sorted => {
      const rows = inOrder(result, order, this.table.words)
      return { rows, result: result.version, order: order.version, bytes: rows.byteLength + 200 }
    }
    const kept = this.#budget.use(key, make)
    if (kept.result === result.version && kept.order === order.version) return kept.rows
    this.#budget.forget(key)
    return this.#budget.use(key, make).rows
  }
}

/** What is the same as sorting by nothing. */
const isBase = (sort: readonly SortKey[]): boolean =>
  sort.every(({ field, descending }, at) => field === ['namespace', 'name', 'cluster'][at] && !descending)

const identities = new WeakMap<object, number>()
let lastIdentity = 0
/** A number of its own for each object. */
function identity(object: object): number {
  let number = identities.get(object)
  if (number === undefined) {
    lastIdentity += 1
    number = lastIdentity
    identities.set(object, number)
  }
  return number
}

function inOrder(result: Result, order: Order, words: number): Uint32Array {
  if (result.count <= FEW) return rowsOfBits(result.bits, words, result.count).sort(order.compare)
  return fromStart(result, order, 0, result.count)
}

function fromStart(result: Result, order: Order, offset: number, end: number): Uint32Array {
  const { bits } = result
  const { rows } = order
  const page = new Uint32Array(end - offset)
  let seen = 0
  for (let at = 0; seen < end; at += 1) {
    const row = rows[at] as number
    if ((((bits[row >>> 5] as number) >>> (row & 31)) & 1) === 0) continue
    if (seen >= offset) page[seen - offset] = row
    seen += 1
  }
  return page
}

function fromEnd(result: Result, order: Order, offset: number, end: number): Uint32Array {
  const { bits } = result
  const { rows } = order
  const page = new Uint32Array(end - offset)
  let seen = result.count
  for (let at = order.length - 1; seen > offset; at -= 1) {
    const row = rows[at] as number
    if ((((bits[row >>> 5] as number) >>> (row & 31)) & 1) === 0) continue
    seen -= 1
    if (seen < end) page[seen - offset] = row
  }
  return page
}
