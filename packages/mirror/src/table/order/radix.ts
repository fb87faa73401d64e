/** Between two passes; as long as the longest rows so far. */
let spare = [new Uint32Array(0), new Uint32Array(0)]
const counts = new Uint32Array(65_536)

/**
 * Sorts rows by several keys, each by row number, the last in `keys` first; rows that are equal in all of them stay as
 * they were. Two passes of sixteen bits a key; a half that is the same in all rows costs next to nothing. The rows
 * themselves are not changed.
 */
export function sortStable(rows: Uint32Array, keys: readonly Uint32Array[]): Uint32Array {
  const { length } = rows
  if ((spare[0]?.length ?? 0) < length) spare = [new Uint32Array(length), new Uint32Array(length)]
  let from = rows
  let next = 0
  for (const words of keys.toReversed()) {
    for (const shift of [0, 16]) {
      const to = spare[next] as Uint32Array
      if (!sortByHalf(from, to, length, words, shift)) continue
      from = to
      next = 1 - next
    }
  }
  return from.slice(0, length)
}

/** False when nothing had to be done. */
function sortByHalf(from: Uint32Array, to: Uint32Array, length: number, keys: Uint32Array, shift: number): boolean {
  if (length === 0) return false
  counts.fill(0)
  for (let at = 0; at < length; at += 1) {
    const digit = ((keys[from[at] as number] as number) >>> shift) & 0xffff
    counts[digit] = (counts[digit] as number) + 1
  }
  if (counts[((keys[from[0] as number] as number) >>> shift) & 0xffff] === length) return false
  let place = 0
  for (let digit = 0; digit < counts.length; digit += 1) {
    const here = counts[digit] as number
    counts[digit] = place
    place += here
  }
  for (let at = 0; at < length; at += 1) {
    const row = from[at] as number
    const digit = ((keys[row] as number) >>> shift) & 0xffff
    const place = counts[digit] as number
    to[place] = row
    counts[digit] = place + 1
  }
  return true
}
