import { type Facet, type GroupSum, QueryError } from '../../mirror.ts'
import { eachBit } from '../bitmap.ts'
import type { Column } from '../column.ts'
import type { Result } from '../filter/filters.ts'
import { type ClusterNames, columnOf, numberOf } from '../filter/tests.ts'
import type { Table } from '../table.ts'

interface Counted {
  value: string
  count: number
}

/** The most frequent first; equal ones by their bytes. */
const byCount = (a: Counted, b: Counted): number =>
  b.count - a.count || (a.value < b.value ? -1 : a.value > b.value ? 1 : 0)

/** How often each value of a field occurs among the matching rows. Throws QueryError. */
export function facetOf(table: Table, clusters: ClusterNames, result: Result, field: string, limit: number): Facet {
  const values = countsOf(table, clusters, result, field).sort(byCount)
  return { field, distinct: values.length, values: values.slice(0, limit) }
}

/** Every value of a field that occurs, in any order. `keep`: only those. Throws QueryError. */
export function countsOf(
  table: Table,
  clusters: ClusterNames,
  result: Result,
  field: string,
  keep: (value: string) => boolean = () => true,
): Counted[] {
  const counted: Counted[] = []
  const add = (value: string, count: number) => {
    if (count > 0 && keep(value)) counted.push({ value, count })
  }
  if (field === 'cluster') {
    const counts = countIds(result, table.words, table.clusters, clusters.count)
    counts.forEach((count, number) => {
      if (count > 0) add(clusters.name(number), count)
    })
    return counted
  }
  if (field.startsWith('label:')) {
    for (const [id, count] of countLabels(table, result, field.slice(6))) add(labelValue(table, id, field), count)
    return counted
  }
  const column = columnOf(table, field, '/fields')
  if (column.type !== 'text' && column.type !== 'set') {
    throw new QueryError(
      `Values of "${field}" cannot be counted: it is neither text of few values nor a set.`,
      '/fields',
    )
  }
  const counts =
    column.type === 'text'
      ? countIds(result, table.words, column.u32, table.strings.count)
      : countMembers(table, column, result)
  for (let id = 1; id < counts.length; id += 1) {
    const count = counts[id] as number
    if (count > 0) add(table.strings.text(id), count)
  }
  return counted
}

/** How many matching rows have each id. */
function countIds(result: Result, words: number, ids: Uint32Array | Uint16Array, count: number): Uint32Array {
  const counts = new Uint32Array(count)
  const { bits } = result
  for (let at = 0; at < words; at += 1) {
    let word = bits[at] as number
    while (word !== 0) {
      const low = word & -word
      const id = ids[(at << 5) + 31 - Math.clz32(low)] as number
      counts[id] = (counts[id] as number) + 1
      word ^= low
    }
  }
  return counts
}

/** How many matching rows have each string in their set; a set that holds a string twice counts once. */
function countMembers(table: Table, column: Column, result: Result): Uint32Array {
  const { sets, strings } = table
  const ofSets = countIds(result, table.words, column.u32, sets.count)
  const counts = new Uint32Array(strings.count)
  for (let id = 1; id < ofSets.length; id += 1) {
    const count = ofSets[id] as number
    if (count === 0) continue
    const from = sets.from(id)
    for (let at = from; at < sets.to(id); at += 1) {
      const member = sets.members[at] as number
      if (sets.members.indexOf(member, from) === at) counts[member] = (counts[member] as number) + count
    }
  }
  return counts
}

/** Members `key=value` of the labels, by string id, with how many matching rows have them. */
function countLabels(table: Table, result: Result, key: string): Map<number, number> {
  const counts = countMembers(table, columnOf(table, 'labels', '/fields'), result)
  const beginning = Buffer.from(`${key}=`)
  const { strings } = table
  const found = new Map<number, number>()
  for (let id = 1; id < counts.length; id += 1) {
    const from = strings.from(id)
    if ((counts[id] as number) === 0 || strings.to(id) - from < beginning.length) continue
    if (strings.bytes.compare(beginning, 0, beginning.length, from, from + beginning.length) === 0)
      found.set(id, counts[id] as number)
  }
  return found
}

const labelValue = (table: Table, id: number, field: string): string =>
  table.strings.text(id).slice(field.length - 'label:'.length + 1)

/** Keys of labels, with how many matching rows have them. */
export function labelKeys(table: Table, result: Result, keep: (key: string) => boolean, limit: number): Counted[] {
  const counts = countMembers(table, columnOf(table, 'labels', '/fields'), result)
  const keys = new Map<string, number>()
  for (let id = 1; id < counts.length; id += 1) {
    if ((counts[id] as number) === 0) continue
    const text = table.strings.text(id)
    const key = text.slice(0, text.indexOf('='))
    if (keep(key)) keys.set(key, (keys.get(key) ?? 0) + (counts[id] as number))
  }
  return [...keys]
    .map(([value, count]) => ({ value, count }))
    .sort(byCount)
    .slice(0, limit)
}

/** Sums of number columns over the matching rows, for each value of a field. Throws QueryError. */
export function sumsOf(
  table: Table,
  clusters: ClusterNames,
  result: Result,
  by: string | undefined,
  fields: readonly string[],
): GroupSum[] {
  const columns = fields.map((field) => columnOf(table, field, '/fields'))
  for (const { type, spec } of columns) {
    if (type !== 'number' && type !== 'count') throw new QueryError(`"${spec.name}" cannot be added up.`, '/fields')
  }
  const values = columns.map(numberOf)
  const { group, name } = groupsOf(table, clusters, by)
  const groups = new Map<number, GroupSum>()
  eachBit(result.bits, table.words, (row) => {
    const id = group(row)
    let sum = groups.get(id)
    if (!sum) {
      sum = { value: name(id), count: 0, sums: fields.map(() => 0) }
      groups.set(id, sum)
    }
    sum.count += 1
    for (let at = 0; at < values.length; at += 1) {
      const value = (values[at] as (row: number) => number)(row)
      if (!Number.isNaN(value)) sum.sums[at] = (sum.sums[at] as number) + value
    }
  })
  return [...groups.values()].sort(byCount)
}

function groupsOf(
  table: Table,
  clusters: ClusterNames,
  by: string | undefined,
): { group: (row: number) => number; name: (id: number) => string } {
  if (by === undefined) return { group: () => 0, name: () => '' }
  if (by === 'cluster')
    return { group: (row) => table.clusters[row] as number, name: (number) => clusters.name(number) }
  const column = columnOf(table, by, '/by')
  if (column.type !== 'text')
    throw new QueryError(`"${by}" is not text of few values: nothing can be grouped by it.`, '/by')
  return { group: (row) => column.u32[row] as number, name: (id) => table.strings.text(id) }
}
