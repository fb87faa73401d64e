import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { type ServerProcess, serverProcess } from './platform/server-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-start-'))
chmodSync(folder, 0o755)
const servers: ServerProcess[] = []
afterAll(async () => {
  for (const server of servers) await server.dispose()
  rmSync(folder, { recursive: true, force: true })
})

const kubeconfig = (server: string) => `apiVersion: v1
kind: Config
current-context: it
clusters: [{ name: it, cluster: { server: '${server}' } }]
users: [{ name: it, user: { token: nothing } }]
contexts: [{ name: it, context: { cluster: it, user: it } }]
`

async function start(environment: Record<string, string>): Promise<ServerProcess> {
  const server = await serverProcess({ environment })
  servers.push(server)
  server.start()
  return server
}

async function startUntilItEnds(environment: Record<string, string>) {
  const server = await start(environment)
  const ended = await Promise.race([server.ended(), sleep(30_000)])
  return { status: ended?.status, said: server.log() }
}

interface Stage {
  id: string
  state: string
  detail: string
}
/** The set-up page's stages once one of them has failed. */
async function failedStage(server: ServerProcess): Promise<Stage> {
  for (let tries = 0; tries < 300; tries++) {
    const stages = await fetch(`${server.url}/api/v1/setup`)
      .then(async (response) => ((await response.json()) as { stages: Stage[] }).stages)
      .catch(() => [])
    const failed = stages.find(({ state }) => state === 'failed')
    if (failed) return failed
    await sleep(100)
  }
  throw new Error(`No stage has failed: ${server.log()}`)
}

test('a kubeconfig that is not there ends the start with status 2 and names the file', async () => {
  const { status, said } = await startUntilItEnds({ QUARTERDECK_KUBECONFIG: join(folder, 'absent') })
  expect(status).toBe(2)
  expect(said).toContain(join(folder, 'absent'))
})

test('a setting that cannot be used ends the start with status 2 and names the setting', async () => {
  const { status, said } = await startUntilItEnds({ QUARTERDECK_PORT: 'seventy' })
  expect(status).toBe(2)
  expect(said).toContain('QUARTERDECK_PORT')
})

test('a file that is no kubeconfig is told on the set-up page; the page itself is served', async () => {
  const file = join(folder, 'no-kubeconfig')
  writeFileSync(file, 'this: is: no kubeconfig')
  const server = await start({ QUARTERDECK_KUBECONFIG: file })
  const { detail } = await failedStage(server)
  expect(detail).toContain('not YAML')
})

test('a cluster that does not answer is told on the set-up page, with its address', async () => {
  const file = join(folder, 'unreachable')
  writeFileSync(file, kubeconfig('https://127.0.0.1:1'))
  const server = await start({ QUARTERDECK_KUBECONFIG: file })
  const { detail } = await failedStage(server)
  expect(detail).toContain('127.0.0.1:1')
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
  expect((await fetch(`${server.url}/readyz`)).status).toBe(503)
})

test('a port that is taken ends the start with status 1 and names the port', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  const file = join(folder, 'unreachable')
  writeFileSync(file, kubeconfig('https://127.0.0.1:1'))
  const ended = await startUntilItEnds({ QUARTERDECK_PORT: String(port), QUARTERDECK_KUBECONFIG: file })
  other.close()
  expect(ended.status).toBe(1)
  expect(ended.said).toContain(String(port))
})

test('a state folder that cannot be written ends the start and names the folder', async () => {
  const file = join(folder, 'a-file')
  writeFileSync(file, '')
  const { status, said } = await startUntilItEnds({ QUARTERDECK_HOME: join(file, 'home') })
  expect(status).toBe(1)
  expect(said).toContain(join(file, 'home'))
})

test('a second start on the same state folder is refused, and the first goes on', async () => {
  const file = join(folder, 'unreachable')
  writeFileSync(file, kubeconfig('https://127.0.0.1:1'))
  const home = join(folder, 'shared')
  mkdirSync(home, { recursive: true })
  const first = await start({ QUARTERDECK_HOME: home, QUARTERDECK_KUBECONFIG: file })
  await failedStage(first)
  const second = await startUntilItEnds({ QUARTERDECK_HOME: home, QUARTERDECK_KUBECONFIG: file })
  expect(second.status).toBe(1)
  expect(second.said).toContain(home)
  expect((await fetch(`${first.url}/healthz`)).status).toBe(200)
})
