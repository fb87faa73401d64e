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
  if (field === 'cluster') {
    const values = countsOf(table, clusters, result, field).sort(byCount)
    return { field, distinct: values.length, values: values.slice(0, limit) }
  }
  const counts = countStrings(table, result, field)
  const { strings } = table
  // Only those that are shown are decoded: there may be a hundred thousand.
  const top: number[] = []
  let distinct = 0
  const compare = (a: number, b: number) => (counts[b] as number) - (counts[a] as number) || strings.compare(a, b)
  for (let id = 1; id < counts.length; id += 1) {
    if ((counts[id] as number) === 0) continue
    distinct += 1
    if (top.length === limit && compare(id, top[limit - 1] as number) > 0) continue
    let place = top.length
    while (place > 0 && compare(id, top[place - 1] as number) < 0) place -= 1
    top.splice(place, 0, id)
    if (top.length > limit) top.pop()
  }
  return {
    field,
    distinct,
    values: top.map((id) => ({ value: valueOfId(table, id, field), count: counts[id] as number })),
  }
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
  const counts = countStrings(table, result, field)
  for (let id = 1; id < counts.length; id += 1) {
    const count = counts[id] as number
    if (count > 0) add(valueOfId(table, id, field), count)
  }
  return counted
}

/** How many matching rows have each string, by its id: as value, member, or label of the key. */
function countStrings(table: Table, result: Result, field: string): Uint32Array {
  if (field.startsWith('label:')) return countLabels(table, result, field.slice('label:'.length))
  const column = columnOf(table, field, '/fields')
  if (column.type === 'text') return countIds(result, table.words, column.u32, table.strings.count)
  if (column.type === 'set') return countMembers(table, column, result)
  const message = `Values of "${field}" cannot be counted: it is neither text of few values nor a set.`
  throw new QueryError(message, '/fields')
}

const valueOfId = (table: Table, id: number, field: string): string =>
  field.startsWith('label:') ? table.strings.text(id).slice(field.length - 'label:'.length + 1) : table.strings.text(id)

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

/** Counts of the members `key=value` of the labels; the others' are 0. */
function countLabels(table: Table, result: Result, key: string): Uint32Array {
  const counts = countMembers(table, columnOf(table, 'labels', '/fields'), result)
  const beginning = Buffer.from(`${key}=`)
  const { strings } = table
  for (let id = 1; id < counts.length; id += 1) {
    if ((counts[id] as number) === 0) continue
    const from = strings.from(id)
    const fits = strings.to(id) - from >= beginning.length
    if (!fits || strings.bytes.compare(beginning, 0, beginning.length, from, from + beginning.length) !== 0)
      counts[id] = 0
  }
  return counts
}

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
