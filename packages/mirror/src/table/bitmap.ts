/** A bit for each row number (or string id), 32 to a word. */
export type Bits = Uint32Array

export const wordsFor = (rows: number): number => (rows + 31) >>> 5
/** False for what lies beyond the bitmap. */
export const hasBit = (bits: Bits, row: number): boolean => {
  const place = row >>> 5
  return place < bits.length && (((bits[place] as number) >>> (row & 31)) & 1) === 1
}
export const setBit = (bits: Bits, row: number): void => {
  bits[row >>> 5] = (bits[row >>> 5] as number) | (1 << (row & 31))
}
export const clearBit = (bits: Bits, row: number): void => {
  bits[row >>> 5] = (bits[row >>> 5] as number) & ~(1 << (row & 31))
}

/** How many bits of one word are set. */
export const bitsIn = (word: number): number => {
  let x = word - ((word >>> 1) & 0x5555_5555)
  x = (x & 0x3333_3333) + ((x >>> 2) & 0x3333_3333)
  return Math.imul((x + (x >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24
}

export const countBits = (bits: Bits, words = bits.length): number => {
  let total = 0
  for (let at = 0; at < words; at += 1) total += bitsIn(bits[at] as number)
  return total
}

/** The same bits, with room for more. */
export const grownBits = (bits: Bits, words: number): Bits => {
  if (bits.length >= words) return bits
  const grown = new Uint32Array(words)
  grown.set(bits)
  return grown
}

/** Calls `visit` for every set bit, ascending. */
export const eachBit = (bits: Bits, words: number, visit: (row: number) => void): void => {
  for (let at = 0; at < words; at += 1) {
    let word = bits[at] as number
    while (word !== 0) {
      const low = word & -word
      visit((at << 5) + 31 - Math.clz32(low))
      word ^= low
    }
  }
}

/** Row numbers of the set bits, ascending. */
export const rowsOfBits = (bits: Bits, words: number, count = countBits(bits, words)): Uint32Array => {
  const rows = new Uint32Array(count)
  let filled = 0
  for (let at = 0; at < words; at += 1) {
    let word = bits[at] as number
    while (word !== 0) {
      const low = word & -word
      rows[filled] = (at << 5) + 31 - Math.clz32(low)
      filled += 1
      word ^= low
    }
  }
  return rows
}

/** Whether two bitmaps have a bit in common. */
export function meets(a: Bits, b: Bits): boolean {
  const words = Math.min(a.length, b.length)
  for (let at = 0; at < words; at += 1) if (((a[at] as number) & (b[at] as number)) !== 0) return true
  return false
}

let none: Bits = new Uint32Array(1_024)
/** No bit at all. Nobody writes to it. */
export const noBits = (words: number): Bits => {
  if (none.length < words) none = new Uint32Array(words * 2)
  return none
}
