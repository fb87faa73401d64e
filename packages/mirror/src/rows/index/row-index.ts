import { NO_CLUSTER, type Restore } from '../../batch.ts'
import type { Uid } from './uid.ts'

const FIRST_ROWS = 16
const SEEN = 1
const TOLD = 2

/**
 * Which row number stands for which object of which cluster. A number that is given up is used again only after `reuse`,
 * when the serving thread has been told.
 */
export class RowIndex {
  /** Of each row number; NO_CLUSTER where it is free. */
  clusters: Uint16Array
  /** Four words a row. */
  uids: Uint32Array
  revisions: Float64Array
  #flags: Uint8Array
  /** Open addressing: row number + 1; 0 is empty. */
  #slots: Uint32Array
  #used = 0
  #free: number[] = []
  #givenUp: number[] = []
  #alive = 0

  /** Empty, or with the rows of a snapshot. */
  constructor(restored?: Pick<Restore, 'slots' | 'clusters' | 'uids' | 'revisions'>) {
    const rows = Math.max(FIRST_ROWS, restored?.slots ?? 0)
    this.clusters = new Uint16Array(rows).fill(NO_CLUSTER)
    this.uids = new Uint32Array(rows * 4)
    this.revisions = new Float64Array(rows)
    this.#flags = new Uint8Array(rows)
    this.#slots = new Uint32Array(0)
    if (restored !== undefined) this.#restore(restored)
    this.#fillSlots()
  }

  /** Objects of all clusters. */
  get alive(): number {
    return this.#alive
  }

  /** Highest row number that was ever used, plus one. */
  get used(): number {
    return this.#used
  }

  /** Bytes of memory. */
  get memoryBytes(): number {
    const { clusters, uids, revisions } = this
    return clusters.byteLength + uids.byteLength + revisions.byteLength + this.#flags.length + this.#slots.byteLength
  }

  /** Row number, or -1. */
  find(cluster: number, uid: Uid): number {
    const mask = this.#slots.length - 1
    let slot = hashOf(cluster, uid, 0) & mask
    for (;;) {
      const row = (this.#slots[slot] as number) - 1
      if (row < 0 || this.#is(row, cluster, uid)) return row
      slot = (slot + 1) & mask
    }
  }

  /** A row number for an object that has none. */
  add(cluster: number, uid: Uid): number {
    const row = this.#free.pop() ?? this.#used++
    if (row === this.clusters.length) this.#grow()
    this.clusters[row] = cluster
    this.uids.set(uid, row * 4)
    this.revisions[row] = 0
    this.#flags[row] = 0
    this.#alive++
    if (this.#alive * 3 > this.#slots.length * 2) this.#fillSlots()
    else this.#enter(row)
    return row
  }

  /** Gives up a row number. Answers whether the serving thread knows it. */
  remove(row: number): boolean {
    this.#leave(row)
    this.clusters[row] = NO_CLUSTER
    this.#alive--
    const told = ((this.#flags[row] as number) & TOLD) !== 0
    if (told) this.#givenUp.push(row)
    else this.#free.push(row)
    return told
  }

  /** The rows given up since `reuse` was last called. */
  get givenUp(): readonly number[] {
    return this.#givenUp
  }

  /** The serving thread has been told: rows given up may be used again, and it knows `rows`. */
  reuse(rows: Uint32Array): void {
    for (const row of this.#givenUp) this.#free.push(row)
    this.#givenUp = []
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at] as number
      this.#flags[row] = (this.#flags[row] as number) | TOLD
    }
  }

  /** Mark and sweep: forgets which rows of a cluster have been seen. */
  unsee(cluster: number): void {
    for (let row = 0; row < this.#used; row++) {
      if (this.clusters[row] === cluster) this.#flags[row] = (this.#flags[row] as number) & ~SEEN
    }
  }

  see(row: number): void {
    this.#flags[row] = (this.#flags[row] as number) | SEEN
  }

  /** Rows of a cluster, or only those not seen since `unsee`. */
  rowsOf(cluster: number, unseen = false): number[] {
    const rows: number[] = []
    for (let row = 0; row < this.#used; row++) {
      if (this.clusters[row] !== cluster) continue
      if (!unseen || ((this.#flags[row] as number) & SEEN) === 0) rows.push(row)
    }
    return rows
  }

  #restore(restored: Pick<Restore, 'slots' | 'clusters' | 'uids' | 'revisions'>): void {
    this.#used = restored.slots
    this.clusters.set(restored.clusters.subarray(0, restored.slots))
    this.uids.set(restored.uids.subarray(0, restored.slots * 4))
    this.revisions.set(restored.revisions.subarray(0, restored.slots))
    for (let row = restored.slots - 1; row >= 0; row--) {
      if (this.clusters[row] === NO_CLUSTER) this.#free.push(row)
      else this.#alive++
    }
    this.#flags.fill(TOLD, 0, restored.slots)
  }

  #is(row: number, cluster: number, uid: Uid): boolean {
    const at = row * 4
    return (
      this.uids[at] === uid[0] &&
      this.uids[at + 1] === uid[1] &&
      this.uids[at + 2] === uid[2] &&
      this.uids[at + 3] === uid[3] &&
      this.clusters[row] === cluster
    )
  }

  #grow(): void {
    // Doubled while small, then a quarter more: what is kept free costs memory at 150,000 rows.
    const rows = this.#used < 65_536 ? this.#used * 2 : Math.ceil(this.#used * 1.25)
    const clusters = new Uint16Array(rows).fill(NO_CLUSTER)
    clusters.set(this.clusters)
    this.clusters = clusters
    const uids = new Uint32Array(rows * 4)
    uids.set(this.uids)
    this.uids = uids
    const revisions = new Float64Array(rows)
    revisions.set(this.revisions)
    this.revisions = revisions
    const flags = new Uint8Array(rows)
    flags.set(this.#flags)
    this.#flags = flags
  }

  #enter(row: number): void {
    const mask = this.#slots.length - 1
    let slot = hashOf(this.clusters[row] as number, this.uids, row * 4) & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = row + 1
  }

  /** Takes a row out and moves those that stand behind it as far to the front as they may go. */
  #leave(row: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    let hole = this.#home(row) & mask
    while (slots[hole] !== row + 1) hole = (hole + 1) & mask
    for (let slot = (hole + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#home((slots[slot] as number) - 1) & mask
      // May move when its home is not between the hole and where it stands.
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue
      slots[hole] = slots[slot] as number
      hole = slot
    }
    slots[hole] = 0
  }

  #home(row: number): number {
    return hashOf(this.clusters[row] as number, this.uids, row * 4)
  }

  #fillSlots(): void {
    let size = FIRST_ROWS * 2
    while (size < this.#alive * 2) size *= 2
    this.#slots = new Uint32Array(size)
    for (let row = 0; row < this.#used; row++) if (this.clusters[row] !== NO_CLUSTER) this.#enter(row)
  }
}

function hashOf(cluster: number, uids: Uint32Array, at: number): number {
  let hash = Math.imul(cluster + 1, 0x9e3779b1) ^ (uids[at] as number)
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) ^ (uids[at + 1] as number)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) ^ (uids[at + 2] as number)
  hash = Math.imul(hash ^ (hash >>> 15), 0x27d4eb2f) ^ (uids[at + 3] as number)
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d)
  return (hash ^ (hash >>> 15)) >>> 0
}
