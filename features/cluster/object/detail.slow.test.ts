import type { KubeObject } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import {
  LIMITED,
  list,
  listOf,
  make,
  makePod,
  names,
  namespace,
  platform,
  until,
  withMirror,
} from '../../../test/platform/mirrored.ts'
import { type Operation, undoOperation } from '../../delivery/operation/operation.contract.ts'
import { deleteObjects, getObject, listObjectEvents, type Related } from './object.contract.ts'

withMirror()

const detailOf = (resource: string, name: string, query: object = { namespace }) =>
  platform.client(getObject, { params: { cluster: 'test', resource, name }, query })
const text = ({ relation, kind, name, because, found }: Related) =>
  `${relation} ${kind}/${name} ${because}${found ? '' : ' missing'}`
const relatedTo = async (resource: string, name: string) => (await detailOf(resource, name)).related.map(text)
const owner = ({ apiVersion, kind, metadata: { name, uid = '' } }: KubeObject) => ({
  ownerReferences: [{ apiVersion, kind, name, uid, controller: true }],
})
const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } }

test('an object is shown as its API server has it, without managed fields, which are summarised', async () => {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace },
    data: { colour: 'red' },
  }
  await platform.cluster.apply(object, { fieldManager: 'helm' })
  const detail = await detailOf('configmaps', 'settings')
  expect(detail.yaml).toContain('colour: red')
  expect(detail.yaml).not.toContain('managedFields')
  expect(detail.object).toMatchObject({ data: { colour: 'red' }, metadata: { name: 'settings' } })
  expect(detail.managers).toMatchObject([{ manager: 'helm', operation: 'Apply', fields: 1 }])
  await listOf(1, 'configmaps', { filter: 'name:settings' })
  const { row, columns } = await detailOf('cm', 'settings')
  expect(row?.values[columns.indexOf('name')]).toBe('settings')
})

test('values of Secrets leave the server by no door', async () => {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'keys', namespace },
    stringData: { password: 'hunter2' },
  }
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(secret) }
  await platform.cluster.create({ ...secret, metadata: { ...secret.metadata, annotations } })
  const page = await listOf(1, 'secrets')
  const detail = await detailOf('secrets', 'keys')
  expect(detail.object.data).toEqual({ password: '(7 bytes, not shown)' })
  const all = JSON.stringify([page, detail])
  expect(all).not.toContain('hunter2')
  expect(all).not.toContain(Buffer.from('hunter2').toString('base64'))
})

test('what an object needs, needs it, owns it and is owned by it is beside it, and what is missing is told', async () => {
  await make('ConfigMap', 'wanted')
  const spec = {
    ...template.spec,
    volumes: [
      { name: 'a', configMap: { name: 'wanted' } },
      { name: 'b', secret: { secretName: 'absent' } },
    ],
  }
  const selector = { matchLabels: { app: 'web' } }
  const deployment = await make('Deployment', 'web', { spec: { selector, template: { ...template, spec } } }, 'apps/v1')
  const replicaSet = await make(
    'ReplicaSet',
    'web-1',
    { metadata: owner(deployment), spec: { replicas: 1, selector, template: { ...template, spec } } },
    'apps/v1',
  )
  await makePod('web-1-x', { labels: { app: 'web' }, spec: {} })
  await platform.cluster.patch(
    { apiVersion: 'v1', kind: 'Pod', namespace, name: 'web-1-x' },
    { metadata: owner(replicaSet) },
  )
  await make('Service', 'web', { spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } })
  await listOf(1, 'pods', { filter: 'owner="ReplicaSet/web-1"' })
  await listOf(1, 'services')
  await listOf(1, 'configmaps', { filter: 'name:wanted' })

  expect(await relatedTo('deployments.apps', 'web')).toEqual([
    'owned ReplicaSet/web-1 metadata.ownerReferences',
    'owned Pod/web-1-x metadata.ownerReferences of ReplicaSet web-1',
    'uses ConfigMap/wanted spec.template.spec.volumes[0].configMap',
    'uses Secret/absent spec.template.spec.volumes[1].secret missing',
    'usedBy Service/web spec.selector',
  ])
  expect(await relatedTo('pods', 'web-1-x')).toEqual([
    'owner ReplicaSet/web-1 metadata.ownerReferences[0]',
    'uses ServiceAccount/default spec.serviceAccountName',
    // Without controllers nobody makes it.
    'uses ConfigMap/kube-root-ca.crt spec.volumes[0].projected.sources[1].configMap missing',
    'usedBy Service/web spec.selector',
  ])
  expect(await relatedTo('services', 'web')).toEqual(['uses Pod/web-1-x spec.selector'])
  expect(await relatedTo('configmaps', 'wanted')).toEqual([
    'usedBy Deployment/web spec.template.spec.volumes[0].configMap',
  ])
  const limited = platform.as({ name: LIMITED, permissions: ['object.get'] })
  const seen = await limited(getObject, {
    params: { cluster: 'test', resource: 'services', name: 'web' },
    query: { namespace },
  })
  expect(seen.related.map(text)).toEqual(['uses Pod/web-1-x spec.selector'])
})

test('events about an object are beside it, the newest first', async () => {
  await makePod('eventful')
  const event = (name: string, minute: number, more: object) =>
    make('Event', name, {
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name: 'eventful' },
      reason: name,
      type: 'Warning',
      message: `It is ${name}`,
      count: 3,
      lastTimestamp: `2026-11-21T08:0${minute}:00Z`,
      source: { component: 'kubelet' },
      ...more,
    })
  await event('older', 1, {})
  await event('newer', 2, { type: 'Normal', count: 1 })
  await event('another', 3, { involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name: 'eventful-2' } })
  await listOf(3, 'events')
  const { items, total } = await platform.client(listObjectEvents, {
    params: { cluster: 'test', resource: 'pods', name: 'eventful' },
    query: { namespace },
  })
  expect(total).toBe(2)
  expect(items).toEqual([
    {
      type: 'Normal',
      reason: 'newer',
      message: 'It is newer',
      count: 1,
      lastTime: '2026-11-21T08:02:00.000Z',
      reporter: 'kubelet',
    },
    {
      type: 'Warning',
      reason: 'older',
      message: 'It is older',
      count: 3,
      lastTime: '2026-11-21T08:01:00.000Z',
      reporter: 'kubelet',
    },
  ])
})

test('an object that cannot be shown is refused with what to do', async () => {
  const refusal = (call: Promise<unknown>) =>
    call.then(
      () => undefined,
      ({ body, message }) => ({ status: body.status, pointer: body.errors?.[0]?.pointer, message }),
    )
  expect(await refusal(detailOf('configmaps', 'nothing'))).toMatchObject({
    status: 404,
    message: expect.stringContaining('nothing'),
  })
  expect(await refusal(detailOf('podz', 'x'))).toMatchObject({ status: 404, pointer: '/params/resource' })
  expect(await refusal(detailOf('pods', 'x', {}))).toMatchObject({ status: 400, pointer: '/query/namespace' })
  expect(await refusal(detailOf('nodes', 'x'))).toMatchObject({ status: 400, pointer: '/query/namespace' })
  const elsewhere = { params: { cluster: 'nowhere', resource: 'pods', name: 'x' }, query: { namespace } }
  expect(await refusal(platform.client(getObject, elsewhere))).toMatchObject({ status: 404 })
  expect(await refusal(platform.client(listObjectEvents, elsewhere))).toMatchObject({ status: 404 })
  const limited = platform.as({ name: LIMITED, permissions: ['object.get'] })
  const hidden = { params: { cluster: 'test', resource: 'namespaces', name: namespace } }
  const nothing = { params: { ...hidden.params, name: 'nothing' } }
  const said = await refusal(limited(getObject, hidden))
  expect(said).toMatchObject({ status: 404 })
  expect(JSON.stringify(said).replaceAll(namespace, 'nothing')).toBe(
    JSON.stringify(await refusal(limited(getObject, nothing))),
  )
})

const deletion = (objects: object[], query: object = {}, at = namespace) =>
  platform.client(deleteObjects, {
    params: { cluster: 'test' },
    query,
    body: { namespace: at, objects: objects as { resource: string; name: string }[] },
  })

test('[CON-24] chosen objects are deleted after a plan, and undone', async () => {
  for (const name of ['del-1', 'del-2']) await make('ConfigMap', name, { data: { name } })
  await listOf(2, 'configmaps', { filter: 'name~del-' })
  const chosen = [
    { resource: 'configmaps', name: 'del-1' },
    { resource: 'cm', name: 'del-2' },
  ]
  const plan = await deletion(chosen, { dryRun: true })
  expect(plan).toMatchObject({ kind: 'Plan', summary: `Delete 2 × ConfigMap in ${namespace}`, blockers: [] })
  expect(plan.kind === 'Plan' && plan.changes.map(({ action, ref }) => [action, ref.name])).toEqual([
    ['delete', 'del-1'],
    ['delete', 'del-2'],
  ])
  expect(names(await list('configmaps', { filter: 'name~del-' }))).toEqual(['del-1', 'del-2'])
  const operation = (await deletion(chosen)) as Operation
  await platform.settle()
  await listOf(0, 'configmaps', { filter: 'name~del-' })
  await platform.client(undoOperation, { params: { operation: operation.id } })
  await platform.settle()
  await listOf(2, 'configmaps', { filter: 'name~del-' })
  expect((await detailOf('configmaps', 'del-2')).object.data).toEqual({ name: 'del-2' })
})

test('what cannot be put back says so before it is deleted, and a Secret is left alone', async () => {
  await makePod('worker')
  await until(async () => names(await list('pods')).includes('worker'))
  const plan = await deletion([{ resource: 'pods', name: 'worker' }], { dryRun: true })
  expect(plan.kind === 'Plan' && plan.changes[0]).toMatchObject({
    action: 'delete',
    effect: expect.stringContaining('lost'),
  })
  const operation = (await deletion([{ resource: 'pods', name: 'worker' }])) as Operation
  expect(operation.undoable).toBe(false)
  await make('Secret', 'kept', { stringData: { password: 'hunter2' } })
  const refused = deletion([{ resource: 'secrets', name: 'kept' }])
  await expect(refused).rejects.toMatchObject({ body: { status: 422, errors: [{ pointer: '/objects/0' }] } })
  expect(await platform.cluster.get({ apiVersion: 'v1', kind: 'Secret', namespace, name: 'kept' })).toBeDefined()
})

test('a deletion that is wrong is refused at its field and deletes nothing', async () => {
  await make('ConfigMap', 'stays')
  const pointerOf = (call: Promise<unknown>) =>
    call.then(
      () => 'accepted',
      ({ body }) => body.errors?.[0]?.pointer ?? body.status,
    )
  const stays = { resource: 'configmaps', name: 'stays' }
  expect(await pointerOf(deletion([]))).toBe('/body/objects')
  expect(await pointerOf(deletion([{ ...stays, colour: 'red' }]))).toBe('/body/objects/0/colour')
  expect(await pointerOf(deletion([stays, { ...stays, resource: 'podz' }]))).toBe('/body/objects/1/resource')
  expect(await pointerOf(deletion([stays, stays]))).toBe('/body/objects/1')
  expect(await pointerOf(deletion([stays], {}, ''))).toBe('/body/namespace')
  expect(await pointerOf(deletion([{ ...stays, name: 'nothing' }]))).toBe(404)
  expect(await pointerOf(deletion(Array.from({ length: 201 }, (_, index) => ({ ...stays, name: `x-${index}` }))))).toBe(
    '/body/objects',
  )
  expect(await platform.cluster.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'stays' })).toBeDefined()
})
