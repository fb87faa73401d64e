import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, closeSync, existsSync, globSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { nodeEnvironment, nodeFlags } from '../../scripts/node-options.mjs'
import { root } from '../../scripts/stage.ts'

/** The server as users start it, in a process and a state folder of its own. */
export interface ServerProcess {
  /** `http://127.0.0.1:port` */
  readonly url: string
  readonly port: number
  /** QUARTERDECK_HOME. */
  readonly home: string
  /** Undefined while it is not running. */
  pid(): number | undefined
  /** Starts it; `environment` is for this start only. Does not wait. Throws when it runs already. */
  start(environment?: Record<string, string>): void
  /** Resolves with milliseconds since `start` when /readyz answers 200. Rejects when it ends before, or after `limitSeconds` (120). */
  ready(limitSeconds?: number): Promise<number>
  /** Sends a signal and resolves with how it ended. */
  end(signal?: NodeJS.Signals): Promise<{ status: number | null; signal: string | null }>
  /** Resolves when it has ended by itself. */
  ended(): Promise<{ status: number | null; signal: string | null }>
  /** All that it wrote since the first start, on the terminal and into its log file. */
  log(): string
  /** Ends it and its PostgreSQL and deletes the folder; `keep` leaves the folder. */
  dispose(options?: { keep?: boolean }): Promise<void>
}

export interface ServerProcessOptions {
  /** Added to this process's environment. */
  environment?: Record<string, string>
  /** Absent: a fresh folder under the system's temporary one. */
  home?: string
}

/** A port that nothing listens on right now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

/** However this process ends, nothing that it started stays. */
const atExit = new Set<() => void>()
process.once('exit', () => {
  for (const end of atExit) end()
})

/** Prepares a server process; `start` starts it. */
export async function serverProcess(options: ServerProcessOptions = {}): Promise<ServerProcess> {
  const port = await freePort()
  const folder = options.home ?? mkdtempSync(join(tmpdir(), 'quarterdeck-server-'))
  chmodSync(folder, 0o755) // PostgreSQL may run as another user
  const home = join(folder, 'home')
  const url = `http://127.0.0.1:${port}`
  const logFile = join(folder, 'server.log')
  let child: ChildProcess | undefined
  let ended: Promise<{ status: number | null; signal: string | null }> = Promise.resolve({ status: null, signal: null })
  let startTime = 0
  atExit.add(() => {
    child?.kill('SIGKILL')
    const postgres = postgresPid(home)
    if (postgres !== undefined && isAlive(postgres)) process.kill(postgres, 'SIGQUIT')
  })
  const log = () => [logFile, join(home, 'logs/server.log')].map(readText).join('\n')
  const running = {
    url,
    port,
    home,
    pid: () => child?.pid,
    log,
    ended: () => ended,
    start(environment: Record<string, string> = {}) {
      if (child) throw new Error('The server runs already')
      const output = openSync(logFile, 'a')
      startTime = performance.now()
      const started = spawn(process.execPath, [...nodeFlags, 'apps/server/src/main.ts'], {
        cwd: root,
        stdio: ['ignore', output, output],
        env: {
          ...nodeEnvironment(root),
          ...process.env,
          QUARTERDECK_HOME: home,
          QUARTERDECK_PORT: String(port),
          ...options.environment,
          ...environment,
        },
      })
      closeSync(output)
      child = started
      ended = new Promise((resolve) => {
        started.once('exit', (status, signal) => {
          child = undefined
          resolve({ status, signal })
        })
      })
    },
    async ready(limitSeconds = 120) {
      const until = performance.now() + limitSeconds * 1000
      for (;;) {
        if (await answers(`${url}/readyz`)) return performance.now() - startTime
        if (!child) throw new Error(`The server has ended:\n${log().slice(-3000)}`)
        if (performance.now() > until) throw new Error(`Not ready in ${limitSeconds} s:\n${log().slice(-3000)}`)
        await sleep(20)
      }
    },
    async end(signal: NodeJS.Signals = 'SIGTERM') {
      child?.kill(signal)
      return ended
    },
    async dispose({ keep = false } = {}) {
      if (child) {
        const gone = running.end('SIGTERM')
        const late = sleep(25_000, undefined, { ref: false }).then(() => child?.kill('SIGKILL'))
        await Promise.race([gone, late])
        await gone
      }
      await endPostgres(home)
      if (!keep && options.home === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  return running
}

const readText = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : '')

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok
  } catch {
    return false
  }
}

/** The process id of the PostgreSQL of a state folder; undefined when none is recorded. */
export function postgresPid(home: string): number | undefined {
  const [file] = globSync('**/postmaster.pid', { cwd: home })
  const pid = file ? Number(readFileSync(join(home, file), 'utf8').split('\n')[0]) : 0
  return pid > 0 ? pid : undefined
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** A killed server leaves its PostgreSQL for the next start; here there is none. */
async function endPostgres(home: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const pid = postgresPid(home)
    if (pid === undefined) return
    try {
      process.kill(pid, tries < 60 ? 'SIGINT' : 'SIGQUIT')
    } catch {
      return
    }
    await sleep(100)
  }
}
