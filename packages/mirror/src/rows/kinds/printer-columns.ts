import { COMMON_COLUMNS, type ColumnType } from '../../kind.ts'
import type { JsonObject } from '../../worker/object-sink.ts'
import { jsonPath } from './json-path.ts'
import { at, conditionOf, firstOf, type ReadColumn, unlessDeleted } from './reading.ts'

/** A column as a CustomResourceDefinition describes it (`additionalPrinterColumns`). */
export interface PrinterColumn {
  name: string
  type: string
  jsonPath: string
  /** Greater than 0: only in wide tables. */
  priority?: number
  description?: string
  format?: string
}

const TYPES: Record<string, ColumnType> = {
  integer: 'number',
  number: 'number',
  date: 'time',
  string: 'text',
  boolean: 'text',
}
/** Not to be had as column names: filters mean something else by them. */
const TAKEN = [
  'cluster',
  'uid',
  'revision',
  'label',
  'annotation',
  'age',
  'ns',
  ...COMMON_COLUMNS.map(({ name }) => name),
]
const DESCRIPTION_LIMIT = 200

/**
 * Columns of a kind that is known by its printer columns only. Besides these there is a `status`, unless a printer column
 * has the name: Terminating, the condition Ready, or the phase.
 */
export function printedColumns(printerColumns: readonly PrinterColumn[]): ReadColumn[] {
  const columns: ReadColumn[] = []
  const taken = new Set(TAKEN)
  for (const printer of printerColumns) {
    const path = jsonPath(printer.jsonPath)
    // The age of an object is a common column.
    if (path === undefined || /^\{?\$?\.metadata\.(creationTimestamp|name|namespace)\}?$/.test(printer.jsonPath))
      continue
    const name = unusedName(columnName(printer.name), taken)
    taken.add(name)
    columns.push({
      name,
      title: printer.name,
      type: TYPES[printer.type] ?? 'text',
      ...((printer.priority ?? 0) > 0 && { wide: true as const }),
      ...(printer.description && { description: printer.description.slice(0, DESCRIPTION_LIMIT) }),
      read: (object) => path(object)[0],
    })
  }
  return taken.has('status') ? columns : [STATUS, ...columns]
}

const STATUS: ReadColumn = {
  name: 'status',
  title: 'Status',
  type: 'text',
  read: unlessDeleted(firstOf(readiness, at('status.phase'), at('status.state'))),
}

function readiness(object: JsonObject): string | undefined {
  const ready = conditionOf(object, 'Ready')
  if (ready === undefined) return undefined
  if (ready.status === 'True') return 'Ready'
  const reason = typeof ready.reason === 'string' && ready.reason !== '' ? ready.reason : undefined
  return reason ?? (ready.status === 'False' ? 'NotReady' : 'Unknown')
}

/** `Cluster-IP` → clusterIp, `Up To Date` → upToDate; `column` when no letter is left. */
function columnName(title: string): string {
  const words = title.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|[0-9]+/g) ?? []
  const [first = 'column', ...others] = words.map((word) => word.toLowerCase())
  const name = first + others.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
  return /^[a-z]/.test(name) ? name : `column${name}`
}

function unusedName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name
  let number = 2
  while (taken.has(`${name}${number}`)) number++
  return `${name}${number}`
}
