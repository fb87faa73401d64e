import { createHash } from 'node:crypto'
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Account, type Binaries, blockedAt, findBinaries, serverAccount } from './binaries.ts'
import { makeDataFolder, type Paths, preparePaths } from './data-folder.ts'
import { StoreError } from './errors.ts'
import { type FolderLock, lockFolder } from './folder-lock.ts'
import type { Log } from './log.ts'
import { clearOrphans, findPostmaster, startPostmaster, stopPostmaster, waitReady } from './postmaster.ts'
import { isAlive, processIdentity } from './process-identity.ts'

/** Where the embedded server listens: a Unix socket that only its own folder's owner reaches. */
export interface ServerAddress {
  host: string
  port: number
  user: string
  password: string
}

/** One step on the way to a running store, for the set-up page. */
export interface StoreProgress {
  stage: 'prepare' | 'initialise' | 'start' | 'connect'
  message: string
}

export interface EmbeddedServerOptions {
  /** Everything lives in here; made if missing. */
  folder: string
  log: Log
  onProgress?: ((progress: StoreProgress) => void) | undefined
  /** On top of our own settings; tests that need no durability pass fsync=off. */
  settings?: Record<string, string> | undefined
}

const port = 5432
const user = 'quarterdeck'

/** Durable and small. Durability: reliability.md P-2. Memory: the server shares a machine with a cluster. */
const ownSettings: Record<string, string> = {
  listen_addresses: '',
  port: String(port),
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '32MB',
  max_connections: '60',
  max_wal_size: '256MB',
  min_wal_size: '48MB',
  max_wal_senders: '0',
  max_worker_processes: '2',
  max_parallel_workers: '2',
  io_method: 'sync',
  jit: 'off',
  huge_pages: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
  idle_in_transaction_session_timeout: '60s',
  cluster_name: 'quarterdeck',
}

/**
 * One PostgreSQL server of one folder, kept running: started, or adopted when an earlier process of ours left it
 * running; started again when it dies; stopped at close. Holds the folder's lock from open to close.
 */
export class EmbeddedServer {
  readonly address: ServerAddress
  /** Why the server is not there just now; undefined while it is. */
  failure: StoreError | undefined
  /** True when this process found the server running. */
  adopted = false
  #pid = 0
  #closing = false
  #changed = Promise.withResolvers<void>()
  readonly #lock: FolderLock
  readonly #paths: Paths
  readonly #binaries: Binaries
  readonly #account: Account | undefined
  readonly #options: EmbeddedServerOptions
  readonly #settings: Record<string, string>
  #watching: Promise<void> = Promise.resolve()

  private constructor(
    lock: FolderLock,
    paths: Paths,
    account: Account | undefined,
    binaries: Binaries,
    options: EmbeddedServerOptions,
  ) {
    this.#lock = lock
    this.#paths = paths
    this.#account = account
    this.#binaries = binaries
    this.#options = options
    this.#settings = { ...ownSettings, unix_socket_directories: paths.socket, ...options.settings }
    this.address = { host: paths.socket, port, user, password: readFileSync(paths.password, 'utf8').trim() }
  }

  /** Resolves when the server accepts connections. Throws StoreError. */
  static async open(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
    const lock = await lockFolder(options.folder)
    try {
      options.onProgress?.({ stage: 'prepare', message: 'Looking for PostgreSQL' })
      const account = await serverAccount()
      const folder = realpathSync(options.folder)
      const blocked = blockedAt(folder, account)
      if (blocked !== undefined) {
        throw new StoreError(
          'not-reachable',
          `PostgreSQL runs as the user postgres, who may not enter ${blocked}`,
          `Set QUARTERDECK_HOME to a folder that user can reach, such as /var/lib/quarterdeck, or allow it: chmod o+x ${blocked}`,
        )
      }
      const paths = preparePaths(folder, account)
      const binaries = await findBinaries(folder, account)
      const server = new EmbeddedServer(lock, paths, account, binaries, options)
      await server.#bringUp()
      server.#watching = server.#watch()
      return server
    } catch (error) {
      lock.release()
      throw error
    }
  }

  /** The postmaster's process id. */
  get pid(): number {
    return this.#pid
  }

  /** Resolves at the next change between running and not running. */
  changed(): Promise<void> {
    return this.#changed.promise
  }

  /**
   * Stops the server (fast: sessions are cut, transactions rolled back) unless it is to be kept for the next opener, and
   * gives the folder up. Safe to repeat.
   */
  async close({ keep = false } = {}): Promise<void> {
    if (this.#closing) return this.#watching
    this.#closing = true
    this.#announce()
    if (!keep) await stopPostmaster(this.#paths.data, this.#pid)
    await this.#watching
    this.#lock.release()
  }

  async #bringUp(): Promise<void> {
    const { data, record } = this.#paths
    const running = findPostmaster(data)
    if (running) {
      const expected = JSON.stringify(this.#record(running.pid))
      if (existsSync(record) && readFileSync(record, 'utf8') === expected && running.status !== 'stopping') {
        if (await waitReady(data, running.pid, 60_000)) {
          this.#pid = running.pid
          this.adopted = true
          return
        }
      }
      this.#options.log.warn(
        { postmaster: running.pid },
        'stopping a PostgreSQL server of this folder that was started otherwise',
      )
      await stopPostmaster(data, running.pid)
    }
    await clearOrphans(data)
    if (!existsSync(join(data, 'PG_VERSION'))) {
      this.#options.onProgress?.({ stage: 'initialise', message: 'Making the database' })
      await makeDataFolder(this.#paths, this.address, this.#binaries.initdb, this.#account)
    }
    this.#options.onProgress?.({ stage: 'start', message: 'Starting PostgreSQL' })
    const child = await startPostmaster({
      postgres: this.#binaries.postgres,
      dataFolder: data,
      logFile: this.#paths.log,
      account: this.#account,
      settings: this.#settings,
    })
    this.adopted = false
    this.#pid = child.pid ?? 0
    writeFileSync(record, JSON.stringify(this.#record(this.#pid)))
    child.once('exit', () => this.#announce())
  }

  /** What tells that a running server is ours and would be started the same way now. */
  #record(pid: number): object {
    const how = createHash('sha256')
      .update(JSON.stringify([this.#binaries, this.#settings]))
      .digest('hex')
    return { pid, identity: processIdentity(pid), how }
  }

  /** Until close: waits for the server's death and brings it up again, at once and then with growing pauses. */
  async #watch(): Promise<void> {
    while (!this.#closing) {
      await Promise.race([this.#changed.promise, sleep(500, undefined, { ref: false })])
      if (this.#closing || isAlive(this.#pid)) continue
      this.failure = new StoreError('failed', 'PostgreSQL has ended and is being started again', 'Wait a moment')
      this.#options.log.warn({ postmaster: this.#pid }, 'PostgreSQL has ended; starting it again')
      this.#announce()
      await this.#bringUpAgain()
    }
  }

  async #bringUpAgain(): Promise<void> {
    for (let pauseMs = 50; !this.#closing; pauseMs = Math.min(pauseMs * 2, 5_000)) {
      try {
        await this.#bringUp()
        this.failure = undefined
        this.#announce()
        this.#options.log.info({ postmaster: this.#pid }, 'PostgreSQL runs again')
        if (this.#closing) await stopPostmaster(this.#paths.data, this.#pid)
        return
      } catch (error) {
        this.failure =
          error instanceof StoreError
            ? error
            : new StoreError('failed', String(error), `Look at ${this.#paths.log}`, { cause: error })
        this.#options.log.error({ error: this.failure.message }, 'PostgreSQL does not start')
        await Promise.race([this.#changed.promise, sleep(pauseMs, undefined, { ref: false })])
      }
    }
  }

  #announce(): void {
    const before = this.#changed
    this.#changed = Promise.withResolvers<void>()
    before.resolve()
  }
}
