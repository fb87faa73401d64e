/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** From 0 up to, not including, 1. */
  next(): number
  /** A whole number from `from` to `to`, both included. */
  whole(from: number, to: number): number
  /** True with this probability. */
  chance(share: number): boolean
  pick<T>(values: readonly T[]): T
  /** Letters and digits as Kubernetes takes them for generated names. */
  letters(length: number): string
  /** A version 4 UUID. */
  uid(): string
  hex(length: number): string
}

// Kubernetes leaves out vowels and what looks like them, so that no words come out.
const SAFE = 'bcdfghjklmnpqrstvwxz2456789'

/** A generator of its own for each seed (mulberry32). */
export function randomOf(seed: number): Random {
  let state = seed >>> 0
  const word = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const next = () => word() / 4_294_967_296
  const whole = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  const hex = (length: number) => {
    let text = ''
    while (text.length < length) text += word().toString(16).padStart(8, '0')
    return text.slice(0, length)
  }
  return {
    next,
    whole,
    chance: (share) => next() < share,
    pick: <T>(values: readonly T[]) => values[Math.floor(next() * values.length)] as T,
    letters: (length) => {
      let text = ''
      for (let n = 0; n < length; n++) text += SAFE[Math.floor(next() * SAFE.length)]
      return text
    },
    uid: () => {
      const digits = hex(32)
      const variant = '89ab'[Number.parseInt(digits[16] ?? '0', 16) & 3]
      return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-${variant}${digits.slice(17, 20)}-${digits.slice(20)}`
    },
    hex,
  }
}
