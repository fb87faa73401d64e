import type { SortKey } from '../expression.ts'
import type { KindSpec } from '../kind.ts'
import { fieldsOf, findField, nearestField } from './fields.ts'
import { FilterError } from './filter-error.ts'

/**
 * Reads what to sort by: columns with commas, `-` before what descends (`-restarts,name`). `age` is `created` the other
 * way round: `age` begins with the youngest. A column that comes again is passed over. Empty text: no keys. Throws
 * FilterError (a QueryError) whose pointer is /sort.
 */
export function parseSort(text: string, kind: KindSpec): SortKey[] {
  const keys: SortKey[] = []
  let position = 0
  for (const part of text.split(',')) {
    const written = part.trim()
    const minus = written.startsWith('-')
    const name = minus ? written.slice(1).trim() : written
    if (name !== '') {
      const field = findField(kind, name)
      if (!field) throw unknown(name, kind, position + part.indexOf(name))
      const reversed = name.toLowerCase() === 'age' && field.name === 'created'
      if (!keys.some((key) => key.field === field.name))
        keys.push(minus !== reversed ? { field: field.name, descending: true } : { field: field.name })
    } else if (minus) throw new FilterError('A column is missing behind -: write -created', position, '/sort')
    position += part.length + 1
  }
  return keys
}

function unknown(name: string, kind: KindSpec, position: number): FilterError {
  const nearest = nearestField(kind, name)
  const columns = fieldsOf(kind).map((field) => field.name)
  const instead = nearest ? `did you mean ${nearest}?` : `columns: ${columns.join(', ')}`
  return new FilterError(`${kind.kind} has no column ${name}: ${instead}`, position, '/sort')
}
