import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

const TICKS_A_SECOND = 100

/** What a process has used since its start. */
export interface Usage {
  cpuSeconds: number
  /** Resident now. */
  residentBytes: number
  /** The most that was resident since the start, or since `forgetPeak`. */
  peakBytes: number
}

/** Reads /proc; throws when the process is gone. */
export function usageOf(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kilobytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0)
  return {
    cpuSeconds: cpuSecondsOf(`/proc/${pid}/stat`),
    residentBytes: kilobytes('VmRSS') * 1024,
    peakBytes: kilobytes('VmHWM') * 1024,
  }
}

/** CPU seconds of each thread by name; threads of one name are added up. */
export function threadsOf(pid: number): Record<string, number> {
  const threads: Record<string, number> = {}
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const name = readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8').trim()
      const key = thread === String(pid) ? 'main' : name
      threads[key] = (threads[key] ?? 0) + cpuSecondsOf(`/proc/${pid}/task/${thread}/stat`)
    } catch {
      // The thread has ended since.
    }
  }
  return threads
}

/** From now on `peakBytes` is the peak since now. */
export const forgetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5')

function cpuSecondsOf(file: string): number {
  const fields = readFileSync(file, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
}

/** CPU seconds that all cores of the machine together have worked since it started. */
export function machineCpuSeconds(): number {
  const [user = 0, nice = 0, system = 0, , , interrupt = 0, soft = 0] = (
    /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? ''
  )
    .split(' ')
    .map(Number)
  return (user + nice + system + interrupt + soft) / TICKS_A_SECOND
}

/** CPU seconds of several processes, and what they used between two calls. */
export function stopwatch(pids: Record<string, number>): { read(): Record<string, number> } {
  const start = Object.entries(pids).map(([name, pid]) => [name, pid, usageOf(pid).cpuSeconds] as const)
  return {
    read: () => Object.fromEntries(start.map(([name, pid, was]) => [name, usageOf(pid).cpuSeconds - was])),
  }
}
