import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isLive, type LiveProcess, liveProcess } from './live-process.ts'

/**
 * Runs `act` while this process alone holds `file`. Waits for a living holder (calling `onWait` once with its process id)
 * and takes the lock over from one that has died. Processes on one machine only; not for use within one process.
 */
export async function withLock<T>(
  file: string,
  act: () => Promise<T>,
  onWait?: (holderPid: number) => void,
): Promise<T> {
  await acquire(file, onWait)
  try {
    return await act()
  } finally {
    release(file)
  }
}

async function acquire(file: string, onWait?: (holderPid: number) => void): Promise<void> {
  mkdirSync(dirname(file), { recursive: true })
  for (let told = false; ; ) {
    if (tryAcquire(file)) return
    const holder = holderOf(file)
    if (holder && isLive(holder)) {
      if (!told) onWait?.(holder.pid)
      told = true
      await delay(100)
    } else if (holder) {
      discard(file, holder)
    }
  }
}

/** Linking a finished file means that a lock never exists without its holder's name in it. */
function tryAcquire(file: string): boolean {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, JSON.stringify(liveProcess(process.pid)))
  try {
    linkSync(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

function holderOf(file: string): LiveProcess | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as LiveProcess
  } catch (error) {
    // A file that nobody can have written through tryAcquire holds no lock.
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : { pid: 0, startTime: '' }
  }
}

/** Removes a dead holder's lock. Somebody may have taken it over in between: then theirs is put back. */
function discard(file: string, dead: LiveProcess): void {
  const aside = `${file}.stale.${process.pid}`
  try {
    renameSync(file, aside)
  } catch {
    return
  }
  const moved = holderOf(aside)
  if (moved && (moved.pid !== dead.pid || moved.startTime !== dead.startTime)) {
    try {
      linkSync(aside, file)
    } catch {
      // A third one holds it by now.
    }
  }
  rmSync(aside, { force: true })
}

function release(file: string): void {
  if (holderOf(file)?.pid === process.pid) rmSync(file, { force: true })
}
