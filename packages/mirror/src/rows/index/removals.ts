import type { Uid } from './uid.ts'

// Power of two. As many as may lie between an event and one that was sent before it and comes after it.
const REMEMBERED = 512

/**
 * The last objects that were removed, so that an older event that comes after the removal does not bring one back.
 * Forgets the older of two that meet in one place.
 */
export class Removals {
  #uids: Uint32Array | undefined
  #revisions: Float64Array = new Float64Array(0)
  #clusters: Uint16Array = new Uint16Array(0)

  add(cluster: number, uid: Uid, revision: number): void {
    if (this.#uids === undefined) {
      this.#uids = new Uint32Array(REMEMBERED * 4)
      this.#revisions = new Float64Array(REMEMBERED)
      this.#clusters = new Uint16Array(REMEMBERED)
    }
    const place = placeOf(uid)
    this.#uids.set(uid, place * 4)
    this.#revisions[place] = revision
    this.#clusters[place] = cluster
  }

  /** Whether the object was removed at this revision or a later one. Revision 0 is unknown: never. */
  has(cluster: number, uid: Uid, revision: number): boolean {
    if (this.#uids === undefined || revision === 0) return false
    const place = placeOf(uid)
    return (
      (this.#revisions[place] as number) >= revision &&
      this.#clusters[place] === cluster &&
      uid.every((word, at) => this.#uids?.[place * 4 + at] === word)
    )
  }

  /** Forgets those of a cluster. */
  forget(cluster: number): void {
    for (let place = 0; place < this.#revisions.length; place++) {
      if (this.#clusters[place] === cluster) this.#revisions[place] = -1
    }
  }
}

const placeOf = (uid: Uid): number => ((uid[0] as number) ^ (uid[3] as number)) & (REMEMBERED - 1)
