import type { BatchMessage, FromReader } from '../batch.ts'
import { type ColumnSpec, type KindSpec, NO_COUNT } from '../kind.ts'
import { uidText } from './index/uid.ts'
import { SUFFIX_BYTES, suffixAt } from './split.ts'

/** A row as tests compare it: values by column name, without the absent ones. */
export type PlainRow = Record<string, string | number | string[]>

/** What a serving thread would know after the messages, for tests: keeps every rule of BatchMessage, or throws. */
export class PlainTables {
  readonly kinds = new Map<number, KindSpec>()
  readonly messages: FromReader[] = []
  readonly #rows = new Map<number, Map<number, PlainRow>>()

  /** Takes a message as a serving thread does, from another thread: the arrays that are transferred are taken away. */
  readonly post = (message: FromReader, transfer: ArrayBuffer[]): void => {
    const taken = structuredClone(message, { transfer })
    this.messages.push(taken)
    if (taken.type === 'kind') {
      this.kinds.set(taken.table, taken.spec)
      this.#rows.set(taken.table, new Map())
    }
    if (taken.type === 'batch') this.#take(taken)
  }

  /** Rows of a table by cluster and uid. */
  rows(table = Math.max(...this.#rows.keys())): Map<string, PlainRow> {
    const rows = [...(this.#rows.get(table) ?? new Map<number, PlainRow>()).values()]
    return new Map(rows.map((row) => [`${row.cluster}/${row.uid}`, row]))
  }

  /** The row with this name. Throws when there is none. */
  row(name: string, table?: number): PlainRow {
    const row = [...this.rows(table).values()].find((each) => each.name === name)
    if (row === undefined) throw new Error(`there is no row ${name}`)
    return row
  }

  open(table: number, spec: KindSpec): void {
    this.kinds.set(table, spec)
    this.#rows.set(table, new Map())
  }

  #take(batch: BatchMessage): void {
    const rows = this.#rows.get(batch.table)
    const spec = this.kinds.get(batch.table)
    if (rows === undefined || spec === undefined) throw new Error(`table ${batch.table} has not been opened`)
    for (const row of batch.removed) if (!rows.delete(row)) throw new Error(`row ${row} was removed but never told`)
    if (new Set(batch.rows).size !== batch.rows.length) throw new Error('a row is twice in one batch')
    batch.rows.forEach((row, at) => {
      const uid = uidText(batch.uids, at)
      const before = rows.get(row)
      if (before !== undefined && before.uid !== uid) throw new Error(`row ${row} is of another object`)
      const revision = batch.revisions[at] as number
      const values = spec.columns.flatMap((column, index) => {
        const value = plainValue(batch, column, index, at)
        return value === undefined ? [] : [[column.name, value] as const]
      })
      rows.set(row, { cluster: batch.clusters[at] as number, uid, revision, ...Object.fromEntries(values) })
    })
  }
}

function plainValue(
  batch: BatchMessage,
  { type }: ColumnSpec,
  column: number,
  row: number,
): PlainRow[string] | undefined {
  const part = batch.columns[column]
  if (part === undefined) throw new Error(`column ${column} is missing`)
  if (part.type === 'split') {
    if (part.suffixes.length !== batch.rows.length * SUFFIX_BYTES) throw new Error('suffixes of another length')
    return text(batch, part.prefixes[row] as number) + suffixAt(part.suffixes, row) || undefined
  }
  if (part.values.length !== batch.rows.length) throw new Error('values of another length')
  const value = part.values[row] as number
  if (type === 'number') return Number.isNaN(value) ? undefined : value
  if (type === 'count') return value === NO_COUNT ? undefined : value
  if (type === 'time') return value || undefined
  if (type === 'text') return text(batch, value) || undefined
  return value === 0 ? undefined : members(batch, value)
}

function text({ strings }: BatchMessage, id: number): string {
  if (id >= strings.count) throw new Error(`string ${id} is not there yet`)
  const ends = new Uint32Array(strings.ends)
  return id === 0 ? '' : Buffer.from(new Uint8Array(strings.bytes).slice(ends[id - 1], ends[id])).toString()
}

function members(batch: BatchMessage, id: number): string[] {
  const { sets } = batch
  if (id >= sets.count) throw new Error(`set ${id} is not there yet`)
  const ends = new Uint32Array(sets.ends)
  return [...new Uint32Array(sets.members).subarray(ends[id - 1], ends[id])].map((member) => text(batch, member))
}
