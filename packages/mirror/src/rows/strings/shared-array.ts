/** A larger copy in shared memory; the old one stays as it is for those who still read it. */
export function grownBytes(array: Uint8Array<SharedArrayBuffer>, length: number): Uint8Array<SharedArrayBuffer> {
  const grown = new Uint8Array(new SharedArrayBuffer(capacityFor(length)))
  grown.set(array)
  return grown
}

/** As grownBytes, for words of 32 bits. */
export function grownWords(array: Uint32Array<SharedArrayBuffer>, length: number): Uint32Array<SharedArrayBuffer> {
  const grown = new Uint32Array(new SharedArrayBuffer(capacityFor(length) * 4))
  grown.set(array)
  return grown
}

// Doubled while small; from 16 million on a quarter more, so that the unused part stays small beside what is used.
const MANY = 1 << 24
const capacityFor = (length: number): number =>
  length < MANY ? 2 ** Math.ceil(Math.log2(length)) : Math.ceil(length * 1.25)
