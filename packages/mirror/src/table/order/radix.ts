/**
 * Sorts rows by `keys` (by row number); rows of equal keys stay as they were. Two passes of sixteen bits; a half that is
 * the same in all rows costs nothing.
 */
export function sortStable(rows: Uint32Array, keys: Uint32Array): Uint32Array {
  return byHalf(byHalf(rows, keys, 0), keys, 16)
}

const counts = new Uint32Array(65_536)

function byHalf(rows: Uint32Array, keys: Uint32Array, shift: number): Uint32Array {
  const { length } = rows
  if (length === 0) return rows
  counts.fill(0)
  let highest = 0
  for (let at = 0; at < length; at += 1) {
    const digit = ((keys[rows[at] as number] as number) >>> shift) & 0xffff
    counts[digit] = (counts[digit] as number) + 1
    if (digit > highest) highest = digit
  }
  if (counts[((keys[rows[0] as number] as number) >>> shift) & 0xffff] === length) return rows
  let place = 0
  for (let digit = 0; digit <= highest; digit += 1) {
    const here = counts[digit] as number
    counts[digit] = place
    place += here
  }
  const sorted = new Uint32Array(length)
  for (let at = 0; at < length; at += 1) {
    const row = rows[at] as number
    const digit = ((keys[row] as number) >>> shift) & 0xffff
    const to = counts[digit] as number
    sorted[to] = row
    counts[digit] = to + 1
  }
  return sorted
}
