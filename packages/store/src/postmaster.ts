import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Account } from './binaries.ts'
import { StoreError } from './errors.ts'
import { folderError } from './folder-lock.ts'
import { isAlive, processesIn, signal, worksIn } from './process-identity.ts'

/** What postmaster.pid says; `status` is `starting`, `ready`, `standby` or `stopping`. */
export interface PostmasterFile {
  pid: number
  status: string
}

/** Reads a data folder's postmaster.pid; undefined when there is none. */
export function readPostmasterFile(dataFolder: string): PostmasterFile | undefined {
  try {
    const lines = readFileSync(join(dataFolder, 'postmaster.pid'), 'utf8').split('\n')
    const pid = Math.abs(Number(lines[0]))
    return Number.isInteger(pid) && pid > 0 ? { pid, status: (lines[7] ?? '').trim() } : undefined
  } catch {
    return undefined
  }
}

/** The living postmaster of this data folder; a stale file, also one whose number has been reused, counts as none. */
export function findPostmaster(dataFolder: string): PostmasterFile | undefined {
  const file = readPostmasterFile(dataFolder)
  return file && isAlive(file.pid) && worksIn(file.pid, dataFolder) ? file : undefined
}

/** Waits until the postmaster accepts connections. False: it ended, or did not within `timeoutMs`. */
export async function waitReady(dataFolder: string, pid: number, timeoutMs: number): Promise<boolean> {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(10)) {
    if (!isAlive(pid)) return false
    const file = readPostmasterFile(dataFolder)
    if (file?.pid === pid && file.status === 'ready') return true
  }
  return false
}

async function waitGone(pid: number, timeoutMs: number): Promise<boolean> {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(10)) if (!isAlive(pid)) return true
  return !isAlive(pid)
}

/** Stops a postmaster: fast, then immediate (recovers from its log at the next start), then by force. */
export async function stopPostmaster(dataFolder: string, pid: number): Promise<void> {
  for (const [name, timeoutMs] of [
    ['SIGINT', 10_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    if (!isAlive(pid) || !worksIn(pid, dataFolder)) break
    signal(pid, name)
    if (await waitGone(pid, timeoutMs)) break
  }
  await clearOrphans(dataFolder)
}

/**
 * Ends what a killed postmaster left behind (its children hold the shared memory, and a new postmaster refuses to start
 * beside them) and removes a stale postmaster.pid. Only when no postmaster of this folder lives.
 */
export async function clearOrphans(dataFolder: string): Promise<void> {
  if (findPostmaster(dataFolder)) return
  for (const name of ['SIGTERM', 'SIGKILL'] as const) {
    const orphans = processesIn(dataFolder)
    if (orphans.length === 0) break
    // They notice their postmaster's death by themselves; the signal is for one that is in the middle of something.
    for (const pid of orphans) signal(pid, name)
    for (const end = Date.now() + 2_000; Date.now() < end && processesIn(dataFolder).length > 0; ) await sleep(10)
  }
  rmSync(join(dataFolder, 'postmaster.pid'), { force: true })
}

/** How a postmaster is started. */
export interface PostmasterCommand {
  postgres: string
  dataFolder: string
  logFile: string
  account: Account | undefined
  settings: Record<string, string>
}

/**
 * Starts a postmaster in its own process group, so that neither Ctrl-C nor our death takes it along. Resolves when it
 * accepts connections; throws StoreError with what its log says.
 */
export async function startPostmaster(command: PostmasterCommand): Promise<ChildProcess> {
  const log = openLog(command.logFile)
  const from = fstatSync(log).size
  const settings = Object.entries(command.settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(command.postgres, ['-D', command.dataFolder, ...settings], {
    ...command.account,
    cwd: command.dataFolder,
    detached: true,
    stdio: ['ignore', log, log],
    env: { PATH: process.env.PATH, LC_MESSAGES: 'C', TZ: 'UTC' },
  })
  closeSync(log)
  const failure = new Promise<Error>((resolve) => {
    child.once('error', resolve)
    child.once('exit', () => resolve(new Error('PostgreSQL ended while starting')))
  })
  child.unref()
  const pid = child.pid
  // Recovery after a crash may take long; it ends by itself, so this bound is only against hanging for ever.
  const ready = pid === undefined ? false : await waitReady(command.dataFolder, pid, 60_000)
  if (ready) return child
  if (pid !== undefined) await stopPostmaster(command.dataFolder, pid)
  throw startFailure(command, from, pid === undefined ? await failure : undefined)
}

function openLog(file: string): number {
  try {
    const log = openSync(file, 'a', 0o600)
    if (fstatSync(log).size > 8 * 1024 * 1024) ftruncateSync(log)
    return log
  } catch (error) {
    throw folderError(file, error)
  }
}

function startFailure({ logFile, dataFolder }: PostmasterCommand, from: number, cause: Error | undefined): StoreError {
  let log = ''
  try {
    log = readFileSync(logFile).subarray(from).toString('utf8')
  } catch {
    // Nothing was logged; the cause says enough.
  }
  if (/No space left on device|Disk quota exceeded/.test(log)) {
    return new StoreError(
      'disk-full',
      `The disk that holds ${dataFolder} is full`,
      'Free space there; PostgreSQL starts again by itself',
      { cause },
    )
  }
  if (/incompatible with server/.test(log)) {
    return new StoreError(
      'wrong-version',
      `${dataFolder} was made by another major version of PostgreSQL`,
      'Start the Quarterdeck that made it, or move the folder away to begin anew',
      { cause },
    )
  }
  const line = log.split('\n').findLast((text) => /(FATAL|PANIC|ERROR):/.test(text)) ?? log.trim().split('\n').at(-1)
  return new StoreError(
    'failed',
    `PostgreSQL does not start: ${line || cause?.message || 'it says nothing'}`,
    `Look at ${logFile}`,
    { cause },
  )
}
