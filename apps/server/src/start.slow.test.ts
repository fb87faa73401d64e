import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { defaultCacheFolder, localCluster } from '@quarterdeck/local-cluster'
import { type TestCluster, testCluster } from '@quarterdeck/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'

// The server as a process of its own, as npm start runs it, on a real API server.
const password = 'correct-horse-battery-7'
// Each starts processes and waits for disks; a busy machine may take long, only a hang must fail.
vi.setConfig({ testTimeout: 120_000 })

let cluster: TestCluster
let home: string
let kubeconfig: string
let started: Started[]
beforeAll(async () => {
  cluster = await testCluster()
})
afterAll(() => cluster?.close())
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'quarterdeck-home-'))
  chmodSync(home, 0o755)
  kubeconfig = join(home, 'given-kubeconfig')
  writeFileSync(kubeconfig, cluster.kubeconfig)
  started = []
})
afterEach(async () => {
  for (const { child } of started) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
  }
  killPostgres('SIGQUIT')
  rmSync(home, { recursive: true, force: true })
})

interface Started {
  child: ChildProcess
  /** Everything it has said. */
  said(): string
  /** Its address; rejects when it ends before it listens. */
  url: Promise<string>
  exit: Promise<number | null>
}

function start(environment: Record<string, string> = {}, args: string[] = ['--kubeconfig', kubeconfig]): Started {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], {
    env: {
      PATH: process.env.PATH,
      HOME: home,
      QUARTERDECK_HOME: home,
      QUARTERDECK_PORT: '0',
      QUARTERDECK_CONSOLE: home,
      QUARTERDECK_ADMIN_PASSWORD: password,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (said += chunk))
  const exit = once(child, 'exit').then(([code]) => code as number | null)
  const url = new Promise<string>((resolve, reject) => {
    const look = () => {
      const found = / at (http:\S+)/.exec(said)?.[1]
      if (found) resolve(found)
    }
    child.stdout?.on('data', look)
    child.once('exit', () => reject(new Error(`ended before it listened: ${said}`)))
  })
  url.catch(() => {})
  const one = { child, said: () => said, url, exit }
  started.push(one)
  return one
}

function killPostgres(signal: NodeJS.Signals): void {
  try {
    process.kill(Number(readFileSync(join(home, 'store/data/postmaster.pid'), 'utf8').split('\n')[0]), signal)
  } catch {
    // It has stopped.
  }
}

const statusOf = async (url: string, path: string, headers = {}) => (await fetch(`${url}${path}`, { headers })).status

async function ready({ url }: Started): Promise<string> {
  const at = await url
  while ((await statusOf(at, '/readyz')) !== 200) await sleep(50)
  return at
}

async function signIn(url: string): Promise<{ cookie: string }> {
  const answer = await fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user: 'admin', password }),
  })
  expect(answer.status).toBe(201)
  return { cookie: answer.headers.getSetCookie()[0]?.split(';')[0] ?? '' }
}

const setup = async (url: string) =>
  (await (await fetch(`${url}/api/v1/setup`)).json()) as {
    ready: boolean
    stages: { id: string; state: string }[]
    waysOut: { title: string; detail: string }[]
  }

async function wayOut(url: string): Promise<string> {
  for (;;) {
    const [way] = (await setup(url)).waysOut
    if (way) return `${way.title} ${way.detail}`
    await sleep(50)
  }
}

test('with a kubeconfig the platform is ready with that cluster and a first environment on it', async () => {
  const url = await ready(start())
  const headers = await signIn(url)
  const read = async (path: string) => (await fetch(`${url}/api/v1${path}`, { headers })).json()
  expect(await read('/clusters')).toMatchObject({ items: [{ origin: 'kubeconfig' }] })
  expect(await read('/environments')).toMatchObject({ items: [{ name: 'dev', stage: 'dev' }] })
  expect(await setup(url)).toMatchObject({ ready: true, firstEnvironment: 'dev', waysOut: [] })
})

/** Takes connections and never answers. */
async function silentServer(): Promise<Server> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

test('while the database does not answer the page is served, and endpoints say that they are unavailable', async () => {
  const silent = await silentServer()
  const { port } = silent.address() as { port: number }
  const url = await start({ DATABASE_URL: `postgres://quarterdeck:x@127.0.0.1:${port}/quarterdeck` }).url
  expect(await statusOf(url, '/healthz')).toBe(200)
  expect(await statusOf(url, '/readyz')).toBe(503)
  expect(await statusOf(url, '/api/v1/setup')).toBe(200)
  expect(await statusOf(url, '/api/v1/setup', { authorization: 'Bearer qd_something' })).toBe(200)
  expect(await setup(url)).toMatchObject({ ready: false, administrator: 'unknown' })
  const answer = await fetch(`${url}/api/v1/clusters`, { headers: { authorization: 'Bearer qd_something' } })
  expect(answer.status).toBe(503)
  expect(answer.headers.get('retry-after')).not.toBeNull()
  expect(await answer.json()).toMatchObject({ type: '/problems/store-unavailable' })
  silent.close()
})

test('a port that is in use is said with who has it, and ends the start', async () => {
  const taken = await silentServer()
  const { port } = taken.address() as { port: number }
  const second = start({ QUARTERDECK_PORT: String(port) })
  expect(await second.exit).toBe(1)
  expect(second.said()).toContain(`Port ${port} is in use by process ${process.pid}`)
  expect(second.said()).toContain('QUARTERDECK_PORT')
  taken.close()
})

test('a second start on the same folder is refused and says who has it', async () => {
  const first = start()
  await first.url
  const second = start()
  expect(await second.exit).toBe(1)
  expect(second.said()).toContain(`process ${first.child.pid}`)
  expect(second.said()).toContain('QUARTERDECK_HOME')
})

test('a setting that cannot be used ends the start with status 2 and its name', async () => {
  const wrong = start({ QUARTERDECK_PORT: 'seventy' })
  expect(await wrong.exit).toBe(2)
  expect(wrong.said()).toContain('QUARTERDECK_PORT')
  const registry = start({ QUARTERDECK_REGISTRIES: 'not a registry' })
  expect(await registry.exit).toBe(2)
  expect(registry.said()).toContain('QUARTERDECK_REGISTRIES')
})

test('a file that is no kubeconfig is said on the page with its cure', async () => {
  writeFileSync(kubeconfig, 'clusters: [')
  expect(await wayOut(await start().url)).toMatch(/kubeconfig/)
})

test('a cluster that does not answer is said on the page, and the start goes on when it does', async () => {
  writeFileSync(kubeconfig, cluster.kubeconfig.replace(/server: .*/, 'server: https://127.0.0.1:1'))
  const server = start()
  const url = await server.url
  expect(await wayOut(url)).toMatch(/does not answer|refused|reach/)
  writeFileSync(kubeconfig, cluster.kubeconfig)
  const headers = { ...(await signIn(url)), 'sec-fetch-site': 'same-origin' }
  expect((await fetch(`${url}/api/v1/setup/retry`, { method: 'POST', headers })).status).toBe(200)
  await ready(server)
})

test('when PostgreSQL is killed requests are refused as unavailable, never with an error of ours, and it comes back', async () => {
  const url = await ready(start())
  const headers = await signIn(url)
  killPostgres('SIGKILL')
  const statuses = new Set<number>()
  while (!statuses.has(503) || (await statusOf(url, '/readyz')) !== 200) {
    statuses.add(await statusOf(url, '/api/v1/environments', headers))
  }
  expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([])
  expect(await statusOf(url, '/api/v1/environments', headers)).toBe(200)
})

test('SIGTERM stops the server and its database; the next start finds everything', async () => {
  const first = start()
  const url = await ready(first)
  const headers = await signIn(url)
  first.child.kill('SIGTERM')
  expect(await first.exit).toBe(0)
  await expect(fetch(`${url}/healthz`)).rejects.toThrow()
  expect(() => readFileSync(join(home, 'store/data/postmaster.pid'))).toThrow()
  const again = await ready(start({ QUARTERDECK_PORT: new URL(url).port }))
  expect(await statusOf(again, '/api/v1/environments', headers)).toBe(200)
})

test('after SIGKILL the next start takes over at once, with everything that was there', async () => {
  const first = start()
  const url = await ready(first)
  const headers = await signIn(url)
  first.child.kill('SIGKILL')
  await first.exit
  const again = await ready(start({ QUARTERDECK_PORT: new URL(url).port }))
  expect(await statusOf(again, '/api/v1/environments', headers)).toBe(200)
})

test('without a password the terminal gets a one-time link', async () => {
  const server = start({ QUARTERDECK_ADMIN_PASSWORD: '' })
  const url = await ready(server)
  expect(server.said()).toMatch(new RegExp(`${url}/first#\\S{20,}`))
})

interface ClusterState {
  components: { component: string; pid: number }[]
}
const pidOf = (component: string): number => {
  const state = JSON.parse(readFileSync(join(home, 'cluster/state.json'), 'utf8')) as ClusterState
  return state.components.find((one) => one.component === component)?.pid ?? 0
}
const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
// Without its programs in the cache this would build Kubernetes for ten minutes.
const programs =
  existsSync(defaultCacheFolder()) && readdirSync(defaultCacheFolder()).some((name) => /^kubernetes-/.test(name))

test.runIf(programs)(
  'a cluster of our own is brought up, repaired when a part of it dies, and goes on when the server stops',
  async () => {
    const local = localCluster({ stateFolder: join(home, 'cluster') })
    try {
      const server = start({}, [])
      const url = await ready(server)
      const killed = pidOf('kube-apiserver')
      process.kill(killed, 'SIGKILL')
      while (pidOf('kube-apiserver') === killed) await sleep(100)
      while ((await local.status()).state !== 'Running') await sleep(200)
      expect(await statusOf(url, '/api/v1/environments', await signIn(url))).toBe(200)
      server.child.kill('SIGTERM')
      expect(await server.exit).toBe(0)
      expect(isRunning(pidOf('kube-apiserver'))).toBe(true)
      expect((await local.status()).state).toBe('Running')
    } finally {
      await local.reset()
    }
  },
  300_000,
)

const mountable = process.getuid?.() === 0 && process.platform === 'linux'

test.runIf(mountable)('a full disk in the state folder is said with its cure', async () => {
  const small = join(home, 'small')
  execFileSync('mkdir', [small])
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=755', 'tmpfs', small])
  try {
    const tight = start({ QUARTERDECK_HOME: small })
    expect(await wayOut(await tight.url)).toMatch(/disk .* MiB free.*Free space/)
    tight.child.kill('SIGTERM')
    await tight.exit
    writeFileSync(join(small, 'ballast'), Buffer.alloc(7_900_000))
    execFileSync('sh', ['-c', `cat /dev/zero > ${join(small, 'more')} 2>/dev/null || true`])
    const full = start({ QUARTERDECK_HOME: small })
    expect(await full.exit).toBe(1)
    expect(full.said()).toContain('is full')
  } finally {
    execFileSync('umount', ['-l', small])
  }
})
