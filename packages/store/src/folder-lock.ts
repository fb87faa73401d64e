import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { StoreError } from './errors.ts'
import { processIdentity } from './process-identity.ts'

interface Owner {
  pid: number
  identity: string
}

/** Release gives the folder up; safe to repeat. */
export interface FolderLock {
  release(): void
}

const held = new Set<string>()

/**
 * Holds `folder` for this process until release or death; made if missing. Throws StoreError `in-use` with the other
 * owner's pid, `disk-full` or `not-writable`.
 *
 * On Linux the lock proper is an abstract socket, which the kernel frees when its owner dies, however it dies; the file
 * `owner.json` says who it is. Elsewhere the file alone decides, by process id and start time.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  makeFolder(folder)
  const path = realpathSync(folder)
  const file = join(path, 'owner.json')
  const other = readOwner(file)
  if (held.has(path)) throw inUse(path, process.pid)
  if (other && other.pid !== process.pid && processIdentity(other.pid) === other.identity) throw inUse(path, other.pid)
  held.add(path)
  try {
    const socket = process.platform === 'linux' ? await listen(path) : undefined
    writeOwner(path, file)
    return {
      release() {
        if (!held.delete(path)) return
        rmSync(file, { force: true })
        socket?.close()
      },
    }
  } catch (error) {
    held.delete(path)
    throw error
  }
}

function listen(path: string): Promise<Server> {
  const name = `\0quarterdeck-${createHash('sha256').update(path).digest('hex').slice(0, 32)}`
  const server = createServer((connection) => connection.destroy())
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? inUse(path, readOwner(join(path, 'owner.json'))?.pid) : error),
    )
    server.listen(name, () => {
      server.unref()
      resolve(server)
    })
  })
}

/** Makes a folder and says what is wrong when that cannot be. */
export function makeFolder(folder: string, mode = 0o755): void {
  try {
    mkdirSync(folder, { recursive: true, mode })
  } catch (error) {
    throw folderError(folder, error)
  }
}

/** The StoreError for a file operation that failed in `folder`. */
export function folderError(folder: string, error: unknown): StoreError {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new StoreError(
      'disk-full',
      `The disk that holds ${folder} is full`,
      `Free space there, or set QUARTERDECK_HOME to a folder on another disk`,
      { cause: error },
    )
  }
  return new StoreError(
    'not-writable',
    `${folder} cannot be written: ${(error as Error).message}`,
    `Make the folder writable for this user, or set QUARTERDECK_HOME to one that is`,
    { cause: error },
  )
}

function writeOwner(path: string, file: string): void {
  const owner: Owner = { pid: process.pid, identity: processIdentity(process.pid) ?? '' }
  try {
    writeFileSync(file, JSON.stringify(owner))
  } catch (error) {
    throw folderError(path, error)
  }
}

function readOwner(file: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(file, 'utf8')) as Partial<Owner>
    return typeof owner.pid === 'number' && typeof owner.identity === 'string' ? (owner as Owner) : undefined
  } catch {
    return undefined
  }
}

const inUse = (path: string, pid: number | undefined) =>
  new StoreError(
    'in-use',
    `Another Quarterdeck uses ${path}${pid === undefined ? '' : ` (process ${pid})`}`,
    `Stop it${pid === undefined ? '' : ` (kill ${pid})`}, or start this one with another QUARTERDECK_HOME and QUARTERDECK_PORT`,
    pid === undefined ? {} : { pid },
  )
