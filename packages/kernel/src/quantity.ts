import { z } from 'zod'

const FACTORS: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}
const FORM = /^([+-]?\d+(?:\.\d+)?)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?(?:[eE]([+-]?\d+))?$/

/** A Kubernetes resource quantity: `250m`, `64Mi`, `2`. */
export const Quantity = z
  .string()
  .max(40)
  .refine((text) => FORM.test(text) && !text.startsWith('-'), 'A quantity such as 250m, 0.5, 64Mi or 2Gi')

/** The number a quantity stands for, in cores or bytes. NaN when it is not one. */
export function quantityValue(text: string | number | undefined): number {
  if (text === undefined) return 0
  const match = FORM.exec(String(text))
  if (!match) return Number.NaN
  return Number(match[1]) * (FACTORS[match[2] ?? ''] ?? 1) * 10 ** Number(match[3] ?? 0)
}

/** Bytes for people, binary units, at most one decimal: `512 MiB`, `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${Number(value.toFixed(value < 10 && unit > 0 ? 1 : 0))} ${units[unit]}`
}

/** Cores for people: `250 m` below one core, else `1.5`. */
export const formatCores = (cores: number): string =>
  cores > 0 && cores < 1 ? `${Math.round(cores * 1000)} m` : String(Number(cores.toFixed(2)))
