import type { Columns, OutputFormat } from '@quarterdeck/client'
import { stringify } from 'yaml'

type Cell = string | number | boolean | null | undefined
type Item = Record<string, unknown>

// East Asian wide and full-width characters take two columns of a terminal (Unicode TR11).
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]/g
const widthOf = (text: string) => text.length + (text.match(WIDE)?.length ?? 0)
// Control characters in a name or message must not reach the terminal: they could move the cursor or set its title.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to keep out
const CONTROL = /[\u0000-\u001f\u007f-\u009f]+/g
const shown = (cell: Cell) => {
  const text = cell === null || cell === undefined ? '' : String(cell).replace(CONTROL, ' ')
  return text === '' ? '-' : text
}

function aligned(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ''))))
  const line = (row: string[]) =>
    row
      .map((text, column) => text + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(text))))
      .join('   ')
      .trimEnd()
  return `${rows.map(line).join('\n')}\n`
}

const isScalar = (value: unknown): value is Cell => value === null || typeof value !== 'object'

function columnsOf(items: readonly Item[]): Columns<Item> {
  const names = [...new Set(items.flatMap((item) => Object.keys(item).filter((key) => isScalar(item[key]))))]
  return Object.fromEntries(names.map((name) => [name, (item: Item) => item[name] as Cell]))
}

function tableOf(items: readonly Item[], columns: Columns<Item> | undefined): string {
  if (items.length === 0) return ''
  const chosen = columns ?? columnsOf(items)
  const heading = Object.keys(chosen).map((name) => name.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toUpperCase())
  return aligned([heading, ...items.map((item) => Object.values(chosen).map((cell) => shown(cell(item))))])
}

function membersOf(item: Item): string {
  const lines = Object.entries(item).map(([name, value]) => [
    `${name}:`,
    isScalar(value) ? shown(value) : JSON.stringify(value).replace(CONTROL, ' '),
  ])
  return aligned(lines)
}

/** A result as text in the format asked for. An empty list as a table is empty; the caller says so on stderr. */
export function formatted(value: unknown, format: OutputFormat, columns?: Columns<Item>): string {
  if (format === 'json') return `${JSON.stringify(value ?? null, null, 2)}\n`
  if (format === 'yaml') return stringify(value ?? null)
  if (value === undefined || value === null) return ''
  if (isScalar(value)) return `${shown(value)}\n`
  const items = Array.isArray(value) ? value : (value as { items?: unknown }).items
  if (Array.isArray(items)) return tableOf(items as Item[], columns)
  return columns ? tableOf([value as Item], columns) : membersOf(value as Item)
}
