/** Four words of 32 bits that stand for an object within its cluster. */
export type Uid = Uint32Array

/**
 * Reads the uid in from..to: 32 hex digits with dashes as Kubernetes writes them, anything else as a hash of 128 bits.
 */
export function readUid(bytes: Uint8Array, from: number, to: number, uid: Uid): void {
  if (to - from !== 36 || !readHex(bytes, from, uid)) hashUid(bytes, from, to, uid)
}

/** The usual form of a uid: 01234567-89ab-cdef-0123-456789abcdef. Of a hash likewise. */
export function uidText(uids: Uint32Array, row: number): string {
  let hex = ''
  for (let at = row * 4; at < row * 4 + 4; at++) hex += (uids[at] as number).toString(16).padStart(8, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

function readHex(bytes: Uint8Array, from: number, uid: Uid): boolean {
  let word = 0
  let digits = 0
  for (let at = 0; at < 36; at++) {
    const byte = bytes[from + at] as number
    if (at === 8 || at === 13 || at === 18 || at === 23) {
      if (byte !== 45) return false
      continue
    }
    const digit = byte >= 48 && byte <= 57 ? byte - 48 : byte >= 97 && byte <= 102 ? byte - 87 : -1
    if (digit < 0) return false
    word = (word << 4) | digit
    if ((++digits & 7) === 0) uid[(digits >> 3) - 1] = word
  }
  return true
}

// Four FNV-1a hashes with different beginnings, mixed at the end. Only for objects without a usual uid.
function hashUid(bytes: Uint8Array, from: number, to: number, uid: Uid): void {
  for (let lane = 0; lane < 4; lane++) {
    let hash = 0x811c9dc5 ^ Math.imul(lane + 1, 0x9e3779b9)
    for (let at = from; at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193 + lane * 0x5a2)
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    uid[lane] = hash ^ (hash >>> 13)
  }
}
