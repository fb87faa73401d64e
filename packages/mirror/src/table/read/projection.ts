import { NO_COUNT } from '../../kind.ts'
import type { Row, Value } from '../../mirror.ts'
import { uidText } from '../../rows/index/uid.ts'
import { suffixAt } from '../../rows/split.ts'
import type { Kept } from '../budget.ts'
import type { Column } from '../column.ts'
import type { ClusterNames } from '../filter/tests.ts'
import type { Table } from '../table.ts'

/** So many rows are kept as JSON, for each choice of columns. */
const KEPT_ROWS = 4_096

/** The value of a column; null where there is none. */
export function cellOf(table: Table, column: Column, row: number): Value {
  const { strings, sets } = table
  if (column.type === 'number') {
    const value = column.f64[row] as number
    return Number.isFinite(value) ? value : null
  }
  const value = column.u32[row] as number
  if (column.type === 'count') return value === NO_COUNT ? null : value
  if (column.type === 'split') return strings.text(value) + suffixAt(column.suffixes, row) || null
  if (value === 0) return null
  if (column.type === 'text') return strings.text(value)
  if (column.type === 'time') return value
  const members: string[] = []
  for (let at = sets.from(value); at < sets.to(value); at += 1) members.push(strings.text(sets.members[at] as number))
  return members
}

/** Rows of one table with some of their columns, as objects and as JSON. */
export class Projection implements Kept {
  readonly columns: string[]
  readonly #table: Table
  readonly #clusters: ClusterNames
  readonly #cells: Column[]
  readonly #json = new Map<number, string>()
  readonly #bytes = new Map<number, Buffer>()
  readonly #setJson = new Map<number, string>()
  #position = 0
  #size = 0

  constructor(table: Table, clusters: ClusterNames, columns: Column[]) {
    this.#table = table
    this.#clusters = clusters
    this.#cells = columns
    this.columns = columns.map((column) => column.spec.name)
  }

  get bytes(): number {
    return this.#size + this.#setJson.size * 200 + 500
  }

  row(row: number): Row {
    const table = this.#table
    return {
      id: row,
      cluster: this.#clusters.name(table.clusters[row] as number),
      uid: uidText(table.uids, row),
      revision: String(table.revisions[row]),
      values: this.#cells.map((column) => cellOf(table, column, row)),
    }
  }

  /** The Row as JSON in UTF-8; not to be changed. */
  jsonBytes(row: number): Buffer {
    this.#forgetChanged()
    const kept = this.#bytes.get(row)
    if (kept !== undefined) return kept
    const bytes = Buffer.from(this.#write(row))
    if (this.#bytes.size >= KEPT_ROWS) this.#forget()
    this.#bytes.set(row, bytes)
    this.#size += bytes.length + 150
    return bytes
  }

  /** The Row as JSON. */
  json(row: number): string {
    this.#forgetChanged()
    const kept = this.#json.get(row)
    if (kept !== undefined) return kept
    const json = this.#write(row)
    if (this.#json.size >= KEPT_ROWS) this.#forget()
    this.#json.set(row, json)
    this.#size += json.length + 60
    return json
  }

  #write(row: number): string {
    const table = this.#table
    const cluster = JSON.stringify(this.#clusters.name(table.clusters[row] as number))
    const revision = table.revisions[row] as number
    let json = `{"id":${row},"cluster":${cluster},"uid":"${uidText(table.uids, row)}","revision":"${revision}","values":[`
    for (let at = 0; at < this.#cells.length; at += 1)
      json += (at === 0 ? '' : ',') + this.#cellJson(this.#cells[at] as Column, row)
    return `${json}]}`
  }

  #forget(): void {
    this.#json.clear()
    this.#bytes.clear()
    this.#size = 0
  }

  #cellJson(column: Column, row: number): string {
    const { strings } = this.#table
    if (column.type === 'text') return strings.json(column.u32[row] as number)
    if (column.type === 'set') return this.#setOf(column.u32[row] as number)
    if (column.type !== 'split') {
      const value = cellOf(this.#table, column, row)
      return value === null ? 'null' : String(value)
    }
    const id = column.u32[row] as number
    const suffix = suffixAt(column.suffixes, row)
    if (suffix === '') return strings.json(id)
    return SPECIAL.test(suffix)
      ? JSON.stringify(strings.text(id) + suffix)
      : `${id === 0 ? '"' : strings.json(id).slice(0, -1)}${suffix}"`
  }

  #setOf(id: number): string {
    if (id === 0) return 'null'
    const kept = this.#setJson.get(id)
    if (kept !== undefined) return kept
    const { sets, strings } = this.#table
    const members: string[] = []
    for (let at = sets.from(id); at < sets.to(id); at += 1) {
      const member = sets.members[at] as number
      members.push(member === 0 ? '""' : strings.json(member))
    }
    const json = `[${members.join(',')}]`
    if (this.#setJson.size >= KEPT_ROWS) this.#setJson.clear()
    this.#setJson.set(id, json)
    return json
  }

  #forgetChanged(): void {
    const { log } = this.#table
    if (this.#position === log.position) return
    if (!log.reaches(this.#position)) this.#forget()
    else
      for (let at = this.#position; at < log.position; at += 1) {
        this.#json.delete(log.at(at))
        this.#bytes.delete(log.at(at))
      }
    if (this.#json.size + this.#bytes.size === 0) this.#size = 0
    this.#position = log.position
  }
}

/** What JSON writes in another way. */
const SPECIAL = /[^ !#-[\]-~]/
