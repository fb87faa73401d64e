import { formatBytes, formatCores } from '@quarterdeck/kernel'
import type { ObjectColumn, ObjectRow } from './object.contract.ts'

type Value = ObjectRow['values'][number]

/** How long ago, of an instant as RFC 3339; features and the CLI share packages/client's. */
type AgeText = (time: string) => string

/** A value of a row as text for a table: quantities in their unit, instants as an age. Empty where there is none. */
export function valueText(value: Value | undefined, column: ObjectColumn, ageText: AgeText): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.join(',')
  if (typeof value === 'string') return value
  if (column.type === 'time') return ageText(new Date(value * 1_000).toISOString())
  if (column.unit === 'bytes') return formatBytes(value)
  if (column.unit === 'cores') return formatCores(value)
  return column.unit === 'seconds' ? `${value}s` : String(value)
}

/** The columns that a table shows: those that are not only for who asks for them, and none that is the same in all rows. */
export const tableColumns = (
  columns: readonly ObjectColumn[],
  { wide, namespaced, namespace }: { wide: boolean; namespaced: boolean; namespace: string | undefined },
): ObjectColumn[] =>
  columns.filter(
    (column) => (wide || !column.wide) && (column.name !== 'namespace' || (namespaced && namespace === undefined)),
  )

/** Heading of a column; what is created is shown by its age. */
export const headingOf = ({ name }: ObjectColumn): string => (name === 'created' ? 'age' : name)
