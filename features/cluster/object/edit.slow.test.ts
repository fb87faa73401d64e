import type { KubeObject } from '@quarterdeck/kernel'
import { beforeAll, expect, test } from 'vitest'
import {
  LIMITED,
  listOf,
  make,
  makePod,
  namespace,
  platform,
  until,
  withMirror,
} from '../../../test/platform/mirrored.ts'
import {
  type Change,
  getOperation,
  type Operation,
  type Plan,
  undoOperation,
} from '../../delivery/operation/operation.contract.ts'
import { listAudit } from '../../delivery/operation/operation.store.ts'
import { type EditableObject, editObject, getEditable, rebaseEdit } from './edit.contract.ts'
import { listKinds } from './object.contract.ts'

withMirror()

const GROUP = `edit${Math.random().toString(36).slice(2, 8)}.example.com`
const Sail = { apiVersion: `${GROUP}/v1`, kind: 'Sail' }
beforeAll(async () => {
  const properties = {
    spec: {
      type: 'object',
      required: ['colour'],
      properties: {
        colour: { type: 'string', enum: ['red', 'blue', 'green'] },
        area: { type: 'integer', minimum: 1 },
        ropes: { type: 'integer', default: 2 },
      },
    },
    status: { type: 'object', properties: { seen: { type: 'integer' } } },
  }
  await platform.cluster.create({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `sails.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { plural: 'sails', singular: 'sail', kind: 'Sail' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: 'object', properties } },
        },
      ],
    },
  } as KubeObject)
  await until(async () => (await platform.client(listKinds)).items.some(({ kind }) => kind === 'Sail'))
}, 30_000)

const sails = `sails.${GROUP}`
const at = (resource: string, name: string) => ({ cluster: 'test', resource, name })
const read = (resource: string, name: string): Promise<EditableObject> =>
  platform.client(getEditable, { params: at(resource, name), query: { namespace } })
const edit = (resource: string, name: string, body: object, query: object = {}): Promise<Change> =>
  platform.client(editObject, { params: at(resource, name), query, body: { namespace, ...body } as never })
const planned = async (...[resource, name, body]: Parameters<typeof edit>) =>
  (await edit(resource, name, body, { dryRun: true })) as Plan
async function done(change: Change): Promise<Operation> {
  await platform.settle()
  return platform.client(getOperation, { params: { operation: (change as Operation).id } })
}
const live = (kind: { apiVersion: string; kind: string }, name: string) =>
  platform.cluster.get({ ...kind, namespace, name })
const ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap' }
/** What is read, for an edit of it. */
const asRead = ({ resourceVersion, digest }: EditableObject) => ({ resourceVersion, digest })

test('[EXT-07] a custom resource is edited as YAML after a plan that shows each field, and undone', async () => {
  await make('Sail', 'main', { spec: { colour: 'red', area: 12 } }, Sail.apiVersion)
  await listOf(1, sails)
  const found = await read(sails, 'main')
  expect(found.yaml).not.toMatch(/managedFields|resourceVersion|uid:/)
  const yaml = found.yaml.replace('colour: red', 'colour: blue').replace('  area: 12\n', '')
  const plan = await planned(sails, 'main', { yaml, ...asRead(found) })
  expect(plan).toMatchObject({ summary: `Edit Sail ${namespace}/main`, blockers: [], warnings: [] })
  expect(plan.changes).toMatchObject([
    {
      action: 'update',
      fields: [
        { path: 'spec.area', before: 12 },
        { path: 'spec.colour', before: 'red', after: 'blue' },
      ],
    },
  ])
  expect((await live(Sail, 'main'))?.spec.colour).toBe('red')
  const operation = await done(await edit(sails, 'main', { yaml, ...asRead(found) }, { planHash: plan.hash }))
  expect(operation).toMatchObject({ state: 'Succeeded', undoable: true })
  expect((await live(Sail, 'main'))?.spec).toEqual({ colour: 'blue', ropes: 2 })
  const undo = await done(await platform.client(undoOperation, { params: { operation: operation.id } }))
  expect(undo.state).toBe('Succeeded')
  expect((await live(Sail, 'main'))?.spec).toEqual({ colour: 'red', area: 12, ropes: 2 })
  const again = await done(await platform.client(undoOperation, { params: { operation: undo.id } }))
  expect(again.state).toBe('Succeeded')
  expect((await live(Sail, 'main'))?.spec).toEqual({ colour: 'blue', ropes: 2 })
})

test('[EXT-07] what the API server would not accept is said at its field before anything is done', async () => {
  await make('Sail', 'small', { spec: { colour: 'red' } }, Sail.apiVersion)
  const found = await read(sails, 'small')
  const plan = await planned(sails, 'small', {
    yaml: `${found.yaml.replace('colour: red', 'colour: pink')}  rope: 3\n`,
    ...asRead(found),
  })
  const said = JSON.stringify(plan.blockers)
  expect(said).toMatch(/spec\/rope|unknown field|spec\/colour/)
  const pink = await planned(sails, 'small', { yaml: found.yaml.replace('red', 'pink'), ...asRead(found) })
  expect(pink.blockers).toMatchObject([{ pointer: '/spec/colour', detail: expect.stringContaining('pink') }])
  await expect(
    edit(sails, 'small', { yaml: found.yaml.replace('red', 'pink'), ...asRead(found) }),
  ).rejects.toMatchObject({ body: { type: '/problems/plan-blocked' } })
  expect((await live(Sail, 'small'))?.spec.colour).toBe('red')
})

test('a change of somebody else meanwhile is said, and the edit is brought onto the new state', async () => {
  await make('ConfigMap', 'both', { data: { mine: '1', theirs: '1', gone: '1' } })
  await listOf(1, 'configmaps', { filter: 'name:both' })
  const base = await read('configmaps', 'both')
  const yaml = base.yaml.replace('mine: "1"', 'mine: "2"').replace('  gone: "1"\n', '')
  await platform.cluster.patch(
    { ...ConfigMap, namespace, name: 'both' },
    { data: { theirs: '9' } },
    { fieldManager: 'helm' },
  )
  const plan = await planned('configmaps', 'both', { yaml, ...asRead(base) })
  expect(plan.blockers).toMatchObject([
    {
      pointer: '/resourceVersion',
      detail: expect.stringMatching(/changed since you read it, the last time by .*helm/),
    },
  ])
  await expect(edit('configmaps', 'both', { yaml, ...asRead(base) })).rejects.toMatchObject({ body: { status: 422 } })
  const rebased = await platform.client(rebaseEdit, {
    params: at('configmaps', 'both'),
    body: { namespace, base: base.yaml, yaml },
  })
  expect(rebased.theirs).toEqual([{ path: 'data.theirs', before: '1', after: '9' }])
  expect(rebased.overlaps).toEqual([])
  expect((await done(await edit('configmaps', 'both', { yaml: rebased.yaml, ...asRead(rebased) }))).state).toBe(
    'Succeeded',
  )
  expect((await live(ConfigMap, 'both'))?.data).toEqual({ mine: '2', theirs: '9' })
  const clash = await platform.client(rebaseEdit, {
    params: at('configmaps', 'both'),
    body: { namespace, base: base.yaml, yaml: base.yaml.replace('theirs: "1"', 'theirs: "5"') },
  })
  expect(clash.overlaps).toEqual(['data.theirs'])
})

test('a status that changes all the time is not in the way of an edit', async () => {
  await make('Sail', 'busy', { spec: { colour: 'red' } }, Sail.apiVersion)
  const found = await read(sails, 'busy')
  const ref = { ...Sail, namespace, name: 'busy' }
  await platform.cluster.patch(ref, { status: { seen: 1 } }, { subresource: 'status' })
  const yaml = found.yaml.replace('red', 'green')
  const without = await planned(sails, 'busy', { yaml, resourceVersion: found.resourceVersion })
  expect(without.blockers).toMatchObject([{ pointer: '/resourceVersion' }])
  const accepted = await edit(sails, 'busy', { yaml, ...asRead(found) })
  await platform.cluster.patch(ref, { status: { seen: 2 } }, { subresource: 'status' })
  expect((await done(accepted)).state).toBe('Succeeded')
  expect(await live(Sail, 'busy')).toMatchObject({ spec: { colour: 'green' }, status: { seen: 2 } })
})

test('an edit that was accepted is not carried out on what somebody else has changed in between', async () => {
  await make('ConfigMap', 'late', { data: { a: '1' } })
  const found = await read('configmaps', 'late')
  const accepted = await edit('configmaps', 'late', { yaml: found.yaml.replace('"1"', '"2"'), ...asRead(found) })
  await platform.cluster.patch({ ...ConfigMap, namespace, name: 'late' }, { data: { a: '7' } })
  const operation = await done(accepted)
  expect(operation).toMatchObject({ state: 'Failed', undoable: false })
  expect(operation.conditions[0]?.message).toMatch(/was changed by somebody else since it was read/)
  expect((await live(ConfigMap, 'late'))?.data).toEqual({ a: '7' })
})

test('fields that never change are said in words, and what an application keeps is warned of', async () => {
  const spec = {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
  }
  const labels = { 'app.kubernetes.io/managed-by': 'quarterdeck', 'app.kubernetes.io/instance': 'shop' }
  await make('Deployment', 'kept', { spec, metadata: { labels } }, 'apps/v1')
  await listOf(1, 'deployments')
  const found = await read('deployments', 'kept')
  expect(found.application).toBe('shop')
  const plan = await planned('deployments', 'kept', {
    yaml: found.yaml.replaceAll('app: web', 'app: other'),
    ...asRead(found),
  })
  expect(plan.warnings[0]).toMatch(/belongs to application shop: its next deployment/)
  expect(plan.blockers[0]).toMatchObject({
    pointer: '/spec/selector',
    detail: expect.stringMatching(/spec.selector is set when the object is made and never changes/),
  })
})

test('values of Secrets get into no plan: a Secret is not edited here', async () => {
  await make('Secret', 'keys', { stringData: { password: 'hunter2' } })
  await listOf(1, 'secrets')
  await expect(read('secrets', 'keys')).rejects.toMatchObject({
    body: { status: 422, detail: expect.stringContaining('kubectl edit secret keys') },
  })
  const yaml = `apiVersion: v1\nkind: Secret\nmetadata: { name: keys }\nstringData: { password: hunter3 }\n`
  const body = { yaml, resourceVersion: '1' }
  await expect(edit('secrets', 'keys', body, { dryRun: true })).rejects.toMatchObject({ body: { status: 422 } })
  await expect(edit('secrets', 'keys', body)).rejects.toMatchObject({ body: { status: 422 } })
  const rebase = { params: at('secrets', 'keys'), body: { namespace, base: yaml, yaml } }
  await expect(platform.client(rebaseEdit, rebase)).rejects.toMatchObject({ body: { status: 422 } })
})

test('an edit that is wrong is refused at its field and changes nothing', async () => {
  await make('ConfigMap', 'stays', { data: { a: '1' } })
  const found = await read('configmaps', 'stays')
  const body = { yaml: found.yaml, ...asRead(found) }
  const refusal = (change: object, name = 'stays', resource = 'configmaps') =>
    edit(resource, name, { ...body, ...change }).then(
      () => ['accepted'],
      ({ body: { status, detail, errors } }) => [errors?.[0]?.pointer ?? status, detail],
    )
  const yaml = (from: string, to: string) => ({ yaml: found.yaml.replace(from, to) })
  expect((await refusal({ yaml: '' }))[0]).toBe('/body/yaml')
  expect((await refusal({ yaml: 'a: [' }))[0]).toBe('/body/yaml')
  expect((await refusal({ yaml: 'just words' }))[1]).toMatch(/It is no object/)
  expect((await refusal({ yaml: 'data: { a: "2" }' }))[1]).toMatch(/metadata is missing/)
  expect((await refusal({ yaml: `${found.yaml}---\n${found.yaml}` }))[1]).toMatch(/several documents/)
  expect((await refusal(yaml('kind: ConfigMap', 'kind: Secret')))[1]).toMatch(/kind is "Secret", that of the object is/)
  expect((await refusal(yaml('name: stays', 'name: goes')))[1]).toMatch(/metadata.name is "goes"/)
  expect((await refusal(yaml(`namespace: ${namespace}`, 'namespace: other')))[1]).toMatch(/metadata.namespace/)
  expect((await refusal(yaml('name: stays', 'name: stays\n  labels: { a: 1 }')))[1]).toMatch(/metadata.labels\[a\]/)
  expect((await refusal({ resourceVersion: '' }))[0]).toBe('/body/resourceVersion')
  expect((await refusal({ digest: 'short' }))[0]).toBe('/body/digest')
  expect((await refusal({ colour: 'red' }))[0]).toBe('/body/colour')
  expect((await refusal({ namespace: '' }))[0]).toBe('/body/namespace')
  expect((await refusal(yaml('name: stays', 'name: nothing'), 'nothing'))[0]).toBe(404)
  expect((await refusal({}, 'stays', 'podz'))[0]).toBe('/params/resource')
  expect((await live(ConfigMap, 'stays'))?.data).toEqual({ a: '1' })
  const empty = await planned('configmaps', 'stays', body)
  expect(empty.changes.filter(({ action }) => action !== 'unchanged')).toEqual([])
})

test('what one may not see is not there, and nobody reads or edits through another name', async () => {
  const other = await platform.namespace('other')
  await platform.cluster.create({ ...ConfigMap, metadata: { name: 'hidden', namespace: other }, data: { a: '1' } })
  const limited = platform.as({ name: LIMITED, permissions: ['*'] })
  const params = at('configmaps', 'hidden')
  const body = { namespace: other, yaml: 'a: 1', resourceVersion: '1' }
  await expect(limited(getEditable, { params, query: { namespace: other } })).rejects.toMatchObject({
    body: { status: 404 },
  })
  await expect(limited(editObject, { params, query: {}, body })).rejects.toMatchObject({ body: { status: 404 } })
  await expect(
    limited(rebaseEdit, { params, body: { namespace: other, base: 'a: 1', yaml: 'a: 1' } }),
  ).rejects.toMatchObject({ body: { status: 404 } })
  const looking = platform.as({ permissions: ['object.get', 'object.list'] })
  await expect(looking(editObject, { params, query: {}, body })).rejects.toMatchObject({ body: { status: 403 } })
})

test('an edit is in the audit trail without what was written', async () => {
  await makePod('marked')
  await listOf(1, 'pods')
  const found = await read('pods', 'marked')
  const yaml = found.yaml.replace('name: marked', 'name: marked\n  annotations: { note: quiet harbour }')
  const operation = await done(await edit('pods', 'marked', { yaml, ...asRead(found) }))
  expect(operation.state).toBe('Succeeded')
  const records = await listAudit(platform.db, operation.id)
  expect(records.map(({ outcome }) => outcome)).toEqual(['intent', 'succeeded'])
  expect(JSON.stringify(records)).not.toContain('quiet harbour')
})
