import type { ColumnPart } from '../batch.ts'
import type { KindSpec } from '../kind.ts'
import { DamagedFile, readSealed, type SealedFile, writeSealed } from './sealed-file.ts'
import type { RestoredTable } from './snapshot-source.ts'
import { emptyColumn, type TableCopy, usedOf } from './table-copy.ts'

const WORD = 8
/** A cluster as a file names it. */
export interface FileCluster {
  number: number
  name: string
  /** MirroredCluster.revision. */
  registration: string
}

interface Header {
  spec: KindSpec
  clusters: FileCluster[]
  slots: number
  strings: { count: number; bytes: number }
  sets: { count: number; members: number }
  columns: ColumnPart['type'][]
}

/**
 * Writes one table, sealed: the length of the header in a word of eight bytes, the header as JSON, the arrays one after the
 * other, each part filled up to eight bytes. Waits until it is on the disk.
 */
export function writeTable(
  path: string,
  copy: TableCopy,
  clusters: FileCluster[],
  { key, pause }: { key: Uint8Array; pause(): Promise<void> },
): Promise<SealedFile> {
  const strings = usedOf(copy.strings)
  const sets = usedOf(copy.sets)
  const header: Header = {
    spec: copy.spec,
    clusters,
    slots: copy.slots,
    strings: { count: copy.strings.count, bytes: strings.content.byteLength },
    sets: { count: copy.sets.count, members: sets.content.byteLength / 4 },
    columns: copy.columns.map(({ type }) => type),
  }
  const text = Buffer.from(JSON.stringify(header))
  const length = new Uint32Array([text.byteLength, 0])
  const arrays = [strings.content, strings.ends, sets.content, sets.ends, ...arraysOf(copy)]
  return writeSealed(path, [length, text, ...arrays].flatMap(filledUp), { key, flag: 'wx', pause })
}

const filledUp = (part: ArrayBufferView) => [
  bytesOfView(part),
  new Uint8Array((WORD - (part.byteLength % WORD)) % WORD),
]

/**
 * One table with the clusters its numbers stand for. Throws DamagedFile when it is of another format, not whole, sealed
 * with another key, or not the one with this tag.
 */
export function readTable(
  path: string,
  key: Uint8Array,
  tag: string,
): Omit<RestoredTable, 'stood'> & { known: FileCluster[] } {
  const sealed = readSealed(path, key)
  if (sealed.tag !== tag) throw new DamagedFile('is not the file that belongs to it')
  const parts = new Parts(sealed.buffer)
  const [length = 0] = new Uint32Array(sealed.buffer, 0, 1)
  parts.take(WORD)
  const header = JSON.parse(Buffer.from(parts.take(length)).toString()) as Header
  const { slots, strings, sets } = header
  const stringBytes = shared(parts.take(strings.bytes))
  const stringEnds = shared(parts.take(4 * strings.count))
  const setMembers = shared(parts.take(4 * sets.members))
  const setEnds = shared(parts.take(4 * sets.count))
  const clusters = new Uint16Array(parts.take(2 * slots).slice().buffer)
  const uids = new Uint32Array(parts.take(16 * slots).slice().buffer)
  const revisions = new Float64Array(parts.take(8 * slots).slice().buffer)
  const columns = header.columns.map((type) => {
    const column = emptyColumn(type, slots)
    for (const values of valuesOf(column)) bytesOfView(values).set(parts.take(values.byteLength))
    return column
  })
  if (parts.rest !== 0) throw new DamagedFile('is longer than it says')
  return {
    spec: header.spec,
    known: header.clusters,
    slots,
    strings: { bytes: stringBytes, ends: stringEnds, count: strings.count },
    sets: { members: setMembers, ends: setEnds, count: sets.count },
    clusters,
    uids,
    revisions,
    columns,
  }
}

/** Goes through the parts of a file. */
class Parts {
  readonly #buffer: ArrayBuffer
  #at = 0

  constructor(buffer: ArrayBuffer) {
    this.#buffer = buffer
  }

  get rest(): number {
    return this.#buffer.byteLength - this.#at
  }

  take(bytes: number): Uint8Array {
    const filled = Math.ceil(bytes / WORD) * WORD
    if (!(filled <= this.rest)) throw new DamagedFile('is shorter than it says')
    const part = new Uint8Array(this.#buffer, this.#at, bytes)
    this.#at += filled
    return part
  }
}

function shared(bytes: Uint8Array): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(bytes.byteLength)
  new Uint8Array(buffer).set(bytes)
  return buffer
}

const arraysOf = ({ clusters, uids, revisions, columns }: TableCopy) => [
  clusters,
  uids,
  revisions,
  ...columns.flatMap(valuesOf),
]
const valuesOf = (column: ColumnPart): (Uint8Array | Uint32Array | Float64Array)[] =>
  column.type === 'split' ? [column.prefixes, column.suffixes] : [column.values]
const bytesOfView = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer, byteOffset, byteLength)
