import type { SetsPart } from '../batch.ts'
import { type Bits, grownBits, setBit } from './bitmap.ts'

/** Sets of one table by id, read where the reading thread wrote them. */
export class Sets {
  /** String ids. */
  members: Uint32Array = new Uint32Array(1)
  /** Where set i ends in `members`; it begins where i-1 ends. */
  ends: Uint32Array = new Uint32Array(1)
  count = 1
  #part: SetsPart | undefined
  #used: Bits = new Uint32Array(1)
  #usedUntil = 0

  /** What of it there is now. */
  update(part: SetsPart): void {
    if (this.#part?.members !== part.members) this.members = new Uint32Array(part.members)
    if (this.#part?.ends !== part.ends) this.ends = new Uint32Array(part.ends)
    this.#part = part
    this.count = Math.max(this.count, part.count)
  }

  /** As it was told last. */
  get part(): SetsPart {
    const empty = { members: new SharedArrayBuffer(64), ends: new SharedArrayBuffer(64) }
    return { ...(this.#part ?? empty), count: this.count }
  }

  from(id: number): number {
    return id === 0 ? 0 : (this.ends[id - 1] as number)
  }

  to(id: number): number {
    return this.ends[id] as number
  }

  /** String ids that are members of some set. */
  membersUsed(): Bits {
    const end = this.ends[this.count - 1] as number
    for (; this.#usedUntil < end; this.#usedUntil += 1) {
      const member = this.members[this.#usedUntil] as number
      if (member >>> 5 >= this.#used.length) this.#used = grownBits(this.#used, ((member >>> 5) + 1) * 2)
      setBit(this.#used, member)
    }
    return this.#used
  }

  get bytesHeld(): number {
    return this.count * 4 + (this.ends[this.count - 1] as number) * 4
  }
}
