import { type BatchMessage, NO_CLUSTER } from '../batch.ts'
import type { KindSpec } from '../kind.ts'
import type { RowTracker, TableArrays } from '../snapshot/snapshot-source.ts'
import { type Bits, clearBit, grownBits, hasBit, setBit, wordsFor } from './bitmap.ts'
import { ChangeLog } from './change-log.ts'
import { Column } from './column.ts'
import { Scopes } from './scopes.ts'
import { Sets } from './sets.ts'
import { Strings } from './strings.ts'

/** Whether rows of a cluster count: restored ones do not before the cluster is watched, forgotten ones never again. */
export type Shown = (cluster: number) => boolean

/** The rows of one kind in all clusters. Row numbers are given by the reading thread. */
export class Table {
  readonly number: number
  readonly spec: KindSpec
  readonly strings = new Strings()
  readonly sets = new Sets()
  readonly columns: Column[]
  readonly log = new ChangeLog()
  /** Distinct places (cluster and namespace), and each row's. */
  readonly scopes = new Scopes()
  /** Rows that are there. */
  live: Bits = new Uint32Array(2)
  /** Numbers below this are or were in use. */
  slots = 0
  count = 0
  clusters: Uint16Array = new Uint16Array(64).fill(NO_CLUSTER)
  /** Four words a row. */
  uids: Uint32Array = new Uint32Array(256)
  revisions: Float64Array = new Float64Array(64)
  /** Rows by cluster number. */
  readonly counts = new Map<number, number>()
  readonly #byName: Map<string, Column>
  readonly #shown: Shown
  readonly #trackers = new Set<Uint32Array[]>()

  constructor(number: number, spec: KindSpec, shown: Shown) {
    this.number = number
    this.spec = spec
    this.#shown = shown
    this.columns = spec.columns.map((column) => new Column(column))
    this.#byName = new Map(this.columns.map((column) => [column.spec.name, column]))
    for (const column of this.columns) column.grow(this.capacity)
  }

  get capacity(): number {
    return this.clusters.length
  }

  /** Words of a bitmap over the rows. */
  get words(): number {
    return wordsFor(this.slots)
  }

  /** Memory of the rows themselves, of strings and sets. */
  get bytes(): number {
    const rows = this.clusters.byteLength + this.uids.byteLength + this.revisions.byteLength + this.live.byteLength
    const columns = this.columns.reduce((sum, column) => sum + column.bytes, 0)
    return rows + columns + this.strings.bytesHeld + this.sets.bytesHeld + this.scopes.bytes + this.log.bytes
  }

  column(name: string): Column | undefined {
    return this.#byName.get(name)
  }

  isLive(row: number): boolean {
    return row < this.slots && hasBit(this.live, row)
  }

  /** Takes in what the reading thread wrote. Rows of one batch are there all at once. */
  apply(batch: BatchMessage): void {
    this.strings.update(batch.strings)
    this.sets.update(batch.sets)
    for (const tracker of this.#trackers) tracker.push(batch.removed, batch.rows)
    for (const row of batch.removed) this.#remove(row)
    this.#reserve(batch.rows)
    for (const [at, column] of this.columns.entries()) {
      const part = batch.columns[at]
      if (!part) throw new Error(`A batch of ${this.spec.resource} has ${batch.columns.length} columns`)
      column.write(batch.rows, part, column.type === 'set' ? this.sets.count : this.strings.count)
    }
    this.uids = writeUids(this.uids, batch)
    const { rows } = batch
    const namespaces = this.columns[0] as Column
    for (let at = 0; at < rows.length; at += 1) {
      const row = rows[at] as number
      const cluster = batch.clusters[at] as number
      if (hasBit(this.live, row)) this.#uncount(row)
      this.clusters[row] = cluster
      this.revisions[row] = batch.revisions[at] as number
      this.scopes.put(row, cluster, namespaces.u32[row] as number)
      if (this.#shown(cluster)) this.#show(row, cluster)
      this.log.add(row)
    }
  }

  #remove(row: number): void {
    if (row >= this.slots) return
    if (hasBit(this.live, row)) {
      this.#uncount(row)
      this.log.add(row)
    }
    this.clusters[row] = NO_CLUSTER
  }

  #uncount(row: number): void {
    const cluster = this.clusters[row] as number
    clearBit(this.live, row)
    this.count -= 1
    this.counts.set(cluster, (this.counts.get(cluster) ?? 1) - 1)
  }

  #show(row: number, cluster: number): void {
    setBit(this.live, row)
    this.count += 1
    this.counts.set(cluster, (this.counts.get(cluster) ?? 0) + 1)
  }

  /** Looks at all rows of a cluster again: they come or go with what `shown` says now. */
  showAgain(cluster: number): void {
    const shown = this.#shown(cluster)
    for (let row = 0; row < this.slots; row += 1) {
      if (this.clusters[row] !== cluster || hasBit(this.live, row) === shown) continue
      if (shown) this.#show(row, cluster)
      else this.#uncount(row)
      this.log.add(row)
    }
  }

  /** Room for these rows. Doubles at first, later grows by a quarter. */
  #reserve(rows: Uint32Array): void {
    let slots = this.slots
    for (let at = 0; at < rows.length; at += 1) if ((rows[at] as number) >= slots) slots = (rows[at] as number) + 1
    this.slots = slots
    if (slots > this.capacity) this.#grow(Math.max(slots, this.capacity * (this.capacity < 32_768 ? 2 : 1.25)))
    this.log.reserve(2 ** Math.min(16, Math.max(8, Math.ceil(Math.log2(slots / 4 + 1)))))
  }

  #grow(atLeast: number): void {
    const capacity = Math.ceil(atLeast / 64) * 64
    const clusters = new Uint16Array(capacity).fill(NO_CLUSTER, this.clusters.length)
    clusters.set(this.clusters)
    this.clusters = clusters
    const uids = new Uint32Array(capacity * 4)
    uids.set(this.uids)
    this.uids = uids
    const revisions = new Float64Array(capacity)
    revisions.set(this.revisions)
    this.revisions = revisions
    this.live = grownBits(this.live, wordsFor(capacity))
    this.scopes.grow(capacity)
    for (const column of this.columns) column.grow(capacity)
  }

  /** Rows of a snapshot, into an empty table. The arrays are taken over. */
  restore(arrays: TableArrays): void {
    const { slots } = arrays
    this.strings.update(arrays.strings)
    this.sets.update(arrays.sets)
    this.clusters = arrays.clusters
    this.uids = arrays.uids
    this.revisions = arrays.revisions
    this.slots = slots
    this.live = new Uint32Array(wordsFor(this.capacity))
    this.scopes.grow(this.capacity)
    for (const [at, column] of this.columns.entries()) {
      const part = arrays.columns[at]
      if (part) column.take(part, slots, column.type === 'set' ? this.sets.count : this.strings.count)
    }
    const namespaces = this.columns[0] as Column
    for (let row = 0; row < slots; row += 1) {
      const cluster = this.clusters[row] as number
      if (cluster === NO_CLUSTER) continue
      this.scopes.put(row, cluster, namespaces.u32[row] as number)
      if (this.#shown(cluster)) this.#show(row, cluster)
    }
    this.#reserve(new Uint32Array(0))
    this.log.cut()
  }

  /** From now on keeps in mind which rows are written or removed. */
  track(): RowTracker {
    const rows: Uint32Array[] = []
    this.#trackers.add(rows)
    return { rows, end: () => this.#trackers.delete(rows) }
  }

  /** For snapshots: the arrays as they are. */
  arrays(): TableArrays {
    return {
      strings: this.strings.part,
      sets: this.sets.part,
      slots: this.slots,
      clusters: this.clusters,
      uids: this.uids,
      revisions: this.revisions,
      columns: this.columns.map((column) => column.part()),
    }
  }
}

function writeUids(uids: Uint32Array, batch: BatchMessage): Uint32Array {
  for (let at = 0; at < batch.rows.length; at += 1) {
    const to = (batch.rows[at] as number) * 4
    uids[to] = batch.uids[at * 4] as number
    uids[to + 1] = batch.uids[at * 4 + 1] as number
    uids[to + 2] = batch.uids[at * 4 + 2] as number
    uids[to + 3] = batch.uids[at * 4 + 3] as number
  }
  return uids
}
