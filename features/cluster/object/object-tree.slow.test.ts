import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { KubeObject } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import {
  LIMITED,
  list,
  listOf,
  make,
  makePod,
  namespace,
  platform,
  until,
  url,
  withMirror,
} from '../../../test/platform/mirrored.ts'
import { getObjectTree, type TreeLine } from './related.contract.ts'

withMirror()

const treeOf = (resource: string, name: string, query: object = {}, client = platform.client) =>
  client(getObjectTree, { params: { cluster: 'test', resource, name }, query: { namespace, ...query } })
const owner = ({ apiVersion, kind, metadata: { name, uid = '' } }: KubeObject) => ({
  ownerReferences: [{ apiVersion, kind, name, uid, controller: true }],
})
/** Two blanks a level; what is asked for in brackets. */
const drawn = (lines: TreeLine[]) =>
  lines.map(({ depth, kind, name, itself, found, ready, revision, more }) =>
    [
      `${'  '.repeat(depth)}${itself ? `[${kind}/${name}]` : `${kind}/${name}`}`,
      ...(ready ? [ready] : []),
      ...(revision === undefined ? [] : [`r${revision}`]),
      ...(found ? [] : ['missing']),
      ...(more ? [`and ${more.count} more: ${more.filter}`] : []),
    ].join(' '),
  )
const selector = { matchLabels: { app: 'shop' } }
const template = { metadata: { labels: { app: 'shop' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } }
const named = { 'app.kubernetes.io/instance': 'shop' }

/** A shop: an application of two revisions with pods, a Service, an Ingress, an autoscaler and a volume. */
async function shop(): Promise<void> {
  const volumes = [
    { name: 'a', configMap: { name: 'colours' } },
    { name: 'b', persistentVolumeClaim: { claimName: 'files' } },
  ]
  const of = { replicas: 2, selector, template: { ...template, spec: { ...template.spec, volumes } } }
  await make('ConfigMap', 'colours')
  const deployment = await make('Deployment', 'shop', { metadata: { labels: named }, spec: of }, 'apps/v1')
  const revisions: KubeObject[] = []
  for (const revision of ['1', '2']) {
    const metadata = { ...owner(deployment), annotations: { 'deployment.kubernetes.io/revision': revision } }
    revisions.push(await make('ReplicaSet', `shop-${revision}`, { metadata, spec: of }, 'apps/v1'))
  }
  for (const pod of ['x', 'y', 'z']) {
    await makePod(`shop-2-${pod}`, { labels: { app: 'shop' } })
    const ref = { apiVersion: 'v1', kind: 'Pod', namespace, name: `shop-2-${pod}` }
    await platform.cluster.patch(ref, { metadata: owner(revisions[1] as KubeObject) })
  }
  const service = await make('Service', 'shop', { spec: { selector: { app: 'shop' }, ports: [{ port: 80 }] } })
  const metadata = { ...owner(service), labels: { 'kubernetes.io/service-name': 'shop' } }
  const endpoints = [{ addresses: ['10.0.0.1'], conditions: { ready: true } }]
  await make('EndpointSlice', 'shop-1', { metadata, addressType: 'IPv4', endpoints }, 'discovery.k8s.io/v1')
  const backend = { service: { name: 'shop', port: { number: 80 } } }
  const http = { paths: [{ path: '/', pathType: 'Prefix', backend }] }
  await make('Ingress', 'shop', { spec: { rules: [{ host: 'shop.example', http }] } }, 'networking.k8s.io/v1')
  const scaled = { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' }, maxReplicas: 5 }
  await make('HorizontalPodAutoscaler', 'shop', { spec: scaled }, 'autoscaling/v2')
  const volumeName = `${namespace}-files`
  const claim = {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
    storageClassName: volumeName,
  }
  await make('PersistentVolumeClaim', 'files', { spec: { ...claim, volumeName } })
  const volume = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], storageClassName: volumeName }
  const wide = (apiVersion: string, kind: string, rest: object) =>
    platform.cluster.create({ apiVersion, kind, metadata: { name: volumeName }, ...rest } as unknown as KubeObject)
  await wide('v1', 'PersistentVolume', { spec: { ...volume, hostPath: { path: '/nowhere' } } })
  await wide('storage.k8s.io/v1', 'StorageClass', { provisioner: 'example.org/none' })
  await listOf(3, 'pods', { filter: 'owner="ReplicaSet/shop-2"' })
  for (const kind of ['services', 'ingresses', 'endpointslices', 'hpa', 'pvc']) await listOf(1, kind)
  await until(async () => {
    const { belongs, uses } = await treeOf('persistentvolumeclaims', 'files')
    return belongs.length > 0 && uses.some(({ kind, depth }) => kind === 'StorageClass' && depth === 1)
  })
}

test('[CLU-05] the whole chain of owners, and everything below to the last level, is one answer', async () => {
  await shop()
  const below = ['      Pod/shop-2-x 0/1', '      Pod/shop-2-y 0/1', '      Pod/shop-2-z 0/1']
  const deployment = await treeOf('deployments.apps', 'shop')
  expect(drawn(deployment.belongs)).toEqual([
    'Application/shop',
    '  [Deployment/shop] 0/2',
    '    ReplicaSet/shop-2 0/2 r2',
    ...below,
    '    ReplicaSet/shop-1 0/2 r1',
  ])
  expect(drawn(deployment.uses)).toEqual([
    'ConfigMap/colours',
    'PersistentVolumeClaim/files',
    `  PersistentVolume/${namespace}-files`,
    `    StorageClass/${namespace}-files`,
  ])
  expect(drawn(deployment.usedBy)).toEqual(['HorizontalPodAutoscaler/shop', 'Service/shop', '  Ingress/shop'])
  expect(deployment.message).toBe('')
  const pod = await treeOf('pods', 'shop-2-y')
  expect(drawn(pod.belongs)).toEqual([
    'Application/shop',
    '  Deployment/shop 0/2',
    '    ReplicaSet/shop-2 0/2 r2',
    '      [Pod/shop-2-y] 0/1',
  ])
})

test('what leads to pods is followed to them: Services, ways in and autoscalers; and ConfigMaps to who uses them', async () => {
  const pods = ['Pod/shop-2-x 0/1', 'Pod/shop-2-y 0/1', 'Pod/shop-2-z 0/1']
  const service = await treeOf('services', 'shop')
  expect(drawn(service.belongs)).toEqual(['[Service/shop]', '  EndpointSlice/shop-1 1/1'])
  expect(drawn(service.uses)).toEqual(pods)
  expect(drawn(service.usedBy)).toEqual(['Ingress/shop'])
  expect(drawn((await treeOf('ingresses', 'shop')).uses)).toEqual([
    'Service/shop',
    '  EndpointSlice/shop-1 1/1',
    ...pods.map((line) => `  ${line}`),
  ])
  expect(drawn((await treeOf('hpa', 'shop')).uses)).toEqual([
    'Deployment/shop 0/2',
    '  ReplicaSet/shop-2 0/2 r2',
    ...pods.map((line) => `    ${line}`),
    '  ReplicaSet/shop-1 0/2 r1',
  ])
  expect(drawn((await treeOf('configmaps', 'colours')).usedBy)).toEqual([
    'Deployment/shop 0/2',
    '  HorizontalPodAutoscaler/shop',
  ])
})

test('of many only some are shown, and the rest is a line with the filter that lists them', async () => {
  const { belongs } = await treeOf('replicasets.apps', 'shop-2', { limit: 2 })
  const filter = `cluster="test" namespace="${namespace}" owner="ReplicaSet/shop-2"`
  expect(drawn(belongs).slice(-3)).toEqual([
    '      Pod/shop-2-x 0/1',
    '      Pod/shop-2-y 0/1',
    `      Pod/ and 1 more: ${filter}`,
  ])
  expect((await list('pods', { filter })).total).toBe(3)
  const { uses } = await treeOf('services', 'shop', { limit: 1 })
  const rest = uses.find(({ more }) => more)?.more
  expect(rest?.count).toBe(2)
  expect((await list('pods', { filter: rest?.filter ?? '' })).total).toBe(3)
})

test('an owner that is gone, and what is named but is not there, is marked as missing', async () => {
  await make('ReplicaSet', 'left', { spec: { replicas: 0, selector, template } }, 'apps/v1')
  const ownerReferences = [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name: 'gone',
      uid: '00000000-0000-4000-8000-000000000009',
      controller: true,
    },
  ]
  await platform.cluster.patch(
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace, name: 'left' },
    { metadata: { ownerReferences } },
  )
  await listOf(1, 'replicasets', { filter: 'name:left owner="Deployment/gone"' })
  expect(drawn((await treeOf('replicasets.apps', 'left')).belongs)).toEqual([
    'Deployment/gone missing',
    '  [ReplicaSet/left] 0/0',
  ])
})

test('[TEN-07] everybody sees of a tree what they may see, and nothing is called missing that they may not', async () => {
  const limited = platform.as({ name: LIMITED, permissions: ['object.get'] })
  const all = await treeOf('deployments.apps', 'shop')
  const seen = await treeOf('deployments.apps', 'shop', {}, limited)
  expect(drawn(seen.belongs)).toEqual(drawn(all.belongs))
  const wide = drawn(all.uses).filter((line) => /PersistentVolume\/|StorageClass/.test(line))
  expect(wide).toHaveLength(2)
  expect(drawn(seen.uses)).toEqual(drawn(all.uses).filter((line) => !wide.includes(line)))
  const claim = await treeOf('pvc', 'files', {}, limited)
  expect(drawn(claim.uses)).toEqual([`PersistentVolume/${namespace}-files`, `StorageClass/${namespace}-files`])
  expect(claim.uses.every(({ state, ready }) => state === '' && ready === '')).toBe(true)
  const elsewhere = { params: { cluster: 'test', resource: 'configmaps', name: 'extension-apiserver-authentication' } }
  const query = { namespace: 'kube-system' }
  await expect(limited(getObjectTree, { ...elsewhere, query })).rejects.toMatchObject({ body: { status: 404 } })
  expect((await platform.client(getObjectTree, { ...elsewhere, query })).belongs).toHaveLength(1)
})

test('a tree that is asked for wrongly is refused at the field', async () => {
  const pointer = (query: object, resource = 'deployments.apps') =>
    treeOf(resource, 'shop', query).then(
      () => 'answered',
      ({ body }) => body.errors?.[0]?.pointer,
    )
  expect(await pointer({ limit: 0 })).toBe('/query/limit')
  expect(await pointer({ limit: 501 })).toBe('/query/limit')
  expect(await pointer({ namespace: '' })).toBe('/query/namespace')
  expect(await pointer({}, 'podz')).toBe('/params/resource')
})

test('qd tree draws the same in a terminal', async () => {
  const home = mkdtempSync(join(tmpdir(), 'qd-tree-'))
  const env = { PATH: process.env.PATH ?? '', HOME: home, XDG_CONFIG_HOME: home }
  const qd = join(import.meta.dirname, '../../../apps/cli/bin/qd.mjs')
  const run = async (...args: string[]) => {
    const given = { env: { ...env, QUARTERDECK_SERVER: url, QUARTERDECK_TOKEN: 'tester' } }
    return (
      await promisify(execFile)(process.execPath, [qd, 'tree', ...args, '--cluster', 'test', '-n', namespace], given)
    ).stdout
  }
  expect((await run('rs', 'shop-2', '--limit', '1')).split('\n')).toEqual([
    'Application/shop',
    '└─ Deployment/shop  Progressing  0/2',
    '   └─ ReplicaSet/shop-2  revision 2  Progressing  0/2  ←',
    '      ├─ Pod/shop-2-x  Pending  0/1',
    `      └─ … and 2 more: qd get pods --filter 'cluster="test" namespace="${namespace}" owner="ReplicaSet/shop-2"'`,
    '',
    'Uses:',
    'ConfigMap/colours',
    expect.stringMatching(/^PersistentVolumeClaim\/files/),
    expect.stringMatching(/^└─ PersistentVolume\//),
    expect.stringMatching(/^ {3}└─ StorageClass\//),
    '',
    'Is used by:',
    expect.stringMatching(/^Service\/shop/),
    expect.stringMatching(/^└─ Ingress\/shop/),
    '',
  ])
  expect(JSON.parse(await run('rs', 'shop-2', '-o', 'json')).belongs).toHaveLength(6)
  rmSync(home, { recursive: true })
})
