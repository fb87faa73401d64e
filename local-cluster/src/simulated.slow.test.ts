import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { portsOf, readInstance } from './instance.ts'
import { markedProcesses } from './live-process.ts'
import { type LocalCluster, localCluster } from './local-cluster.ts'
import { defaultCacheFolder, obtain } from './obtain.ts'

const NOBODY = 65_534
const root = process.platform === 'linux' && process.getuid?.() === 0
let folder: string
const clusters: LocalCluster[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qd-simulated-'))
  chmodSync(folder, 0o755)
})
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.reset()
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

function simulated(name: string): LocalCluster {
  const cluster = localCluster({ stateFolder: join(folder, name), mode: 'simulated' })
  clusters.push(cluster)
  return cluster
}

test('without a real node KWOK plays three, deploying works, and it is said that nothing runs', {
  timeout: 120_000,
}, async () => {
  const cluster = simulated('one')
  await cluster.up()
  const kubectlFile = (await obtain(['kubernetes'])).executable('kubectl')
  const kubectl = (...args: string[]) =>
    execFileSync(kubectlFile, ['--kubeconfig', cluster.kubeconfigFile, ...args], { encoding: 'utf8' })
  kubectl('create', 'deployment', 'web', '--image', 'none', '--replicas', '4')
  kubectl('wait', '--for=condition=Available', 'deployment/web', '--timeout=60s')
  const status = await cluster.status()
  expect(status).toMatchObject({ state: 'Running', mode: 'simulated' })
  expect(status.nodes.filter((node) => node.fake && node.ready)).toHaveLength(3)
  expect(cluster.registry).toBeUndefined()
})

test('two clusters have their own ports, and resetting one leaves the other alone', { timeout: 120_000 }, async () => {
  const [one, two] = [simulated('one'), simulated('two')]
  await one.up()
  await two.up()
  expect((await one.status()).url).not.toBe((await two.status()).url)
  await one.reset()
  expect((await one.status()).state).toBe('Absent')
  expect((await two.status()).state).toBe('Running')
})

test('a port that was taken while the cluster was down is named, and the rest goes on when it is free', {
  timeout: 120_000,
}, async () => {
  const cluster = simulated('one')
  await cluster.up()
  await cluster.down()
  const port = portsOf(readInstance(join(folder, 'one'))?.index ?? -1).apiServer
  const taken = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1')
  await once(taken, 'listening')
  await expect(cluster.up()).rejects.toMatchObject({
    reason: 'PortInUse',
    message: expect.stringContaining(String(port)),
  })
  expect((await cluster.status()).state).toBe('Partial')
  await new Promise((done) => taken.close(done))
  await cluster.up()
  expect((await cluster.status()).state).toBe('Running')
})

test.skipIf(!root)('a user who is not root gets a simulated cluster of their own', { timeout: 120_000 }, () => {
  const home = join(folder, 'home')
  mkdirSync(home)
  chownSync(home, NOBODY, NOBODY)
  const script = `
    const { localCluster } = await import(${JSON.stringify(join(import.meta.dirname, 'local-cluster.ts'))})
    const { hostCapabilities } = await import(${JSON.stringify(join(import.meta.dirname, 'host.ts'))})
    const cluster = localCluster({ stateFolder: ${JSON.stringify(join(home, 'cluster'))} })
    const { sentences } = await hostCapabilities({ source: 'none' })
    await cluster.up()
    const { state, mode } = await cluster.status()
    await cluster.reset()
    console.log(JSON.stringify({ state, mode, sentences, after: (await cluster.status()).state }))`
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    uid: NOBODY,
    gid: NOBODY,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: home, QUARTERDECK_CACHE: defaultCacheFolder() },
  })
  expect(ran.stderr).toBe('')
  const seen = JSON.parse(ran.stdout)
  expect(seen).toMatchObject({ state: 'Running', mode: 'simulated', after: 'Absent' })
  expect(seen.sentences.join(' ')).toContain('Containers are simulated, because we are not root')
  expect(markedProcesses('QUARTERDECK_INSTANCE', join(home, 'cluster'))).toEqual([])
})

test.skipIf(!root)(
  'a disk that is full is named with its cure, in the state folder and in the cache',
  { timeout: 60_000 },
  async () => {
    const small = join(folder, 'small')
    mkdirSync(small)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', small])
    try {
      const stateFolder = join(small, 'cluster')
      await expect(localCluster({ stateFolder, mode: 'simulated' }).up()).rejects.toMatchObject({
        reason: 'DiskFull',
        message: expect.stringContaining(stateFolder),
        cure: expect.stringContaining('QUARTERDECK_HOME'),
      })
      // Read what the cache holds as if it were another machine's, into the small disk.
      const { writeArchive } = await import('./archive.ts')
      await writeArchive({ file: join(folder, 'source'), tools: ['etcd'] })
      const filling = obtain(['etcd'], { cacheFolder: join(small, 'cache'), source: join(folder, 'source') })
      await expect(filling).rejects.toMatchObject({
        reason: 'DiskFull',
        cure: expect.stringContaining('QUARTERDECK_CACHE'),
      })
    } finally {
      execFileSync('umount', [small])
    }
  },
)
