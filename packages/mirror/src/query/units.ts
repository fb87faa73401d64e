import { quantityValue } from '@quarterdeck/kernel'

const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }
const DURATION = /^(?:\d+(?:\.\d+)?[smhdw])+$/
const DECIMAL = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/
/** Longer than any cluster lives, and exact in milliseconds. */
const LONGEST_SECONDS = 1e11

/** Seconds of `10m`, `1h30m`, `1.5d`; units s m h d w. NaN when it is not a duration. */
export function durationSeconds(text: string): number {
  if (!DURATION.test(text)) return Number.NaN
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)([smhdw])/g))
    total += Number(amount) * (SECONDS[unit ?? ''] ?? Number.NaN)
  return total <= LONGEST_SECONDS ? Math.round(total * 1000) / 1000 : Number.NaN
}

/** The shortest duration of one unit that `durationSeconds` reads as this: `10m`, `90s`. */
export function durationText(seconds: number): string {
  for (const unit of ['w', 'd', 'h', 'm']) {
    const size = SECONDS[unit] ?? 1
    if (seconds >= size && seconds % size === 0) return `${seconds / size}${unit}`
  }
  return `${seconds}s`
}

/** `3`, `512Mi`, `500m` (a half), and for seconds durations too. NaN when it is no number. */
export function numberOf(text: string, unit?: 'bytes' | 'cores' | 'seconds'): number {
  if (DECIMAL.test(text)) return finite(Number(text))
  const seconds = unit === 'seconds' ? durationSeconds(text) : Number.NaN
  return Number.isNaN(seconds) ? finite(quantityValue(text)) : seconds
}

/** What `numberOf` reads as this number, whatever the unit: whole mebibytes and gibibytes as such. */
export function numberText(value: number): string {
  if (value !== 0 && Number.isSafeInteger(value)) {
    if (value % 2 ** 30 === 0) return `${value / 2 ** 30}Gi`
    if (value % 2 ** 20 === 0) return `${value / 2 ** 20}Mi`
  }
  return String(value)
}

const finite = (value: number) => (Number.isFinite(value) ? value : Number.NaN)
