import { cpus, loadavg, release, totalmem } from 'node:os'

/** Result of one workload, as every file under bench/results holds it. Numbers carry their unit in the key. */
export interface Result {
  workload: string
  /** RFC 3339. */
  at: string
  machine: string
  /** Pods that the workload had to do with. */
  pods: number
  target: Record<string, number>
  measured: Record<string, number>
  /** The same, done by others in the same run. */
  peers: Record<string, Record<string, number>>
  met: boolean
  /** Why it was not met, or what else the reader must know. */
  why?: string
  /** What was measured again and again, in order. */
  samples?: Record<string, number>[]
  /** The workload is still running: what it has so far. Another result of it takes the place of this one. */
  unfinished?: true
}

/** Takes a result as soon as it is there. */
export type Keep = (result: Result) => void

/** Says on standard error which step is running, and since when the program runs. */
export const progress = (step: string): void =>
  console.error(`${(performance.now() / 1000).toFixed(1).padStart(7)} s  ${step}`)

export interface BenchOptions {
  /** Absent: the workload's own size. */
  pods?: number
  /** Pods of three to five containers. */
  heavy?: boolean
  /** How long what runs for an hour in earnest is run. Absent: the workload's own choice, a minute or two. */
  minutes?: number
  /** How often what is compared is done in turn. */
  rounds?: number
  /** Folder for CPU profiles of our processes. */
  profileFolder?: string
}

/** What the figures were measured on, and how busy it was in the last five minutes: more than its cores is too busy. */
export const machine = (): string =>
  `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${release()}, Node ${process.versions.node}, load ${loadavg()[1]?.toFixed(1)}`

/** The value below which `share` (0–1) of the values lie; nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]
  return value === undefined ? Number.NaN : Math.round(value * 10) / 10
}

/** `nameP50Ms` and `nameP99Ms` of these milliseconds. */
export const spread = (name: string, values: readonly number[]): Record<string, number> => ({
  [`${name}P50Ms`]: percentile(values, 0.5),
  [`${name}P99Ms`]: percentile(values, 0.99),
})

/** Of a rate the target is the least, of everything else the most. */
const isRate = (key: string) => /PerSecond$|PerCpuSecond$/.test(key)

/** The parts of the target that were missed, in words; undefined when all were met. */
export function missed(target: Record<string, number>, measured: Record<string, number>): string | undefined {
  const meets = (key: string, limit: number) => {
    const value = measured[key] ?? Number.NaN
    return isRate(key) ? value >= limit : value <= limit
  }
  const over = Object.entries(target).filter(([key, limit]) => !meets(key, limit))
  return over.length === 0
    ? undefined
    : over.map(([key, limit]) => `${key} is ${measured[key]}, target ${limit}`).join('; ')
}

/** Puts a result together; `met` follows from target and measured. */
export function result(
  workload: string,
  pods: number,
  target: Record<string, number>,
  measured: Record<string, number>,
  peers: Result['peers'] = {},
  remark?: string,
): Result {
  const why = [missed(target, measured), remark].filter((text) => text !== undefined).join('. ')
  const met = missed(target, measured) === undefined
  return {
    workload,
    at: new Date().toISOString(),
    machine: machine(),
    pods,
    target,
    measured,
    peers,
    met,
    ...(why ? { why } : {}),
  }
}
