import type { BatchMessage, ColumnPart } from '../../batch.ts'
import { COMMON_COLUMNS, type ColumnSpec, type KindSpec, NO_COUNT } from '../../kind.ts'
import { packSuffix, splitText } from '../../rows/split.ts'

/** One object with its values by column; what is absent is missing. */
export interface PlainRow {
  cluster: number
  uid: readonly [number, number, number, number]
  revision: number
  values: Record<string, string | number | string[]>
}

/** A kind with columns of every type. */
export function kindOf(resource: string, more: ColumnSpec[]): KindSpec {
  const [plural = '', ...group] = resource.split('.')
  return {
    resource,
    group: group.join('.'),
    version: 'v1',
    kind: plural.replace(/s$/, '').replace(/^./, (letter) => letter.toUpperCase()),
    plural,
    shortNames: [],
    namespaced: true,
    custom: false,
    columns: [...COMMON_COLUMNS, ...more],
  }
}

/** Numbers for the strings and sets of one table, in shared memory that grows. */
export class BatchWriter {
  readonly #table: number
  readonly #spec: KindSpec
  readonly #ids = new Map([['', 0]])
  readonly #setIds = new Map([['[]', 0]])
  #bytes = new Uint8Array(new SharedArrayBuffer(64))
  #ends = new Uint32Array(new SharedArrayBuffer(64))
  #members = new Uint32Array(new SharedArrayBuffer(64))
  #setEnds = new Uint32Array(new SharedArrayBuffer(64))

  constructor(table: number, spec: KindSpec) {
    this.#table = table
    this.#spec = spec
  }

  #string(text: string): number {
    const known = this.#ids.get(text)
    if (known !== undefined) return known
    const id = this.#ids.size
    const bytes = Buffer.from(text)
    const from = this.#ends[id - 1] as number
    this.#bytes = grown(this.#bytes, from + bytes.length)
    this.#ends = grown(this.#ends, id + 1)
    this.#bytes.set(bytes, from)
    this.#ends[id] = from + bytes.length
    this.#ids.set(text, id)
    return id
  }

  #set(texts: string[]): number {
    const key = JSON.stringify(texts)
    const known = this.#setIds.get(key)
    if (known !== undefined) return known
    const id = this.#setIds.size
    const from = this.#setEnds[id - 1] as number
    this.#members = grown(this.#members, from + texts.length)
    this.#setEnds = grown(this.#setEnds, id + 1)
    for (const [at, text] of texts.entries()) this.#members[from + at] = this.#string(text)
    this.#setEnds[id] = from + texts.length
    this.#setIds.set(key, id)
    return id
  }

  /** A batch as the reading thread sends it. */
  batch(removed: number[], rows: [number: number, row: PlainRow][]): BatchMessage {
    const columns = this.#spec.columns.map((column) => this.#column(column, rows))
    return {
      type: 'batch',
      table: this.#table,
      strings: part(this.#bytes, this.#ends, this.#ids.size),
      sets: {
        members: this.#members.buffer as SharedArrayBuffer,
        ends: this.#setEnds.buffer as SharedArrayBuffer,
        count: this.#setIds.size,
      },
      removed: Uint32Array.from(removed),
      rows: Uint32Array.from(rows, ([number]) => number),
      clusters: Uint16Array.from(rows, ([, row]) => row.cluster),
      uids: Uint32Array.from(rows.flatMap(([, row]) => [...row.uid])),
      revisions: Float64Array.from(rows, ([, row]) => row.revision),
      columns,
      readTime: 0,
    }
  }

  #column({ name, type }: ColumnSpec, rows: [number, PlainRow][]): ColumnPart {
    const values = rows.map(([, row]) => row.values[name])
    if (type === 'number')
      return { type: 'f64', values: Float64Array.from(values, (value) => Number(value ?? Number.NaN)) }
    if (type === 'split') {
      const suffixes = new Uint8Array(rows.length * 8)
      const prefixes = values.map((value, at) => {
        const { beginning, suffix } = splitText(String(value ?? ''))
        packSuffix(suffix, suffixes, at)
        return this.#string(beginning)
      })
      return { type: 'split', prefixes: Uint32Array.from(prefixes), suffixes }
    }
    const number = (value: PlainRow['values'][string] | undefined): number => {
      if (type === 'text') return this.#string(String(value ?? ''))
      if (type === 'set') return this.#set((value as string[] | undefined) ?? [])
      return (value as number | undefined) ?? (type === 'count' ? NO_COUNT : 0)
    }
    return { type: 'u32', values: Uint32Array.from(values, number) }
  }
}

const part = (bytes: Uint8Array, ends: Uint32Array, count: number) => ({
  bytes: bytes.buffer as SharedArrayBuffer,
  ends: ends.buffer as SharedArrayBuffer,
  count,
})

function grown<T extends Uint8Array | Uint32Array>(array: T, length: number): T {
  if (length <= array.length) return array
  const Kind = array.constructor as new (buffer: SharedArrayBuffer) => T
  const larger = new Kind(new SharedArrayBuffer(Math.max(length, array.length * 2) * array.BYTES_PER_ELEMENT))
  larger.set(array as never)
  return larger
}
