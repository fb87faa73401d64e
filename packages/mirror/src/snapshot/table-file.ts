import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import type { ColumnPart } from '../batch.ts'
import type { KindSpec } from '../kind.ts'
import type { RestoredTable } from './snapshot-source.ts'
import { emptyColumn, type TableCopy, usedOf } from './table-copy.ts'

/** Another one whenever these files look different, or what is worked out of an object for its row does. */
export const FORMAT = 2
const MAGIC = 0x54_4d_44_51 // QDMT
const WORD = 8
/** Worked on in one go: half a millisecond. */
const SLICE_BYTES = 512 * 1024

/** A cluster as a file names it. */
export interface FileCluster {
  number: number
  name: string
  /** MirroredCluster.revision. */
  registration: string
}

interface Header {
  specHash: string
  spec: KindSpec
  clusters: FileCluster[]
  slots: number
  strings: { count: number; bytes: number }
  sets: { count: number; members: number }
  columns: ColumnPart['type'][]
}

/** A file that is not, or no more, what was written. */
export class DamagedFile extends Error {}

/**
 * Writes one table: four words (mark, format, length of the header, 0), the header as JSON, the arrays one after the other,
 * each part filled up to eight bytes, and the CRC-32 of it all. Waits until it is on the disk. Answers length and CRC.
 */
export async function writeTable(
  path: string,
  copy: TableCopy,
  clusters: FileCluster[],
  pause: () => Promise<void>,
): Promise<{ bytes: number; crc: number }> {
  const strings = usedOf(copy.strings)
  const sets = usedOf(copy.sets)
  const header: Header = {
    specHash: hashOf(copy.spec),
    spec: copy.spec,
    clusters,
    slots: copy.slots,
    strings: { count: copy.strings.count, bytes: strings.content.byteLength },
    sets: { count: copy.sets.count, members: sets.content.byteLength / 4 },
    columns: copy.columns.map(({ type }) => type),
  }
  const text = Buffer.from(JSON.stringify(header))
  const start = new Uint32Array([MAGIC, FORMAT, text.byteLength, 0])
  const arrays = [strings.content, strings.ends, sets.content, sets.ends, ...arraysOf(copy)]
  const file = await open(path, 'wx', 0o600)
  try {
    const out = new CheckedFile(file, pause)
    for (const part of [start, text, ...arrays]) await out.write(part)
    await out.end()
    return { bytes: out.bytes, crc: out.crc }
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await file.close()
  }
}

class CheckedFile {
  bytes = 0
  crc = 0
  readonly #file: FileHandle
  readonly #pause: () => Promise<void>
  readonly #slice = Buffer.alloc(SLICE_BYTES)
  #filled = 0

  constructor(file: FileHandle, pause: () => Promise<void>) {
    this.#file = file
    this.#pause = pause
  }

  /** Fills up to eight bytes. */
  async write({ buffer, byteOffset, byteLength }: ArrayBufferView): Promise<void> {
    await this.#put(new Uint8Array(buffer, byteOffset, byteLength))
    await this.#put(new Uint8Array((WORD - (byteLength % WORD)) % WORD))
  }

  async #put(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      const length = Math.min(bytes.length - from, SLICE_BYTES - this.#filled)
      this.#slice.set(bytes.subarray(from, from + length), this.#filled)
      this.#filled += length
      from += length
      if (this.#filled === SLICE_BYTES) await this.#flush()
    }
  }

  async end(): Promise<void> {
    await this.#flush()
    await this.#file.write(new Uint8Array(new Uint32Array([this.crc]).buffer))
    this.bytes += 4
    await this.#file.sync()
  }

  async #flush(): Promise<void> {
    const filled = this.#slice.subarray(0, this.#filled)
    this.crc = crc32(filled, this.crc)
    for (let from = 0; from < filled.length; ) from += (await this.#file.write(filled, from)).bytesWritten
    this.bytes += filled.length
    this.#filled = 0
    await this.#pause()
  }
}

/**
 * One table with the clusters its numbers stand for. Throws DamagedFile when it is of another format, not whole, or not
 * the one with this CRC.
 */
export function readTable(path: string, crc: number): Omit<RestoredTable, 'stood'> & { known: FileCluster[] } {
  const { buffer } = bytesOf(path)
  if (buffer.byteLength < 20) throw new DamagedFile('is not whole')
  const start = new Uint32Array(buffer, 0, 4)
  if (start[0] !== MAGIC || start[1] !== FORMAT) throw new DamagedFile('is of another version')
  const end = buffer.byteLength - 4
  if (crc32(new Uint8Array(buffer, 0, end)) !== crc) throw new DamagedFile('is damaged')
  if (new DataView(buffer).getUint32(end, true) !== crc) throw new DamagedFile('is damaged')
  const parts = new Parts(buffer, 16, end)
  const header = JSON.parse(Buffer.from(parts.take(start[2] ?? 0)).toString()) as Header
  if (header.specHash !== hashOf(header.spec)) throw new DamagedFile('is damaged')
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
  readonly #end: number
  #at: number

  constructor(buffer: ArrayBuffer, begin: number, end: number) {
    this.#buffer = buffer
    this.#at = begin
    this.#end = end
  }

  get rest(): number {
    return this.#end - this.#at
  }

  take(bytes: number): Uint8Array {
    const filled = Math.ceil(bytes / WORD) * WORD
    if (!(filled <= this.rest)) throw new DamagedFile('is shorter than it says')
    const part = new Uint8Array(this.#buffer, this.#at, bytes)
    this.#at += filled
    return part
  }
}

/** The file's bytes from the beginning of a buffer of their own. */
function bytesOf(path: string): { buffer: ArrayBuffer } {
  const bytes = readFileSync(path)
  const { buffer, byteOffset, byteLength } = bytes
  if (buffer instanceof ArrayBuffer && byteOffset === 0 && byteLength === buffer.byteLength) return { buffer }
  return { buffer: new Uint8Array(bytes).buffer }
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
const hashOf = (spec: KindSpec) => createHash('sha256').update(JSON.stringify(spec)).digest('hex')
