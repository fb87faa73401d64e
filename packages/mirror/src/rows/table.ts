import { type BatchMessage, type ColumnPart, NO_CLUSTER, type Restore } from '../batch.ts'
import type { KindSpec } from '../kind.ts'
import { Draft } from './draft.ts'
import { Removals } from './index/removals.ts'
import { RowIndex } from './index/row-index.ts'
import type { Uid } from './index/uid.ts'
import { type Numbers, Packer } from './packer.ts'
import { BATCH_ROWS, FIRST_ROWS, Staging } from './staging.ts'
import { Dictionary } from './strings/dictionary.ts'
import { SetTable } from './strings/set-table.ts'
import type { VersionRecorder } from './versions/version-recorder.ts'

/** From here on a dictionary may be given up for a new one. */
const MANY_BYTES = 64 << 20
const MANY_STRINGS = 100_000

/** What a table needs of those around it. */
export interface TableParts {
  number: number
  spec: KindSpec
  /** Absent: changes of this kind are not recorded. */
  recorder?: VersionRecorder
  restore?: Restore
  /** Something is to be told. `full`: at once. */
  changed(table: Table, full: boolean): void
}

/** Rows of one kind of all clusters, as far as the reading thread has them: everything but their values. */
export class Table {
  readonly number: number
  readonly spec: KindSpec
  /** Undefined: changes of this kind are not recorded. */
  recorder: VersionRecorder | undefined
  readonly strings: Dictionary
  readonly sets: SetTable
  readonly index: RowIndex
  readonly draft: Draft
  readonly removals = new Removals()
  /** Of each cluster that has rows here or had a sink: how many rows. */
  readonly counts = new Map<number, number>()
  /** Clusters of which a whole list has been here. */
  readonly listed = new Set<number>()
  /** Where each restored cluster stood. */
  readonly stood = new Map<number, number>()
  readonly #staging: Staging
  readonly #changed: TableParts['changed']
  #readTime = 0
  #told = false
  #closed = false
  /** Strings and bytes a row when whole lists had just been read; 0: none has. */
  #stringsPerRow = 0
  #bytesPerRow = 0

  constructor({ number, spec, recorder, restore, changed }: TableParts) {
    this.number = number
    this.spec = spec
    this.recorder = recorder
    this.strings = new Dictionary(restore?.strings)
    this.sets = new SetTable(restore?.sets)
    this.index = new RowIndex(restore)
    this.#staging = new Staging(spec.columns)
    this.draft = new Draft(spec.columns, this.strings, this.sets)
    this.#changed = changed
    for (let row = 0; row < this.index.used; row++) {
      const cluster = this.index.clusters[row] as number
      if (cluster !== NO_CLUSTER) this.counts.set(cluster, this.count(cluster) + 1)
    }
    for (const { cluster, revision } of restore?.stood ?? []) {
      this.stood.set(cluster, revision)
      this.listEnded(cluster)
    }
  }

  /** What has been found is still told. */
  stopRecording(): void {
    this.recorder?.flush()
    this.recorder = undefined
  }

  /** Objects of a cluster. */
  count(cluster: number): number {
    return this.counts.get(cluster) ?? 0
  }

  /** Bytes of memory, shared and own. */
  get memoryBytes(): number {
    const { strings, sets, index } = this
    return strings.memoryBytes + sets.memoryBytes + index.memoryBytes + this.#staging.memoryBytes
  }

  /** Another one has taken its place: what is written from now on is not told. */
  close(): void {
    this.#closed = true
  }

  /** A row for a new object. */
  add(cluster: number, uid: Uid): number {
    this.counts.set(cluster, this.count(cluster) + 1)
    return this.index.add(cluster, uid)
  }

  /** The row has the values of the draft now. */
  write(row: number, revision: number): void {
    if (this.#closed) return
    this.index.revisions[row] = revision
    this.index.see(row)
    this.#staging.put(row, this.draft)
    this.#readTime = Date.now()
    this.#changed(this, this.#staging.count >= (this.#told ? BATCH_ROWS : FIRST_ROWS))
  }

  /** The row's object is gone. */
  remove(row: number): void {
    const cluster = this.index.clusters[row] as number
    this.counts.set(cluster, this.count(cluster) - 1)
    this.#staging.drop(row)
    this.index.remove(row)
    this.#readTime = Date.now()
    if (!this.#closed) this.#changed(this, false)
  }

  /** What changed since it was last taken, and what of it is to be transferred: one buffer. Undefined when nothing did. */
  takeBatch(): { message: BatchMessage; transfer: ArrayBuffer[] } | undefined {
    const removed = Uint32Array.from(this.index.givenUp)
    if (this.#staging.count === 0 && removed.length === 0) return undefined
    this.#told = true
    const { rows, columns } = this.#staging.take()
    this.index.reuse(rows)
    const clusters = new Uint16Array(rows.length)
    const uids = new Uint32Array(rows.length * 4)
    const revisions = new Float64Array(rows.length)
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at] as number
      clusters[at] = this.index.clusters[row] as number
      revisions[at] = this.index.revisions[row] as number
      for (let word = 0; word < 4; word++) uids[at * 4 + word] = this.index.uids[row * 4 + word] as number
    }
    const arrays = columns.flatMap((part): Numbers[] =>
      part.type === 'split' ? [part.prefixes, part.suffixes] : [part.values],
    )
    const packer = new Packer([removed, rows, clusters, uids, revisions, ...arrays])
    const { number: table, strings, sets } = this
    return {
      message: {
        type: 'batch',
        table,
        strings: strings.part(),
        sets: sets.part(),
        removed: packer.words(removed),
        rows: packer.words(rows),
        clusters: packer.halves(clusters),
        uids: packer.words(uids),
        revisions: packer.doubles(revisions),
        columns: columns.map((part) => packedColumn(packer, part)),
        readTime: this.#readTime,
      },
      transfer: [packer.buffer],
    }
  }

  /** A whole list of a cluster has come for the first time: all strings are in use now, or nearly. */
  listEnded(cluster: number): void {
    if (this.listed.has(cluster)) return
    this.listed.add(cluster)
    this.#measure()
  }

  /**
   * Whether more than half of a large dictionary is of no use any more: as many rows as there are now need less than half
   * of the strings, by what lists needed when they were new.
   */
  isWasteful(): boolean {
    const { alive } = this.index
    const { count, textBytes } = this.strings
    if (this.#stringsPerRow === 0) return false
    if (count > MANY_STRINGS && count > 2 * alive * this.#stringsPerRow) return true
    return textBytes > MANY_BYTES && textBytes > 2 * alive * this.#bytesPerRow
  }

  #measure(): void {
    const { alive } = this.index
    if (alive === 0) return
    this.#stringsPerRow = Math.max(this.#stringsPerRow, this.strings.count / alive)
    this.#bytesPerRow = Math.max(this.#bytesPerRow, this.strings.textBytes / alive)
  }
}

function packedColumn(packer: Packer, part: ColumnPart): ColumnPart {
  if (part.type === 'u32') return { type: 'u32', values: packer.words(part.values) }
  if (part.type === 'f64') return { type: 'f64', values: packer.doubles(part.values) }
  return { type: 'split', prefixes: packer.words(part.prefixes), suffixes: packer.bytes(part.suffixes) }
}
