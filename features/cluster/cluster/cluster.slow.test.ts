import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CliContext } from '@quarterdeck/client'
import {
  type AuditEntry,
  clusterUnreachable,
  isProblem,
  type KubeObject,
  notFound,
  type ProblemType,
  permissionMissing,
} from '@quarterdeck/kernel'
import { type Clusters, createClusters, openKeyFile } from '@quarterdeck/kube'
import { EVERYTHING, type Mirror, openMirror } from '@quarterdeck/mirror'
import { runReconcilers } from '@quarterdeck/reconcile'
import { createTestAuthority, type Platform, startPlatform } from '@quarterdeck/testkit'
import { Command } from 'commander'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { clusterCommands } from './cluster.cli.ts'
import {
  clusterExists,
  clusterInUse,
  getCluster,
  getNode,
  invalidKubeconfig,
  listClusterEvents,
  listClusters,
  listNodes,
  registerCluster,
  removeCluster,
} from './cluster.contract.ts'
import { clusterReconciler } from './cluster.reconciler.ts'
import { clusterRoutes } from './cluster.routes.ts'
import { findKubeconfig, saveCluster } from './cluster.store.ts'
import { componentsOf } from './component.rules.ts'
import { look } from './look.routes.ts'

let platform: Platform
let clusters: Clusters
let mirror: Mirror
const environments = new Map<string, string[]>()
let recorded: AuditEntry[]
let recordFails: boolean
beforeAll(async () => {
  platform = await startPlatform({
    migrations: [import.meta.dirname],
    cluster: { nodes: true },
    routes(server, { db, keyFile }) {
      clusters = createClusters({ load: (name) => findKubeconfig(db, keyFile, name) })
      const environmentsOf = async (name: string) => environments.get(name) ?? []
      const record = async (_: unknown, entry: AuditEntry) => {
        if (recordFails) throw new Error('the audit trail is full')
        recorded.push(entry)
      }
      mirror = openMirror({ log: { info: () => undefined, warn: () => undefined } })
      const mirrored = () => mirror
      clusterRoutes(server, { db, clusters, keyFile, environmentsOf, mirrored, record })
    },
    reconcilers: ({ db }) => ({ cluster: clusterReconciler({ db, clusters, look }) }),
  })
})
beforeEach(() => {
  recorded = []
  recordFails = false
  return platform.reset()
})
afterEach(() => environments.clear())
afterAll(async () => {
  await mirror?.close()
  await clusters?.close()
  await platform?.close()
})

const register = (kubeconfig = platform.kubeconfig, more: { replace?: boolean; context?: string } = {}) =>
  platform.client(registerCluster, { params: { cluster: 'prod' }, body: { kubeconfig, ...more } })
const get = () => platform.client(getCluster, { params: { cluster: 'prod' } })
const list = () => platform.client(listClusters)

/** The kubeconfig of the real cluster with something changed. */
function changed(change: (file: ReturnType<typeof parse>) => void): string {
  const file = parse(platform.kubeconfig)
  change(file)
  return stringify(file)
}
async function refused(answer: Promise<unknown>, type: ProblemType): Promise<string> {
  const error = await answer.then(
    () => undefined,
    (reason) => reason,
  )
  expect(isProblem(error, type), String(error?.stack ?? 'it was accepted')).toBe(true)
  return error.body.detail
}

test('[CLU-25] a cluster that somebody else runs is registered by its kubeconfig alone', async () => {
  const detail = await register()
  expect(detail).toMatchObject({ name: 'prod', title: 'prod', origin: 'kubeconfig', state: 'Ready', message: '' })
  expect((await list()).items.map(({ name, state }) => [name, state])).toEqual([['prod', 'Ready']])
})

test('a cluster that is registered again at the same address keeps what was seen of it, at another it does not', async () => {
  const { server } = await register()
  const { db, keyFile, kubeconfig } = platform
  const again = { name: 'prod', title: 'prod', origin: 'local' as const, simulated: true, server, kubeconfig }
  await saveCluster(db, keyFile, again, { replace: true })
  expect((await list()).items).toMatchObject([{ state: 'Ready', origin: 'local', simulated: true }])
  await saveCluster(db, keyFile, { ...again, server: 'https://elsewhere' }, { replace: true })
  expect((await list()).items).toMatchObject([{ state: 'Unknown' }])
})

test('[CLU-01] a cluster says its version and whether it is in the supported range', async () => {
  expect(await register()).toMatchObject({ version: expect.stringMatching(/^v1\.\d+\.\d+/), versionSupported: true })
})

test('[CLU-12] [CLU-16] the control plane shows the API server and etcd with its size, each by its own check', async () => {
  await register()
  const { components } = await get()
  expect(components.slice(0, 2)).toEqual([
    { name: 'kube-apiserver', healthy: true, message: '' },
    { name: 'etcd', healthy: true, message: expect.stringMatching(/^[\d.]+ [KMG]iB stored$/) },
  ])
})

test('[CLU-12] controllers are known by the leases they renew, and left out where a cluster hides them', async () => {
  const now = Date.parse('2026-11-21T12:00:00Z')
  const renewTimes: Record<string, string> = { 'kube-scheduler': '2026-11-21T11:50:00.000000Z' }
  const health = { ready: true, live: true, checks: [{ name: 'etcd', healthy: false, message: 'failed' }], message: '' }
  const reader = {
    get: async ({ name }: { name: string }): Promise<KubeObject | undefined> => {
      const renewTime = renewTimes[name]
      if (!renewTime) return undefined
      const spec = { renewTime, holderIdentity: 'node-1_8d3' }
      return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name }, spec }
    },
  }
  expect((await componentsOf(reader, health, now)).map(({ name, healthy }) => [name, healthy])).toEqual([
    ['kube-apiserver', true],
    ['etcd', false],
    ['kube-scheduler', false],
  ])
  renewTimes['kube-scheduler'] = '2026-11-21T11:59:58.000000Z'
  expect((await componentsOf(reader, health, now)).at(-1)).toEqual({
    name: 'kube-scheduler',
    healthy: true,
    message: '',
  })
})

test('what the kubeconfig may do is asked of the cluster before it is kept', async () => {
  const { rights } = await register()
  expect(rights.length).toBeGreaterThan(5)
  expect(rights.filter(({ allowed }) => !allowed)).toEqual([])
})

test('a kubeconfig with few rights is kept, and what is missing is named with what it is for', async () => {
  const namespace = await platform.namespace()
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: 'reader' } }
  const { object } = await platform.cluster.apply(account)
  expect(object.metadata.uid).toBeDefined()
  const token = await tokenOf(namespace, 'reader')
  const detail = await register(changed((file) => (file.users[0].user = { token })))
  expect(detail.state).toBe('Degraded')
  expect(detail.message).toContain('create namespaces (environments)')
  expect(detail.rights.find(({ act }) => act === 'list nodes')?.allowed).toBe(false)
})

async function tokenOf(namespace: string, name: string): Promise<string> {
  const secret: KubeObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name, annotations: { 'kubernetes.io/service-account.name': name } },
    type: 'kubernetes.io/service-account-token',
  }
  await platform.cluster.create(secret)
  for (;;) {
    const found = await platform.cluster.get({ apiVersion: 'v1', kind: 'Secret', namespace, name })
    if (!found?.data?.token) await sleep(50)
    else return Buffer.from(found.data.token, 'base64').toString()
  }
}

/** Lets the mirror read the cluster, and waits until it has. */
async function mirrored(): Promise<void> {
  mirror.watch({ name: 'prod', kubeconfig: platform.kubeconfig, revision: '1' })
  while ((await nodes()).message !== '') await sleep(20)
}
const nodes = () => platform.client(listNodes, { params: { cluster: 'prod' } })

test('capacity and nodes of a cluster that is not read yet are absent, and it is said that they are being read', async () => {
  expect((await register()).capacity).toBeUndefined()
  expect((await list()).items).toMatchObject([{ state: 'Ready', message: '' }])
  expect((await list()).items[0]).not.toHaveProperty('capacity')
  expect(await nodes()).toMatchObject({ items: [], total: 0, message: expect.stringContaining('being read') })
})

test('[CLU-11] [CLU-14] nodes show kind, role, address, capacity, what their kubelet reports and its version', async () => {
  await register()
  await mirrored()
  const { items, message } = await nodes()
  expect(message).toBe('')
  expect(items.map(({ name }) => name)).toEqual(['node-0', 'node-1', 'node-2'])
  expect(items[0]).toMatchObject({ kind: 'simulated', roles: ['worker'], ready: true, schedulable: true, message: '' })
  expect(items[0]).toMatchObject({ version: expect.stringMatching(/./), architecture: 'amd64' })
  expect(items[0]?.capacity).toMatchObject({ cpuCores: 8, memoryBytes: 32 * 2 ** 30, podLimit: 110 })
  const one = await platform.client(getNode, { params: { cluster: 'prod', node: 'node-0' } })
  expect(one.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'True' }))
  const { conditions: _c, podNames: _p, kubelet: _k, usage: _u, containers: _o, events: _e, ...same } = one
  expect(items[0]).toEqual({ ...same, createTime: expect.anything() })
})

test('[CLU-13] every pod is found under the node it runs on, and its requests are counted there', async () => {
  await register()
  await mirrored()
  const namespace = await platform.namespace()
  const before = await nodes()
  const requests = { cpu: '250m', memory: '64Mi' }
  const pod = (name: string, nodeName?: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name },
    spec: {
      ...(nodeName ? { nodeName } : { schedulerName: 'nobody' }),
      containers: [{ name: 'one', image: 'one', resources: { requests } }],
    },
  })
  await platform.cluster.create(pod('one', 'node-1'))
  await platform.cluster.create(pod('waiting'))
  const where = { resource: 'pods', cluster: 'prod', namespace }
  while (!mirror.find({ ...where, name: 'waiting' }, EVERYTHING)) await sleep(20)
  const more = (await nodes()).items.map(({ capacity }, index) => {
    const was = before.items[index]?.capacity ?? capacity
    return [
      capacity.pods - was.pods,
      Math.round((capacity.cpuRequestedCores - was.cpuRequestedCores) * 1000),
      capacity.memoryRequestedBytes - was.memoryRequestedBytes,
    ]
  })
  expect(more[1]).toEqual([1, 250, 64 * 2 ** 20])
  expect([more[0], more[2]]).toEqual([
    [0, 0, 0],
    [0, 0, 0],
  ])
  const { podNames } = await platform.client(getNode, { params: { cluster: 'prod', node: 'node-1' } })
  expect(podNames).toContainEqual(expect.objectContaining({ namespace, name: 'one' }))
  const { capacity } = await get()
  expect(capacity).toMatchObject({ nodes: 3, readyNodes: 3, podLimit: 330, cpuCores: 24 })
  const held = (await nodes()).items.reduce((sum, node) => sum + node.capacity.cpuRequestedCores, 0)
  expect(capacity?.cpuRequestedCores).toBeCloseTo(held, 6)
})

test('events of the cluster come newest first, warnings alone when asked for', async () => {
  await register()
  const namespace = await platform.namespace()
  const involvedObject = { apiVersion: 'v1', kind: 'Pod', namespace, name: 'shop' }
  for (const [name, type, minute] of [
    ['a', 'Normal', 1],
    ['b', 'Warning', 3],
    ['c', 'Warning', 2],
  ] as const) {
    const lastTimestamp = `2035-01-01T00:0${minute}:00Z`
    const metadata = { namespace, name }
    const event = { apiVersion: 'v1', kind: 'Event', metadata, involvedObject, type, reason: name, lastTimestamp }
    await platform.cluster.create(event)
  }
  const events = async (query: { type?: 'Warning'; limit: number }) =>
    (await platform.client(listClusterEvents, { params: { cluster: 'prod' }, query })).items.map(({ reason }) => reason)
  expect(await events({ limit: 3 })).toEqual(['b', 'c', 'a'])
  expect(await events({ limit: 2, type: 'Warning' })).toEqual(['b', 'c'])
})

test('a node whose kubelet cannot be asked still shows everything else, and why', async () => {
  await register()
  const node = (name: string) => platform.client(getNode, { params: { cluster: 'prod', node: name } })
  const detail = await node('node-0')
  expect(detail).toMatchObject({ name: 'node-0', ready: true, containers: [], kubelet: { healthy: false, checks: [] } })
  expect(detail.kubelet.message).toMatch(/healthz/)
  expect(detail.usage).toBeUndefined()
  expect(await refused(node('gone'), notFound)).toContain('gone')
})

test.each([
  ['not YAML', () => 'clusters: [', /is not YAML/],
  ['no kubeconfig at all', () => 'hello', /is not a kubeconfig/],
  ['no clusters', () => changed((file) => (file.clusters = [])), /^clusters: is empty/],
  ['no contexts', () => changed((file) => (file.contexts = [])), /^contexts: is empty/],
  ['a context that is not there', () => changed((file) => (file['current-context'] = 'gone')), /gone.*contexts are/],
  ['a path to a file elsewhere', () => changed(pathInstead), /client-certificate: is a path.*--flatten/],
  ['a command to run', () => changed((file) => (file.users[0].user = plugin)), /runs the command aws.*token/],
  ['no credentials', () => changed((file) => (file.users[0].user = {})), /neither token nor client certificate/],
  ['the key of another certificate', () => changed(otherKey), /client-key-data/],
])(
  'a kubeconfig with %s is refused with the field and the cure, and nothing is kept',
  async (_what, text, sentence) => {
    expect(await refused(register(text()), invalidKubeconfig)).toMatch(sentence)
    expect((await list()).items).toEqual([])
  },
)
const plugin = { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'aws', args: ['eks'] } }
type File = { users: { user: Record<string, string> }[]; clusters: { cluster: Record<string, string> }[] }
function pathInstead({ users: [user] }: File): void {
  if (user) user.user = { 'client-certificate': 'client.crt', 'client-key': 'client.key' }
}
function otherKey({ users: [user] }: File): void {
  if (user) user.user['client-key-data'] = user.user['client-certificate-data'] ?? ''
}

test('credentials that the cluster does not accept are refused', async () => {
  const kubeconfig = changed((file) => (file.users[0].user = { token: 'expired' }))
  expect(await refused(register(kubeconfig), invalidKubeconfig)).toMatch(/does not accept the credentials/)
})

test('a cluster where nothing listens is refused as unreachable, with what to check', async () => {
  const kubeconfig = changed((file) => (file.clusters[0].cluster.server = 'https://127.0.0.1:1'))
  expect(await refused(register(kubeconfig), clusterUnreachable)).toMatch(/nothing listens at 127\.0\.0\.1:1/)
})

test('a cluster of a name that is taken is refused, and replaced when asked for', async () => {
  await register()
  await refused(register(), clusterExists)
  const token = await tokenOf('kube-system', 'default')
  await register(
    changed((file) => (file.users[0].user = { token })),
    { replace: true },
  )
  expect((await get()).state).toBe('Degraded')
})

test('a cluster that environments are on is not forgotten; without them it is, and its connections end', async () => {
  await register()
  environments.set('prod', ['shop-dev'])
  expect((await list()).items[0]?.environments).toBe(1)
  const removal = () => platform.client(removeCluster, { params: { cluster: 'prod' } })
  expect(await refused(removal(), clusterInUse)).toContain('shop-dev')
  environments.clear()
  await removal()
  await refused(get(), notFound)
  await removal()
})

test('an unknown cluster is not found, and who may not is refused', async () => {
  expect(await refused(get(), notFound)).toContain('prod')
  const somebody = platform.as({ permissions: ['cluster.list'] })
  await somebody(listClusters)
  await refused(somebody(removeCluster, { params: { cluster: 'prod' } }), permissionMissing)
  await refused(platform.as({})(listClusters), permissionMissing)
})

test('a cluster that stops answering is shown as unreachable with its reason, and the others go on', async () => {
  await register()
  const { db, keyFile, kubeconfig } = platform
  const gone = changed((file) => (file.clusters[0].cluster.server = 'https://127.0.0.1:1'))
  const common = { title: 'x', origin: 'local' as const, simulated: false, server: 'https://127.0.0.1:1' }
  await saveCluster(db, keyFile, { ...common, name: 'gone', kubeconfig: gone }, { replace: true })
  await saveCluster(db, keyFile, { ...common, name: 'well', kubeconfig, server: 'https://x' }, { replace: true })
  expect((await list()).items.find(({ name }) => name === 'gone')?.state).toBe('Unknown')
  expect(await platform.resync()).toEqual(expect.arrayContaining([10, 30]))
  const { items } = await list()
  expect(items.map(({ name, state }) => [name, state])).toEqual([
    ['gone', 'Unreachable'],
    ['prod', 'Ready'],
    ['well', 'Ready'],
  ])
  expect(items[0]?.message).toContain('nothing listens')
  expect(items[0]?.observeTime).toBeDefined()
})

test('a client certificate that expires after registration is said with its date, and refused when it is new', async () => {
  const expired = createTestAuthority().issue({ commonName: 'admin', days: -0.02 })
  const kubeconfig = changed((file) => {
    file.users[0].user = {
      'client-certificate-data': Buffer.from(expired.certificate).toString('base64'),
      'client-key-data': Buffer.from(expired.key).toString('base64'),
    }
  })
  const sentence = /client-certificate-data: expired on \d{4}-\d{2}-\d{2}T.*Renew/
  expect(await refused(register(kubeconfig), invalidKubeconfig)).toMatch(sentence)
  const row = {
    name: 'prod',
    title: 'prod',
    origin: 'kubeconfig' as const,
    simulated: false,
    server: 'https://x',
    kubeconfig,
  }
  await saveCluster(platform.db, platform.keyFile, row, { replace: true })
  await clusters.invalidate('prod')
  expect(await get()).toMatchObject({ state: 'Unreachable', message: expect.stringMatching(sentence) })
})

test('a cluster whose certificate is signed by another authority is refused, saying where to put the right one', async () => {
  const other = Buffer.from(createTestAuthority().certificate).toString('base64')
  const kubeconfig = changed((file) => (file.clusters[0].cluster['certificate-authority-data'] = other))
  expect(await refused(register(kubeconfig), clusterUnreachable)).toMatch(/authority.*certificate-authority-data/)
})

test('with another key file the clusters stay listed, and say what to do', async () => {
  await register()
  const other = await openKeyFile(join(platform.stateFolder, 'other-key'), { sealedRows: 0 })
  const reading = findKubeconfig(platform.db, other, 'prod')
  expect(await refused(reading, invalidKubeconfig)).toMatch(/not sealed with the key.*register prod again/)
})

test('qd cluster adds from stdin, lists, gets, shows nodes and forgets', async () => {
  const printed: { value: unknown; columns?: Record<string, (item: never) => unknown> }[] = []
  const run = async (...words: string[]) => {
    const program = new Command().exitOverride()
    const terminal = {
      interactive: false,
      onInput: (listener: (bytes: Uint8Array) => void) => listener(Buffer.from(platform.kubeconfig)),
      onEnd: (listener: () => void) => listener(),
    }
    const context = {
      client: platform.client,
      print: (value: unknown, columns: (typeof printed)[number]['columns']) =>
        printed.push({ value, ...(columns ? { columns } : {}) }),
      progress() {},
      readFile: async (path: string) => readFile(path, 'utf8'),
      confirm: async () => true,
      terminal,
    }
    clusterCommands(program, context as unknown as CliContext)
    await program.parseAsync(['node', 'qd', 'cluster', ...words])
    const { value, columns = {} } = printed.at(-1) ?? {}
    const items = (value as { items?: never[] })?.items ?? [value as never]
    return items
      .flat()
      .map((item) => Object.fromEntries(Object.entries(columns).map(([name, cell]) => [name, cell(item)])))
  }
  expect(await run('add', 'prod', '--title', 'Production')).toMatchObject([{ name: 'prod', state: 'Ready' }])
  await mirrored()
  expect(await run('list')).toMatchObject([{ name: 'prod', nodes: '3 / 3', environments: 0, message: '' }])
  expect(await run('nodes', 'prod')).toMatchObject([
    { name: 'node-0', ready: 'yes', memory: expect.stringMatching(/ \/ 32 GiB$/) },
    { name: 'node-1' },
    { name: 'node-2' },
  ])
  await run('get', 'prod')
  expect(printed.at(-1)?.value).toMatchObject({ title: 'Production', rights: expect.any(Array) })
  await run('remove', 'prod')
  expect((await list()).items).toEqual([])
  const file = join(platform.stateFolder, 'kubeconfig')
  await writeFile(file, platform.kubeconfig)
  expect(await run('add', 'staging', '--kubeconfig', file)).toMatchObject([{ name: 'staging', state: 'Ready' }])
})

test('registering and removing a cluster is in the audit trail, what was refused is not', async () => {
  const { server } = await register()
  await refused(register(), clusterExists)
  await platform.client(removeCluster, { params: { cluster: 'prod' } })
  await platform.client(removeCluster, { params: { cluster: 'prod' } })
  const common = { actor: 'tester', what: 'cluster prod', outcome: 'succeeded' }
  expect(recorded).toEqual([
    { ...common, act: 'cluster.register', detail: `API server ${server}` },
    { ...common, act: 'cluster.remove', detail: '' },
  ])
})

test('a registration that cannot be recorded does not happen', async () => {
  recordFails = true
  await expect(register()).rejects.toThrow()
  expect((await list()).items).toEqual([])
})

test('another process uses the new kubeconfig as soon as it was given to this one', async () => {
  await register()
  const { db, keyFile, store } = platform
  const others = createClusters({ load: (name) => findKubeconfig(db, keyFile, name) })
  const reconcilers = { cluster: clusterReconciler({ db, clusters: others, look }) }
  const other = runReconcilers({ store, reconcilers, resyncSeconds: 3_600 })
  await other.settle()
  const held = await others.get('prod')
  await register(undefined, { replace: true })
  // The hint travels over the database, so it may come after this line; the resync of an hour is not what it waits for.
  await expect.poll(() => others.get('prod').then((now) => now === held), { timeout: 10_000 }).toBe(false)
  await other.close()
  await others.close()
})

test("the plugin of the operator's own file may be run until the cluster is given another kubeconfig", async () => {
  const { db, keyFile, kubeconfig } = platform
  const own = { name: 'prod', title: 'x', origin: 'kubeconfig' as const, simulated: false, server: 'https://x' }
  await saveCluster(db, keyFile, { ...own, kubeconfig, allowPlugin: true }, { replace: true })
  expect(await findKubeconfig(db, keyFile, 'prod')).toMatchObject({ allowPlugin: true })
  await register(undefined, { replace: true })
  expect(await findKubeconfig(db, keyFile, 'prod')).toMatchObject({ allowPlugin: false })
})

test('what is stored of a kubeconfig cannot be read without the key file, nor moved to another cluster', async () => {
  await register()
  const row = await platform.db
    .withTables<{ cluster: { sealedKubeconfig: string } }>()
    .selectFrom('cluster')
    .selectAll()
    .executeTakeFirstOrThrow()
  expect(JSON.stringify(row)).not.toContain('client-key-data')
  expect(() => platform.keyFile.open(row.sealedKubeconfig, 'cluster/other')).toThrow(/not sealed/)
})
