/** Numbers that look random and come out the same for the same seed (mulberry32). */
export interface Random {
  /** 0 ≤ n < 1 */
  next(): number
  /** from ≤ n < to, a whole number */
  between(from: number, to: number): number
}

export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { next, between: (from, to) => from + Math.floor(next() * (to - from)) }
}
