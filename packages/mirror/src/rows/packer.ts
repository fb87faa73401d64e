export type Numbers = Uint32Array | Float64Array | Uint16Array | Uint8Array

const ALIGNED = 8
const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNED) * ALIGNED

/** Copies arrays into one buffer: what handing over to another thread costs, it costs for each buffer. */
export class Packer {
  readonly buffer: ArrayBuffer
  #at = 0

  /** `arrays`: everything that will be packed. */
  constructor(arrays: readonly Numbers[]) {
    this.buffer = new ArrayBuffer(arrays.reduce((sum, { byteLength }) => sum + aligned(byteLength), 0))
  }

  words(array: Uint32Array): Uint32Array<ArrayBuffer> {
    return this.#copy(new Uint32Array(this.buffer, this.#at, array.length), array)
  }

  halves(array: Uint16Array): Uint16Array<ArrayBuffer> {
    return this.#copy(new Uint16Array(this.buffer, this.#at, array.length), array)
  }

  doubles(array: Float64Array): Float64Array<ArrayBuffer> {
    return this.#copy(new Float64Array(this.buffer, this.#at, array.length), array)
  }

  bytes(array: Uint8Array): Uint8Array<ArrayBuffer> {
    return this.#copy(new Uint8Array(this.buffer, this.#at, array.length), array)
  }

  #copy<Place extends Numbers>(place: Place, from: Numbers): Place {
    place.set(from)
    this.#at = aligned(this.#at + place.byteLength)
    return place
  }
}
