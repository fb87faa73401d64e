import type { Uid } from './uid.ts'

// More than may lie between an event and one that was sent before it and comes after it.
const REMEMBERED = 1_024

interface Removal {
  cluster: number
  uid: Uid
  revision: number
}

/** The last objects that were removed, so that an older event that comes after the removal does not bring one back. */
export class Removals {
  /** Oldest first. */
  readonly #removals = new Map<number, Removal>()

  add(cluster: number, uid: Uid, revision: number): void {
    const key = keyOf(cluster, uid)
    this.#removals.delete(key)
    this.#removals.set(key, { cluster, uid: uid.slice(), revision })
    if (this.#removals.size <= REMEMBERED) return
    for (const oldest of this.#removals.keys()) {
      this.#removals.delete(oldest)
      return
    }
  }

  /** Whether the object was removed at this revision or a later one. Revision 0 is unknown: never. */
  has(cluster: number, uid: Uid, revision: number): boolean {
    if (this.#removals.size === 0 || revision === 0) return false
    const removal = this.#removals.get(keyOf(cluster, uid))
    if (removal === undefined || removal.cluster !== cluster || removal.revision < revision) return false
    return removal.uid.every((word, at) => word === uid[at])
  }

  /** Forgets those of a cluster. */
  forget(cluster: number): void {
    for (const [key, removal] of this.#removals) if (removal.cluster === cluster) this.#removals.delete(key)
  }
}

/** 52 bits: two objects in one place are as good as impossible. */
const keyOf = (cluster: number, uid: Uid): number =>
  (((uid[0] as number) ^ cluster) >>> 0) * 2 ** 20 + ((uid[3] as number) & 0xfffff)
