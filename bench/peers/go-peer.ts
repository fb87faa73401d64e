import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { defaultCacheFolder } from '@quarterdeck/local-cluster'
import { usageOf } from '../world/usage.ts'

/** The Go programs kept in this folder. */
export type GoPeerName = 'informer' | 'cache'

/** A running peer that has read the whole cluster. */
export interface GoPeer {
  readonly pid: number
  readonly url: string
  /** From its start until it had everything. */
  readonly syncMs: number
  readonly objects: number
  /** CPU seconds until then. */
  readonly syncCpuSeconds: number
  readonly syncPeakBytes: number
  /** `collect`: after a collection of garbage. */
  usage(collect?: boolean): Promise<{ cpuSeconds: number; heapBytes: number; objects: number; events: number }>
  stop(): Promise<void>
}

/** Starts a peer on a cluster and waits until it has all of it. It ends with this process. */
export async function goPeer(name: GoPeerName, kubeconfigFile: string): Promise<GoPeer> {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', join(built(), name), kubeconfigFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const first = await firstLine(child, name)
  const pid = child.pid ?? 0
  const { url, syncMs, cpuSeconds, objects } = JSON.parse(first) as Synced
  return {
    pid,
    url,
    syncMs,
    objects,
    syncCpuSeconds: cpuSeconds,
    syncPeakBytes: usageOf(pid).peakBytes,
    usage: async (collect = false) => (await fetch(`${url}/usage${collect ? '?collect' : ''}`)).json() as never,
    stop: () => {
      const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      child.kill('SIGKILL')
      return gone
    },
  }
}

interface Synced {
  url: string
  syncMs: number
  cpuSeconds: number
  objects: number
}

function firstLine(child: ChildProcess, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (status) => reject(new Error(`The peer ${name} has ended with ${status}`)))
    if (child.stdout) createInterface({ input: child.stdout }).once('line', resolve)
  })
}

let folder: string | undefined

/** Folder of the built programs: in the cache, like the programs of Kubernetes; built when their sources have changed. */
function built(): string {
  folder ??= build(defaultCacheFolder())
  return folder
}

function build(cache: string): string {
  const sources = globSync(['go.mod', 'go.sum', '*/*.go'], { cwd: import.meta.dirname }).sort()
  const hash = createHash('sha256')
  for (const file of sources) hash.update(readFileSync(join(import.meta.dirname, file)))
  const finished = join(cache, `bench-peers-${hash.digest('hex').slice(0, 12)}`)
  if (existsSync(finished)) return finished
  mkdirSync(cache, { recursive: true })
  const draft = mkdtempSync(join(cache, '.bench-peers-'))
  const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', `${draft}/`, './informer', './cache']
  const environment = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' }
  const go = spawnSync('go', args, {
    cwd: import.meta.dirname,
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (go.status !== 0) {
    rmSync(draft, { recursive: true, force: true })
    throw new Error('The peers cannot be built: Go 1.26 is needed')
  }
  renameSync(draft, finished)
  return finished
}
