const UNITS: readonly [string, number][] = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
]

/** How long ago an instant is, as kubectl says it: `45s`, `12m`, `3h`, `8d`. `-` without one. */
export function ageText(time: string | null | undefined, nowMs: number = Date.now()): string {
  if (!time) return '-'
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(time)) / 1_000))
  const [unit, size] = UNITS.find(([, length]) => seconds >= length * (length === 60 ? 2 : 1)) ?? ['s', 1]
  return `${Math.floor(seconds / size)}${unit}`
}
