import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { localCluster } from '@quarterdeck/local-cluster'
import { lockFolder } from '@quarterdeck/store'
import { root } from '../scripts/stage.ts'
import { PASSWORD } from '../test/platform/platform.ts'
import { freePort } from '../test/platform/server-process.ts'
import { type BenchOptions, percentile, type Result, result } from './measure.ts'

interface Start {
  /** A page is shown: the console, or what says that it is being built. */
  pageMs: number
  /** The console itself is served. */
  consoleMs: number
  readyMs: number | undefined
}

/** Runs `npm start` until the page (and, when asked for, /readyz) answers, then ends it. */
async function npmStart(home: string, untilReady: boolean, environment: Record<string, string> = {}): Promise<Start> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const began = performance.now()
  const child = spawn('npm', ['start', '--silent'], {
    cwd: root,
    stdio: 'ignore',
    detached: true, // a process group, which gets the signal as from a terminal: npm passes none on
    env: {
      ...process.env,
      QUARTERDECK_HOME: home,
      QUARTERDECK_PORT: String(port),
      QUARTERDECK_ADMIN_PASSWORD: PASSWORD,
      ...environment,
    },
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const since = async (path: string, enough: (response: Response) => boolean) => {
    for (let tries = 0; tries < 60_000; tries++) {
      const answered = await fetch(url + path).then(enough, () => false)
      if (answered) return performance.now() - began
      if (child.exitCode !== null) throw new Error(`npm start has ended with ${child.exitCode}`)
      await sleep(10)
    }
    throw new Error(`${path} does not answer`)
  }
  try {
    const pageMs = await since('/', ({ headers }) => headers.get('content-type')?.startsWith('text/html') === true)
    const consoleMs = await since('/', ({ ok }) => ok)
    return { pageMs, consoleMs, readyMs: untilReady ? await since('/readyz', ({ ok }) => ok) : undefined }
  } finally {
    process.kill(-(child.pid ?? 0), 'SIGTERM')
    await ended
    await folderFree(home)
  }
}

/** npm ends before the server that it started does; the next start has to find the folder free. */
async function folderFree(home: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const lock = await lockFolder(home).catch(() => undefined)
    if (lock) return lock.release()
    await sleep(100)
  }
  throw new Error(`The server of ${home} does not end`)
}

/**
 * S1: `npm start` with packages installed until the page is there, on a state folder that does not exist yet. The first
 * start has to build the console, as on a fresh machine.
 */
export async function pageReachable(_: BenchOptions): Promise<Result> {
  rmSync(join(root, 'apps/console/dist'), { recursive: true, force: true })
  const starts: Start[] = []
  for (let n = 0; n < 6; n++) {
    const folder = temporary()
    starts.push(await npmStart(join(folder, 'home'), false))
    await localCluster({ stateFolder: join(folder, 'home/cluster') }).reset()
    rmSync(folder, { recursive: true, force: true })
  }
  const [first, ...later] = starts
  const measured = {
    firstPageMs: Math.round(first?.pageMs ?? Number.NaN),
    firstConsoleMs: Math.round(first?.consoleMs ?? Number.NaN),
    pageP50Ms: percentile(
      later.map(({ pageMs }) => pageMs),
      0.5,
    ),
    consoleP50Ms: percentile(
      later.map(({ consoleMs }) => consoleMs),
      0.5,
    ),
  }
  const remark =
    'first: the console has to be built, a page that says so is shown meanwhile. The others: five starts after it.'
  return result('S1', 0, { firstPageMs: 3_000, pageP50Ms: 3_000 }, measured, {}, remark)
}

/** S2: `npm start` on a state folder that has been used, its cluster stopped, until /readyz. */
export async function warmStart(_: BenchOptions): Promise<Result> {
  const folder = temporary()
  const home = join(folder, 'home')
  const cluster = localCluster({ stateFolder: join(home, 'cluster') })
  try {
    const first = await npmStart(home, true)
    const times: Start[] = []
    for (let n = 0; n < 3; n++) {
      await cluster.down()
      times.push(await npmStart(home, true))
    }
    const again = await npmStart(home, true)
    return result(
      'S2',
      0,
      { readyP50Ms: 20_000 },
      {
        readyP50Ms: percentile(
          times.map(({ readyMs }) => readyMs ?? Number.NaN),
          0.5,
        ),
        pageP50Ms: percentile(
          times.map(({ pageMs }) => pageMs),
          0.5,
        ),
        firstReadyMs: Math.round(first.readyMs ?? Number.NaN),
        clusterRunningReadyMs: Math.round(again.readyMs ?? Number.NaN),
      },
      {},
      'First: an empty state folder, the programs in the cache. clusterRunning: only the server had been stopped.',
    )
  } finally {
    await cluster.reset()
    rmSync(folder, { recursive: true, force: true })
  }
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-bench-'))
  chmodSync(folder, 0o755)
  return folder
}
