import { encodeText, textBytes } from '../strings/dictionary.ts'

const DOT = 46
const PLUS = 43
const MINUS = 45

/** A quantity such as `100m`, `1.5`, `128Mi` or `1e3` in whole units; NaN when it is none. */
export function quantityOf(text: string): number {
  return quantityIn(textBytes, 0, encodeText(text))
}

/** As quantityOf, of the text in from..to. */
export function quantityIn(bytes: Uint8Array, from: number, to: number): number {
  let at = from
  const negative = bytes[at] === MINUS
  if (negative || bytes[at] === PLUS) at++
  let digits = 0
  let exponent = 0
  let seen = 0
  let fraction = false
  for (; at < to; at++) {
    const byte = bytes[at] as number
    if (byte >= 48 && byte <= 57) {
      digits = digits * 10 + byte - 48
      seen++
      if (fraction) exponent--
    } else if (byte === DOT && !fraction) fraction = true
    else break
  }
  if (seen === 0) return Number.NaN
  const value = scaled(digits, exponent, bytes, at, to)
  return negative ? -value : value
}

function scaled(digits: number, exponent: number, bytes: Uint8Array, at: number, to: number): number {
  if (at === to) return decimal(digits, exponent)
  const unit = bytes[at] as number
  if (at + 1 === to) {
    const power = DECIMAL.indexOf(unit)
    return power < 0 ? Number.NaN : decimal(digits, exponent + (power - 3) * 3)
  }
  if (at + 2 === to && bytes[at + 1] === 105) {
    const power = BINARY.indexOf(unit)
    return power < 0 ? Number.NaN : decimal(digits * 1024 ** (power + 1), exponent)
  }
  // 'e' or 'E' and a whole number.
  if (unit !== 101 && unit !== 69) return Number.NaN
  const power = Number(String.fromCharCode(...bytes.subarray(at + 1, to)))
  return Number.isInteger(power) ? decimal(digits, exponent + power) : Number.NaN
}

/** Division by an exact power of ten rounds once: 100m is 0.1. */
const decimal = (digits: number, exponent: number): number =>
  exponent < 0 ? digits / 10 ** -exponent : digits * 10 ** exponent

// n u m (none) k M G T P E: powers of 1000 from -3.
const DECIMAL = [110, 117, 109, 0, 107, 77, 71, 84, 80, 69]
// Ki Mi Gi Ti Pi Ei.
const BINARY = [75, 77, 71, 84, 80, 69]
