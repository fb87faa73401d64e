import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AuditEntry, clusterForbidden, isProblem } from '@quarterdeck/kernel'
import { type Clusters, connectCluster, createClusters } from '@quarterdeck/kube'
import { EVERYTHING, type Mirror, openMirror } from '@quarterdeck/mirror'
import { type ControlPlane, controlPlane, type Platform, startPlatform } from '@quarterdeck/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { followClusters } from '../object/follow-clusters.routes.ts'
import { getCluster, otherCluster, registerCluster } from './cluster.contract.ts'
import { clusterReconciler } from './cluster.reconciler.ts'
import { clusterRoutes } from './cluster.routes.ts'
import { findKubeconfig, listClusterRows } from './cluster.store.ts'
import { look } from './look.routes.ts'

// Two API servers that take the same credentials, so that nothing but the cluster itself tells them apart, and an
// address that leads to either of them.
let one: ControlPlane
let other: ControlPlane
let way: Server
let behind: ControlPlane
const open = new Set<Socket>()
let platform: Platform
let clusters: Clusters
let mirror: Mirror
let unfollow: () => Promise<void>
let environments = ['shop-dev', 'shop-prod']
const recorded: AuditEntry[] = []

beforeAll(async () => {
  const [folder, twin] = [mkdtempSync(join(tmpdir(), 'one-')), mkdtempSync(join(tmpdir(), 'other-'))]
  one = await controlPlane({ folder })
  cpSync(join(folder, 'pki'), join(twin, 'pki'), { recursive: true })
  other = await controlPlane({ folder: twin })
  behind = one
  way = createServer((near) => {
    const far = connect(Number(new URL(behind.url).port), '127.0.0.1')
    for (const socket of [near, far]) {
      open.add(socket)
      socket.on('error', () => {}).on('close', () => [near, far].map((end) => open.delete(end.destroy())))
    }
    near.pipe(far).pipe(near)
  })
  await once(way.listen(0, '127.0.0.1'), 'listening')
  mirror = openMirror({ log: { info: () => undefined, warn: () => undefined } })
  platform = await startPlatform({
    cluster: false,
    routes(server, { db, keyFile }) {
      clusters = createClusters({ load: (name) => findKubeconfig(db, keyFile, name) })
      const record = async (_: unknown, entry: AuditEntry) => void recorded.push(entry)
      clusterRoutes(server, {
        db,
        clusters,
        keyFile,
        environmentsOf: async () => environments,
        mirrored: () => mirror,
        record,
      })
    },
    reconcilers: ({ db }) => ({ cluster: clusterReconciler({ db, clusters, look }) }),
  })
  const { db, store, keyFile } = platform
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  unfollow = followClusters({
    mirror,
    registered: async () => (await listClusterRows(db)).map(({ name }) => name),
    load: (name) => findKubeconfig(db, keyFile, name),
    listen: (channel, fn) => store.listen(channel, fn),
    log,
  })
  for (const [plane, name] of [
    [one, 'only-on-one'],
    [other, 'only-on-other'],
  ] as const) {
    const cluster = connectCluster({ name, kubeconfig: readFileSync(plane.kubeconfigFile, 'utf8') })
    await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    await cluster.close()
  }
}, 60_000)
afterAll(async () => {
  await unfollow?.()
  await mirror?.close()
  await clusters?.close()
  await platform?.close()
  way?.close()
  for (const socket of open) socket.destroy()
  await one?.stop({ remove: true })
  await other?.stop({ remove: true })
})

/** The address leads there from now on. */
function lead(plane: ControlPlane): void {
  behind = plane
  for (const socket of open) socket.destroy()
}
const straight = (plane: ControlPlane) => readFileSync(plane.kubeconfigFile, 'utf8')
const byTheWay = () => straight(one).replace(one.url, `https://127.0.0.1:${(way.address() as AddressInfo).port}`)

const register = (
  kubeconfig: string,
  more: { replace?: boolean; otherCluster?: boolean; environments?: string[] } = {},
) => platform.client(registerCluster, { params: { cluster: 'prod' }, body: { kubeconfig, ...more } })
/** What an API server without nodes comes to once that has been seen. */
const IN_USE = expect.stringMatching(/^(Ready|Degraded)$/)
const get = () => platform.client(getCluster, { params: { cluster: 'prod' } })
async function refusal(answer: Promise<unknown>): Promise<string> {
  const error = await answer.then(
    () => undefined,
    (reason) => reason,
  )
  expect(isProblem(error, otherCluster), String(error?.stack ?? 'it was accepted')).toBe(true)
  return error.body.detail
}
const namespaces = () =>
  mirror.kinds(EVERYTHING).some(({ resource }) => resource === 'namespaces')
    ? mirror.list({ resource: 'namespaces', columns: ['name'] }, EVERYTHING).rows.map(({ values: [name] }) => name)
    : []

test('[A07] a kubeconfig of another cluster under a name that is taken is refused, whatever address it has', async () => {
  expect(await register(byTheWay())).toMatchObject({ state: IN_USE })
  await expect.poll(namespaces, { timeout: 10_000 }).toContain('only-on-one')
  expect(await register(straight(one), { replace: true })).toMatchObject({ state: IN_USE })
  expect(await register(byTheWay(), { replace: true })).toMatchObject({ state: IN_USE })
  const { server } = await get()
  const sentence = await refusal(register(straight(other), { replace: true }))
  expect(sentence).toMatch(/leads to another cluster .* uid [0-9a-f-]{36}, not [0-9a-f-]{36}.*--other-cluster/)
  expect(await get()).toMatchObject({ state: IN_USE, server })
}, 30_000)

test('[A07] an address that has come to lead to another cluster: nothing is read or done there, until it leads back', async () => {
  lead(other)
  await platform.resync()
  expect(await get()).toMatchObject({
    state: 'Unreachable',
    message: expect.stringMatching(
      /is another cluster than the one that was registered as prod .*nothing is read or changed there.*--other-cluster/,
    ),
  })
  const held = await clusters.get('prod').catch((error: unknown) => error)
  expect(isProblem(held, clusterForbidden), String(held)).toBe(true)
  expect(held).toMatchObject({ body: { credentials: 'refused', reason: 'OtherCluster' } })
  await expect.poll(() => mirror.clusters().map(({ cluster }) => cluster), { timeout: 10_000 }).toEqual([])

  lead(one)
  await platform.resync()
  expect(await get()).toMatchObject({ state: IN_USE })
  expect((await clusters.get('prod')).name).toBe('prod')
  await expect.poll(namespaces, { timeout: 10_000 }).toContain('only-on-one')
  expect(namespaces()).not.toContain('only-on-other')
}, 30_000)

test('[A07] that it is another cluster from now on is said, and each environment that is to be there is named', async () => {
  const confirmed = { replace: true, otherCluster: true }
  const sentence = await refusal(register(straight(other), confirmed))
  expect(sentence).toContain('2 environments would come to be there: shop-dev, shop-prod')
  expect(await refusal(register(straight(other), { ...confirmed, environments: ['shop-dev'] }))).toContain(
    ': shop-prod',
  )
  recorded.length = 0
  expect(await register(straight(other), { ...confirmed, environments })).toMatchObject({ state: IN_USE })
  expect(recorded.map(({ detail }) => detail).join()).toContain('another cluster than before')
  await expect.poll(namespaces, { timeout: 10_000 }).toContain('only-on-other')
  environments = []
  expect(await refusal(register(straight(one), { replace: true }))).toContain('leads to another cluster')
  expect(await register(straight(one), confirmed)).toMatchObject({ state: IN_USE })
}, 30_000)
