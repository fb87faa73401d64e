import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Account } from './binaries.ts'
import { StoreError } from './errors.ts'
import { folderError } from './folder-lock.ts'

/** Everything that lies in the folder of an embedded server. */
export interface Paths {
  /** The folder itself. */
  folder: string
  data: string
  socket: string
  password: string
  record: string
  log: string
}

/** Makes the socket's folder and the password, each for its owner alone. Throws StoreError. */
export function preparePaths(folder: string, account: Account | undefined): Paths {
  let socket = join(folder, 'run')
  // sockaddr_un holds 108 bytes; the name of the socket itself takes 15.
  if (Buffer.byteLength(socket) > 90) {
    socket = `/tmp/quarterdeck-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`
  }
  const paths = {
    folder,
    data: join(folder, 'data'),
    socket,
    password: join(folder, 'password'),
    record: join(folder, 'server.json'),
    log: join(folder, 'postgres.log'),
  }
  try {
    mkdirSync(socket, { recursive: true, mode: 0o700 })
    if (account) chownSync(socket, account.uid, account.gid)
    chmodSync(socket, 0o700)
    if (!existsSync(paths.password)) writeDurably(paths.password, randomBytes(24).toString('base64url'))
    return paths
  } catch (error) {
    throw folderError(folder, error)
  }
}

function writeDurably(file: string, text: string): void {
  writeFileSync(`${file}.half`, text, { mode: 0o600, flush: true })
  renameSync(`${file}.half`, file)
}

/** Makes the database, whole or not at all: an interrupted one is begun anew. Throws StoreError. */
export async function makeDataFolder(
  paths: Paths,
  { user, password }: { user: string; password: string },
  initdb: string,
  account: Account | undefined,
): Promise<void> {
  requireSpace(paths.folder)
  const half = `${paths.data}.new`
  const passwordCopy = `${paths.password}.new`
  rmSync(half, { recursive: true, force: true })
  mkdirSync(half, { mode: 0o700 })
  writeFileSync(passwordCopy, password, { mode: 0o600 })
  if (account) for (const path of [half, passwordCopy]) chownSync(path, account.uid, account.gid)
  try {
    await runInitdb(initdb, ['-D', half, '-U', user, `--pwfile=${passwordCopy}`], half, account)
  } finally {
    rmSync(passwordCopy, { force: true })
  }
  rmSync(paths.data, { recursive: true, force: true })
  renameSync(half, paths.data)
}

function requireSpace(folder: string): void {
  const { bavail, bsize } = statfsSync(folder)
  const needed = 60 * 1024 * 1024
  if (bavail * bsize >= needed) return
  throw new StoreError(
    'disk-full',
    `The disk that holds ${folder} has ${Math.floor((bavail * bsize) / 1024 / 1024)} MiB free; a new database needs 60`,
    'Free space there, or set QUARTERDECK_HOME to a folder on another disk',
  )
}

/** A sort order that is the same on every machine, whatever its libc; small enough to bootstrap on a small machine. */
const initdbArguments = [
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  '--locale=C',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
  '--data-checksums',
  '--no-instructions',
  '--set=shared_buffers=32MB',
  '--set=max_connections=60',
  '--set=io_method=sync',
]

async function runInitdb(initdb: string, where: string[], dataFolder: string, account: Account | undefined) {
  const child = spawn(initdb, [...where, ...initdbArguments], {
    ...account,
    cwd: dataFolder,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
  })
  const said = await ended(child)
  if (said === undefined) return
  if (/No space left on device|Disk quota exceeded/.test(said)) {
    throw new StoreError(
      'disk-full',
      `The disk that holds ${dataFolder} is full`,
      'Free space there, or set QUARTERDECK_HOME to a folder on another disk',
    )
  }
  throw new StoreError(
    'failed',
    `PostgreSQL cannot make its database: ${said.trim().split('\n').at(-1)}`,
    `Look at ${dataFolder}`,
  )
}

/** Undefined when the program ended well, else what it said. */
async function ended(child: ChildProcess): Promise<string | undefined> {
  let said = ''
  child.stderr?.on('data', (chunk) => {
    said += chunk
  })
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code) => resolve(code === 0 ? undefined : said || `exit status ${code}`))
  })
}
