const UNITS = { m: 60, h: 3_600, d: 86_400 } as const

/** Seconds of `30m`, `8h` or `7d`; undefined for anything else, and for nothing at all. */
export function durationSeconds(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text.trim()) ?? []
  const seconds = Number(count) * (UNITS[unit as keyof typeof UNITS] ?? 0)
  return seconds > 0 ? seconds : undefined
}
