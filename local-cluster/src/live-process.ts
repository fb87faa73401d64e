import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** A process that cannot be confused with a later one of the same id. */
export interface LiveProcess {
  pid: number
  /** Clock ticks since boot on Linux, the date that `ps` prints elsewhere. */
  startTime: string
}

/** When the process began; absent when there is none, or only its unread exit status is left. */
export function startTimeOf(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux') {
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined
    }
    // The command name may hold spaces and parentheses, so count the fields after its last parenthesis.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

/** The process as it can be recorded; absent when it does not run. */
export function liveProcess(pid: number): LiveProcess | undefined {
  const startTime = startTimeOf(pid)
  return startTime === undefined ? undefined : { pid, startTime }
}

/** Whether exactly this process still runs. */
export const isLive = ({ pid, startTime }: LiveProcess): boolean => startTimeOf(pid) === startTime

/** A running process that carries our mark in its environment. */
export interface MarkedProcess extends LiveProcess {
  environment: Record<string, string>
  /** Path of its program; ends in " (deleted)" when the file is gone. */
  executable: string
}

/**
 * Processes whose environment has `variable` equal to `value`: those we started, and what they started.
 * Finds them even when their starter was killed before it could record them. Linux only; elsewhere empty.
 */
export function markedProcesses(variable: string, value: string): MarkedProcess[] {
  if (process.platform !== 'linux') return []
  const found: MarkedProcess[] = []
  const mark = `${variable}=${value}\0`
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry)
    if (!Number.isInteger(pid) || pid === process.pid) continue
    try {
      const text = `${readFileSync(`/proc/${pid}/environ`, 'utf8')}\0`
      if (!text.startsWith(mark) && !text.includes(`\0${mark}`)) continue
      const startTime = startTimeOf(pid)
      if (startTime === undefined) continue
      found.push({ pid, startTime, environment: environmentOf(text), executable: readlinkSync(`/proc/${pid}/exe`) })
    } catch {
      // Ended while we looked, or belongs to somebody else.
    }
  }
  return found
}

function environmentOf(text: string): Record<string, string> {
  const pairs = text.split('\0').filter((pair) => pair.includes('='))
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))
}

/** Ends exactly this process: asks first, then kills after `graceSeconds`; 0 means without asking. Resolves when it is gone. */
export async function endProcess(target: LiveProcess, graceSeconds = 10): Promise<void> {
  for (const [signal, seconds] of [
    ['SIGTERM', graceSeconds],
    ['SIGKILL', 10],
  ] as const) {
    if (signal === 'SIGTERM' && seconds === 0) continue
    if (!isLive(target)) return
    try {
      process.kill(target.pid, signal)
    } catch {
      return
    }
    for (let waited = 0; waited < seconds * 1000; waited += 25) {
      if (!isLive(target)) return
      await delay(25)
    }
  }
}
