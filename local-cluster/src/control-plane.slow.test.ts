import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Component, checkPorts } from './component.ts'
import { type ControlPlane, controlPlane } from './control-plane.ts'
import { addFakeNodes } from './fake-nodes.ts'
import { kubeRequest } from './kube-request.ts'
import { markedProcesses } from './live-process.ts'

// On a busy machine an API server takes many times its usual three seconds.
vi.setConfig({ testTimeout: 180_000 })

let folder: string
const planes: ControlPlane[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qd-plane-'))
})
afterEach(async () => {
  await Promise.all(planes.splice(0).map((plane) => plane.stop()))
  rmSync(folder, { recursive: true, force: true })
})

async function start(name: string, more: Partial<Parameters<typeof controlPlane>[0]> = {}): Promise<ControlPlane> {
  const plane = await controlPlane({ folder: join(folder, name), ...more })
  planes.push(plane)
  return plane
}

async function get(plane: ControlPlane, path: string): Promise<{ status: number; body: unknown }> {
  const client = kubeRequest(plane.admin)
  return client.send('GET', path).finally(() => client.close())
}

const configMap = (name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data: { of: name },
})

test('[CLU-01] [CLU-03] the API server is an unmodified, supported Kubernetes that calls itself by its version', async () => {
  const plane = await start('one')
  const { body } = await get(plane, '/version')
  expect(body).toMatchObject({ major: '1', minor: '36', gitVersion: expect.stringMatching(/^v1\.36\.\d+$/) })
  // Built from the published module alone: nothing in go.mod may point to a changed copy.
  const goMod = readFileSync(join(import.meta.dirname, '../tools/kubernetes/go.mod'), 'utf8')
  const replaced = [...goMod.matchAll(/^\s*(?:replace )?(\S+)(?: v\S+)? => (\S+)/gm)]
  expect(replaced.length).toBeGreaterThan(20)
  for (const [, module, by] of replaced) expect(by).toBe(module)
})

test('two control planes run side by side and know nothing of each other', async () => {
  const [one, two] = await Promise.all([start('one'), start('two')])
  expect(one.url).not.toBe(two.url)
  const client = kubeRequest(one.admin)
  await client.apply(configMap('only-in-one'))
  client.close()
  const path = '/api/v1/namespaces/default/configmaps/only-in-one'
  expect((await get(one, path)).status).toBe(200)
  expect((await get(two, path)).status).toBe(404)
  // Each has its own authority: one's administrator is nobody to the other.
  const stranger = kubeRequest({ ...two.admin, certificate: one.admin.certificate, key: one.admin.key })
  expect((await stranger.send('GET', path)).status).toBe(401)
  stranger.close()
})

test('[CLU-16] what was written is still there after the API server and etcd were killed', async () => {
  const plane = await start('one', { controllers: true })
  const client = kubeRequest(plane.admin)
  await client.apply(configMap('kept'))
  client.close()
  const before = plane.pid('kube-apiserver')
  await plane.restart('kube-apiserver', { kill: true })
  expect(plane.pid('kube-apiserver')).not.toBe(before)
  await plane.restart('etcd', { kill: true })
  const kept = async () =>
    (await get(plane, '/api/v1/namespaces/default/configmaps/kept').catch(() => ({ status: 0 }))).status
  await expect.poll(kept, { timeout: 60_000 }).toBe(200)
  for (const name of ['kube-controller-manager', 'kube-scheduler']) expect(plane.pid(name)).toBeGreaterThan(0)
})

test('a scheduler that was killed is replaced by one that leads at once, though its lease has minutes to run', async () => {
  const plane = await start('one', { controllers: true })
  const lease = async () => {
    const { body } = await get(plane, '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler')
    return (body as { spec?: { holderIdentity?: string; leaseDurationSeconds?: number } }).spec
  }
  const held = async () => (await lease())?.holderIdentity ?? ''
  await expect.poll(held, { timeout: 30_000 }).not.toBe('')
  const first = await held()
  // Longer than an API server is away that starts anew on a busy machine; the test would wait for it in vain.
  expect((await lease())?.leaseDurationSeconds).toBeGreaterThanOrEqual(120)
  await plane.restart('kube-scheduler', { kill: true })
  await expect.poll(async () => [first, ''].includes(await held()), { timeout: 40_000 }).toBe(false)
})

test('the audit log says who wrote what', async () => {
  const plane = await start('one')
  const client = kubeRequest(plane.admin)
  await client.apply(configMap('noted'))
  client.close()
  const lines = () =>
    readFileSync(plane.auditLogFile, 'utf8')
      .split('\n')
      .filter((line) => line.includes('"noted"'))
  await expect.poll(() => lines().length, { timeout: 20_000 }).toBe(1)
  expect(JSON.parse(lines()[0] ?? '')).toMatchObject({ verb: 'patch', user: { username: 'quarterdeck-admin' } })
})

test('fake nodes become ready and pods on them run', async () => {
  const plane = await start('one', { controllers: true, kwok: true })
  const client = kubeRequest(plane.admin)
  expect(await addFakeNodes(client, 3, false)).toEqual(['fake-0', 'fake-1', 'fake-2'])
  const metadata = { name: 'some', namespace: 'default' }
  const labels = { app: 'some' }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'none' }] } }
  const spec = { replicas: 6, selector: { matchLabels: labels }, template }
  await client.apply({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec })
  const ready = async () => {
    const { body } = await client.send('GET', '/apis/apps/v1/namespaces/default/deployments/some')
    return (body as { status?: { readyReplicas?: number } }).status?.readyReplicas
  }
  await expect.poll(ready, { timeout: 90_000 }).toBe(6)
  client.close()
})

test('a port that another program holds is named, with its cure', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  const component: Component = {
    name: 'kube-apiserver',
    executable: '/none',
    args: [],
    ports: [port],
    ready: async () => true,
  }
  await expect(checkPorts(component)).rejects.toMatchObject({
    reason: 'PortInUse',
    message: expect.stringContaining(String(port)),
    cure: expect.stringContaining('qd local reset'),
  })
  taken.close()
})

test('a control plane ends with the process that asked for it, also when that is killed', async () => {
  const script = `
    import { controlPlane } from ${JSON.stringify(join(import.meta.dirname, 'control-plane.ts'))}
    await controlPlane({ folder: ${JSON.stringify(join(folder, 'one'))} })
    console.log('up')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  const left = () => markedProcesses('QUARTERDECK_INSTANCE', join(folder, 'one')).length
  expect(left()).toBe(2)
  child.kill('SIGKILL')
  await expect.poll(left, { timeout: 20_000 }).toBe(0)
})

test('a flag that the API server does not know ends the start with its own words, and nothing stays', async () => {
  const error = await controlPlane({ folder: join(folder, 'one'), apiServerFlags: ['--no-such-flag'] }).catch(
    (thrown) => thrown,
  )
  expect(error).toMatchObject({ reason: 'ComponentExited', message: expect.stringContaining('no-such-flag') })
  await delay(0)
  expect(markedProcesses('QUARTERDECK_INSTANCE', join(folder, 'one'))).toEqual([])
  expect(existsSync(join(folder, 'one', 'logs', 'kube-apiserver.log'))).toBe(true)
})
