import type { Expression, SortKey } from '../../expression.ts'
import type { KindSpec } from '../../kind.ts'
import type { Reader, Value } from '../../mirror.ts'
import { uidText } from '../../rows/index/uid.ts'
import type { PlainRow } from './batches.ts'

/** What the mirror has to answer, worked out the plain way: arrays, filter, sort. */
export class Oracle {
  readonly spec: KindSpec
  readonly clusterNames: string[]
  readonly rows = new Map<number, PlainRow>()
  nowSeconds = 0

  constructor(spec: KindSpec, clusterNames: string[]) {
    this.spec = spec
    this.clusterNames = clusterNames
  }

  cell(row: PlainRow, field: string): Value {
    if (field === 'cluster') return this.clusterNames[row.cluster] ?? ''
    const value = row.values[field]
    return value === undefined || value === '' || (Array.isArray(value) && value.length === 0) ? null : value
  }

  uid(row: PlainRow): string {
    return uidText(Uint32Array.from(row.uid), 0)
  }

  /** Rows that match and that the reader may see. */
  matching(filter: Expression | undefined, reader: Reader): PlainRow[] {
    return [...this.rows.values()].filter(
      (row) =>
        reader.may(this.spec.resource, String(this.cell(row, 'cluster')), String(this.cell(row, 'namespace') ?? '')) &&
        (!filter || this.#matches(filter, row)),
    )
  }

  #matches(filter: Expression, row: PlainRow): boolean {
    if ('all' in filter) return filter.all.every((part) => this.#matches(part, row))
    if ('any' in filter) return filter.any.some((part) => this.#matches(part, row))
    if ('not' in filter) return !this.#matches(filter.not, row)
    if ('text' in filter) return this.containsText(row, filter.text)
    if ('label' in filter) {
      const labels = (this.cell(row, 'labels') ?? []) as string[]
      if (!filter.values) return labels.some((label) => label.startsWith(`${filter.label}=`))
      return labels.some((label) => filter.values?.some((value) => label === `${filter.label}=${value}`))
    }
    if ('age' in filter) {
      const time = this.cell(row, filter.age)
      if (time === null) return false
      const age = this.nowSeconds - Number(time)
      return filter.op === '<' ? age < filter.seconds : age > filter.seconds
    }
    return this.#field(filter, this.cell(row, filter.field))
  }

  #field({ field, op, values }: Extract<Expression, { field: string }>, cell: Value): boolean {
    const type = this.spec.columns.find(({ name }) => name === field)?.type ?? 'text'
    if (op === '!=') return !this.#field({ field, op: '=', values }, cell)
    if (type === 'number' || type === 'count' || type === 'time') {
      if (cell === null) return false
      const [first = 0] = values.map(Number)
      if (op === '=') return values.map(Number).includes(Number(cell))
      if (op === '<') return Number(cell) < first
      if (op === '<=') return Number(cell) <= first
      if (op === '>') return Number(cell) > first
      return Number(cell) >= first
    }
    const texts = type === 'set' ? ((cell ?? []) as string[]) : [String(cell ?? '')]
    if (op === '~') return texts.some((text) => lower(text).includes(lower(String(values[0]))))
    return texts.some((text) => values.some((value) => lower(text) === lower(String(value))))
  }

  containsText(row: PlainRow, text: string): boolean {
    return this.spec.columns
      .filter(({ searched }) => searched)
      .flatMap(({ name }) => this.cell(row, name) ?? [])
      .some((value) => lower(String(value)).includes(lower(text)))
  }

  sorted(rows: readonly PlainRow[], sort: readonly SortKey[] = []): PlainRow[] {
    const keys = [...sort, { field: 'namespace' }, { field: 'name' }, { field: 'cluster' }]
    return rows.toSorted((a, b) => {
      for (const { field, descending } of keys as SortKey[]) {
        const one = this.cell(a, field)
        const two = this.cell(b, field)
        if (one === null || two === null) {
          if (one !== two) return one === null ? 1 : -1
          continue
        }
        const difference = compareCells(one, two)
        if (difference !== 0) return descending ? -difference : difference
      }
      return compareCells(this.uid(a), this.uid(b))
    })
  }

  /** The order of search hits: how the name fits, then namespace, name, cluster. */
  ranked(rows: readonly PlainRow[], words: readonly string[]): PlainRow[] {
    const rank = (row: PlainRow) => {
      const name = lower(String(this.cell(row, 'name') ?? ''))
      if (words.some((word) => name === lower(word))) return 0
      if (words.some((word) => name.startsWith(lower(word)))) return 1
      return words.some((word) => name.includes(lower(word))) ? 2 : 3
    }
    return this.sorted(rows).sort((a, b) => rank(a) - rank(b))
  }

  /** How often each value of a field occurs. */
  counts(rows: readonly PlainRow[], field: string): { value: string; count: number }[] {
    const counts = new Map<string, number>()
    for (const row of rows) {
      const label = field.startsWith('label:') ? `${field.slice(6)}=` : undefined
      const cell = this.cell(row, label === undefined ? field : 'labels')
      const texts = new Set((Array.isArray(cell) ? cell : [cell]).filter((text) => text !== null).map(String))
      for (const text of texts) {
        if (label !== undefined && !text.startsWith(label)) continue
        const value = label === undefined ? text : text.slice(label.length)
        counts.set(value, (counts.get(value) ?? 0) + 1)
      }
    }
    return [...counts]
      .map(([value, count]) => ({ value, count }))
      .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
  }
}

const lower = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())

function compareCells(a: NonNullable<Value>, b: NonNullable<Value>): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (Array.isArray(a) && Array.isArray(b)) {
    for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
      const difference = compareCells(a[at] ?? '', b[at] ?? '')
      if (difference !== 0) return difference
    }
    return a.length - b.length
  }
  const one = bytesOf(String(a))
  const two = bytesOf(String(b))
  return one < two ? -1 : one > two ? 1 : 0
}

const known = new Map<string, string>()
/** A character for each byte. */
function bytesOf(text: string): string {
  let bytes = known.get(text)
  if (bytes === undefined) {
    bytes = Buffer.from(text).toString('latin1')
    known.set(text, bytes)
  }
  return bytes
}
