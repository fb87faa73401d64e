import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const linux = process.platform === 'linux'

/**
 * A text that no other process ever has: boot and start time. Undefined when there is no such process. A process id
 * alone is reused.
 */
export function processIdentity(pid: number): string | undefined {
  try {
    if (!linux)
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the name in brackets and may itself hold spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fields[19]}`
  } catch {
    return undefined
  }
}

/** True while a process with this id exists; a zombie does not count. */
export const isAlive = (pid: number): boolean => processIdentity(pid) !== undefined

/** True when `pid` is a PostgreSQL process that works in `folder`. */
export function worksIn(pid: number, folder: string): boolean {
  try {
    if (!linux) {
      return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).includes(folder)
    }
    return readlinkSync(`/proc/${pid}/cwd`) === folder && /^postgres/.test(readFileSync(`/proc/${pid}/comm`, 'utf8'))
  } catch {
    return false
  }
}

/** Every PostgreSQL process that works in `folder`, postmaster or not; empty where /proc is not. */
export function processesIn(folder: string): number[] {
  if (!linux) return []
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => worksIn(pid, folder) && isAlive(pid))
}

/** Sends a signal; a process that is gone already is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
