import type { ObjectRow } from '../object/object.contract.ts'

/** Rows as a file for a spreadsheet: cluster first; texts that it would take for a formula are marked as text. */
export function csvOf(columns: readonly string[], rows: readonly ObjectRow[]): string {
  const lines = [['cluster', ...columns], ...rows.map((row) => [row.cluster, ...row.values.map(textOf)])]
  return `\ufeff${lines.map((line) => line.map(cell).join(',')).join('\r\n')}\r\n`
}
const textOf = (value: ObjectRow['values'][number]): string =>
  value === null ? '' : Array.isArray(value) ? value.join(' ') : String(value)
function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
