import type { SetsPart } from '../../batch.ts'
import { grownWords } from './shared-array.ts'

const FIRST_SETS = 16
const FIRST_MEMBERS = 64

/** Sets of string ids by id, each combination kept once, in shared memory that is only ever added to. */
export class SetTable {
  #members: Uint32Array<SharedArrayBuffer>
  #ends: Uint32Array<SharedArrayBuffer>
  /** As in Dictionary; id 0 is the empty set. */
  #slots: Uint32Array
  #count: number

  /** Empty, or with the sets of a snapshot. */
  constructor(part?: SetsPart) {
    this.#members = new Uint32Array(part?.members ?? new SharedArrayBuffer(FIRST_MEMBERS * 4))
    this.#ends = new Uint32Array(part?.ends ?? new SharedArrayBuffer(FIRST_SETS * 4))
    this.#count = part?.count ?? 1
    this.#slots = new Uint32Array(0)
    this.#fillSlots()
  }

  /** How many sets there are, the empty one included. */
  get count(): number {
    return this.#count
  }

  /** Bytes of memory, what is kept free included. */
  get memoryBytes(): number {
    return this.#members.byteLength + this.#ends.byteLength + this.#slots.byteLength
  }

  /** Id of the set of the first `length` members, in this order; added when it is not there. */
  idOf(members: Uint32Array, length: number): number {
    if (length === 0) return 0
    const mask = this.#slots.length - 1
    let slot = hashOf(members, 0, length) & mask
    for (;;) {
      const id = this.#slots[slot] as number
      if (id === 0) return this.#add(slot, members, length)
      const start = this.#ends[id - 1] as number
      if ((this.#ends[id] as number) - start === length && this.#equal(start, members, length)) return id
      slot = (slot + 1) & mask
    }
  }

  /** String ids of the members, for those who show or test them. */
  membersOf(id: number): number[] {
    return id === 0 ? [] : [...this.#members.subarray(this.#ends[id - 1], this.#ends[id])]
  }

  /** What the serving thread gets. */
  part(): SetsPart {
    return { members: this.#members.buffer, ends: this.#ends.buffer, count: this.#count }
  }

  #equal(start: number, members: Uint32Array, length: number): boolean {
    for (let at = 0; at < length; at++) if (this.#members[start + at] !== members[at]) return false
    return true
  }

  #add(slot: number, members: Uint32Array, length: number): number {
    const start = this.#ends[this.#count - 1] as number
    const end = start + length
    if (end > this.#members.length) this.#members = grownWords(this.#members, end)
    if (this.#count === this.#ends.length) this.#ends = grownWords(this.#ends, this.#count + 1)
    this.#members.set(members.subarray(0, length), start)
    this.#ends[this.#count] = end
    const id = this.#count++
    this.#slots[slot] = id
    if (this.#count * 2 > this.#slots.length) this.#fillSlots()
    return id
  }

  #fillSlots(): void {
    let size = FIRST_SETS * 2
    while (size < this.#count * 3) size *= 2
    const mask = size - 1
    const slots = new Uint32Array(size)
    for (let id = 1; id < this.#count; id++) {
      let slot = hashOf(this.#members, this.#ends[id - 1] as number, this.#ends[id] as number) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = id
    }
    this.#slots = slots
  }
}

function hashOf(members: Uint32Array, from: number, to: number): number {
  let hash = to - from
  for (let at = from; at < to; at++) {
    hash = Math.imul(hash ^ (members[at] as number), 0x5bd1e995)
    hash ^= hash >>> 15
  }
  hash = Math.imul(hash, 0x85ebca6b)
  return (hash ^ (hash >>> 16)) >>> 0
}
