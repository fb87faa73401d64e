import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseKubeconfig } from '@quarterdeck/kube'
import { defaultCacheFolder, localCluster } from '@quarterdeck/local-cluster'
import { type TestCluster, testCluster, testDatabase } from '@quarterdeck/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { parse, stringify } from 'yaml'

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

const text = () => readFileSync(kubeconfig, 'utf8')
const clustersOf = async (url: string, headers: { cookie: string }) =>
  (
    (await (await fetch(`${url}/api/v1/clusters`, { headers })).json()) as {
      items: { name: string; title: string; server: string }[]
    }
  ).items.map(({ name, title, server }) => ({ name, title, server }))
const put = (url: string, headers: { cookie: string }, name: string, body: object) =>
  fetch(`${url}/api/v1/clusters/${name}`, {
    method: 'PUT',
    headers: { ...headers, 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
    body: JSON.stringify(body),
  })

/** Stands before the API server, so that the cluster can be taken away. */
async function before(server: string, port = 0) {
  const { hostname, port: to } = new URL(server)
  const open = new Set<Socket>()
  const proxy = createServer((from) => {
    const on = connect(Number(to), hostname)
    for (const one of [from, on]) open.add(one.on('error', () => {}).on('close', () => open.delete(one)))
    from.pipe(on).pipe(from)
  })
  await new Promise<void>((resolve) => proxy.listen(port, '127.0.0.1', resolve))
  const address = proxy.address() as { port: number }
  return {
    port: address.port,
    url: `https://127.0.0.1:${address.port}`,
    close() {
      proxy.close()
      for (const one of open) one.destroy()
    },
  }
}

test('the server is not ready while the cluster of its kubeconfig is gone, and is again when it is back', async () => {
  const real = parseKubeconfig(cluster.kubeconfig).server
  const proxy = await before(real)
  writeFileSync(kubeconfig, cluster.kubeconfig.replace(real, proxy.url))
  const server = start()
  const url = await ready(server)
  proxy.close()
  while ((await statusOf(url, '/readyz')) !== 503) await sleep(100)
  const told = (await (await fetch(`${url}/readyz`)).json()) as { checks: { cluster: { detail: string } } }
  expect(told.checks.cluster.detail).toBe('The cluster does not answer')
  const again = await before(real, proxy.port)
  await ready(server)
  again.close()
}, 90_000)

test('a kubeconfig file that has changed is taken without a restart, and one that cannot be used is not', async () => {
  const url = await ready(start())
  const headers = await signIn(url)
  const [first] = await clustersOf(url, headers)
  writeFileSync(kubeconfig, 'clusters: [')
  await sleep(6_000)
  expect(await statusOf(url, '/readyz')).toBe(200)
  const { contextName } = parseKubeconfig(cluster.kubeconfig)
  writeFileSync(kubeconfig, cluster.kubeconfig.replaceAll(new RegExp(`\\b${contextName}\\b`, 'g'), 'renewed'))
  while ((await clustersOf(url, headers))[0]?.title !== 'renewed') await sleep(200)
  expect(await clustersOf(url, headers)).toEqual([{ ...first, title: 'renewed' }])
}, 60_000)

test('a cluster that is registered under the name of the context stays what it is', async () => {
  const first = start()
  const url = await ready(first)
  const headers = await signIn(url)
  const [own] = await clustersOf(url, headers)
  const proxy = await before(own?.server ?? '')
  const theirs = cluster.kubeconfig.replace(own?.server ?? '', proxy.url)
  expect((await put(url, headers, 'other', { kubeconfig: theirs })).status).toBe(200)
  first.child.kill('SIGTERM')
  await first.exit
  const { contextName } = parseKubeconfig(cluster.kubeconfig)
  writeFileSync(kubeconfig, cluster.kubeconfig.replaceAll(new RegExp(`\\b${contextName}\\b`, 'g'), 'other'))
  const again = await ready(start())
  const listed = await clustersOf(again, await signIn(again))
  expect(listed.map(({ name, server }) => [name, server])).toEqual([
    [own?.name, own?.server],
    ['other', proxy.url],
    ['other-2', own?.server],
  ])
  proxy.close()
}, 60_000)

test('the credential plugin of the own kubeconfig is run, without our secrets; one that is sent is refused', async () => {
  const { certificate = '', key = '' } = parseKubeconfig(cluster.kubeconfig)
  const status = { clientCertificateData: certificate, clientKeyData: key }
  const apiVersion = 'client.authentication.k8s.io/v1'
  writeFileSync(join(home, 'credential'), JSON.stringify({ apiVersion, kind: 'ExecCredential', status }))
  writeFileSync(join(home, 'plugin'), `#!/bin/sh\nenv > ${home}/seen\ncat ${home}/credential\n`)
  chmodSync(join(home, 'plugin'), 0o755)
  const file = parse(cluster.kubeconfig)
  file.users[0].user = { exec: { apiVersion, command: './plugin', interactiveMode: 'Never' } }
  writeFileSync(kubeconfig, stringify(file))
  const url = await ready(start())
  const headers = await signIn(url)
  expect(readFileSync(join(home, 'seen'), 'utf8')).toContain('PATH=')
  expect(readFileSync(join(home, 'seen'), 'utf8')).not.toContain(password)
  const answer = await put(url, headers, 'sent', { kubeconfig: text().replace('./plugin', join(home, 'plugin')) })
  expect(answer.status).toBe(422)
  expect(JSON.stringify(await answer.json())).toContain('--kubeconfig FILE')
})

test('a kubeconfig that may make no namespaces is enough to start; what could not be made is remarked', async () => {
  const token = await tokenWithoutRights()
  const file = parse(cluster.kubeconfig)
  file.users[0].user = { token }
  writeFileSync(kubeconfig, stringify(file))
  const server = start()
  const url = await ready(server)
  const headers = await signIn(url)
  expect(await (await fetch(`${url}/api/v1/environments`, { headers })).json()).toMatchObject({ items: [] })
  const { remarks } = (await (await fetch(`${url}/api/v1/setup`)).json()) as { remarks: string[] }
  expect(remarks).toEqual([expect.stringMatching(/No environment could be made .*namespaces.* qd env create/)])
  expect(server.said()).toContain(remarks[0])
})

async function tokenWithoutRights(): Promise<string> {
  const namespace = await cluster.namespace('start')
  const metadata = { namespace, name: 'reader' }
  await cluster.cluster.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata })
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/reader/token`
  const { server, ca = '', certificate = '', key = '' } = parseKubeconfig(cluster.kubeconfig)
  const answer = await new Promise<string>((resolve, reject) => {
    const asking = request(`${server}${path}`, { method: 'POST', ca, cert: certificate, key }, async (response) => {
      let said = ''
      for await (const part of response) said += part
      resolve(said)
    })
    asking.on('error', reject).setHeader('content-type', 'application/json')
    asking.end(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }))
  })
  return (JSON.parse(answer) as { status: { token: string } }).status.token
}

test('attempts to sign in are counted for each user behind a proxy that is trusted, and only there', async () => {
  const guess = async (url: string, from: string) =>
    (
      await fetch(`${url}/api/v1/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': from },
        body: JSON.stringify({ user: 'admin', password: 'guess guess' }),
      })
    ).status
  const trusting = await ready(start({ QUARTERDECK_TRUSTED_PROXIES: '127.0.0.1' }))
  for (let count = 0; count < 5; count++) expect(await guess(trusting, '10.0.0.1')).toBe(401)
  expect([await guess(trusting, '10.0.0.1'), await guess(trusting, '10.0.0.2')]).toEqual([429, 401])
  for (const one of started) one.child.kill('SIGTERM')
  await started[0]?.exit
  const trustingNobody = await ready(start())
  for (let count = 0; count < 5; count++) expect(await guess(trustingNobody, `10.0.0.${count}`)).toBe(401)
  expect(await guess(trustingNobody, '10.0.0.9')).toBe(429)
}, 60_000)

test('what is no operation goes to the audit trail of the database: the password, clusters, signing in', async () => {
  const database = await testDatabase()
  const url = await ready(start({ DATABASE_URL: database.url }))
  await signIn(url)
  const rows = await database.db
    .withTables<{
      audit_event: { sequence: number; operation: string | null; actor: string; act: string; outcome: string }
    }>()
    .selectFrom('audit_event')
    .selectAll()
    .where('operation', 'is', null)
    .orderBy('sequence')
    .execute()
  expect(rows.map(({ actor, act, outcome }) => `${actor} ${act} ${outcome}`)).toEqual([
    'operator password.update succeeded',
    'operator cluster.register succeeded',
    'admin session.create succeeded',
  ])
  const [server] = started
  server?.child.kill('SIGTERM')
  await server?.exit
  await database.close()
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
