import { once } from 'node:events'
import type { Authority, KubeObject, Subject } from '@quarterdeck/kernel'
import { type Mirror, openMirror, parseFilter, parseSort } from '@quarterdeck/mirror'
import { type Platform, type PlatformParts, startPlatform } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import WebSocket from 'ws'
import { type OpenAuthority, openAuthority } from '../../tenancy/grant/authority.routes.ts'
import {
  deleteObjects,
  getObject,
  LiveFrame,
  listKinds,
  listObjects,
  searchObjects,
  watchObjects,
} from '../object/object.contract.ts'
import { objectRoutes } from '../object/object.routes.ts'
import { type Access, GRANT_LABEL, openAccess } from './access.routes.ts'

let platform: Platform
let mirror: Mirror
let authority: OpenAuthority
let access: Access
/** One that only the cluster's bindings open, one that is the environment `shop`, one that nobody opens. */
let own = ''
let shop = ''
let hidden = ''
let url = ''
/** When it was last known that rights may have changed; of performance.now. */
let knownTime = 0

const RBAC = 'rbac.authorization.k8s.io'
const log = { info: () => undefined, warn: () => undefined, error: console.error }
const late: Authority = {
  may: (...asked) => authority.may(...asked),
  somewhere: (...asked) => authority.somewhere(...asked),
  denial: (...asked) => authority.denial(...asked),
}

beforeAll(async () => {
  platform = await startPlatform({ routes, server: { authority: late } })
  ;[own, shop, hidden] = [
    await platform.namespace('own'),
    await platform.namespace('shop'),
    await platform.namespace('hidden'),
  ]
  await authority.open()
  await sql`insert into environment (name, cluster, namespace, stage, "createTime", operation, state)
    values ('shop', 'test', ${shop}, 'dev', now(), gen_random_uuid(), 'Ready')`.execute(platform.db)
  for (const namespace of [own, shop, hidden]) {
    await make({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `map-${namespace}`, namespace } })
    await make({ apiVersion: 'v1', kind: 'Secret', metadata: { name: `secret-${namespace}`, namespace } })
  }
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] }]
  await make({ apiVersion: `${RBAC}/v1`, kind: 'Role', metadata: { name: 'look', namespace: own }, rules })
  url = await platform.server.listen(0)
  mirror.watch({ name: 'test', kubeconfig: platform.kubeconfig, revision: '1' })
  access.watch('test')
  const present = (kind: string) => mirror.clusters()[0]?.kinds.find(({ resource }) => resource === kind)?.state
  await vi.waitFor(
    () => expect([present('configmaps'), present('secrets'), access.isRead('test')]).toEqual(['live', 'live', true]),
    20_000,
  )
}, 60_000)
afterAll(async () => {
  access?.close()
  authority?.close()
  await mirror?.close()
  await platform?.close()
})

const make = (object: KubeObject) => platform.cluster.create(object)

function routes(server: Platform['server'], { db, store, clusters }: PlatformParts): void {
  mirror = openMirror({ log })
  authority = openAuthority({ db, listen: store.listen, log })
  access = openAccess({
    grants: authority,
    clusterOf: clusters.get,
    changed() {
      knownTime = performance.now()
      mirror.readersChanged()
    },
    log,
  })
  const opened = () => ({ mirror, parseFilter, parseSort })
  const makeChange = (() => Promise.reject(new Error('a change was let through'))) as never
  const clusterOf = clusters.get
  objectRoutes(server, {
    opened,
    readerOf: access.readerOf,
    clusterOf,
    clusterAs: (_subject, name) => clusterOf(name),
    makeChange,
    scopeOf: (place) => ({ environment: authority.environmentAt(place) }),
    readYaml: () => [],
  })
}

let people = 0
/** Somebody new; may look at the environment `shop`, if nothing else is said. */
async function somebody({ role = 'viewer', platformWide = false, ...rest } = {}, credential: Partial<Subject> = {}) {
  people += 1
  const name = `somebody-${people}`
  const { rows } = await sql<{ id: string }>`insert into account (name) values (${name}) returning id`.execute(
    platform.db,
  )
  const id = rows[0]?.id ?? ''
  if (role !== '') {
    await sql`insert into role_grant (role, account, environment, grantor)
      select role.id, ${id}::uuid, environment.id, 'test' from role left join environment
      on environment.name = 'shop' and not ${platformWide} where role.name = ${role}`.execute(platform.db)
  }
  await authority.refresh()
  const subject: Subject = { id, name, kind: 'user', permissions: ['*'], ...credential, ...rest }
  return { id, name, client: platform.as(subject), subject }
}

const bindingOf = (name: string, user: string, labels: Record<string, string> = {}): KubeObject => ({
  apiVersion: `${RBAC}/v1`,
  kind: 'RoleBinding',
  metadata: { name, namespace: own, labels },
  roleRef: { apiGroup: RBAC, kind: 'Role', name: 'look' },
  subjects: [{ apiGroup: RBAC, kind: 'User', name: `quarterdeck:user:${user}` }],
})
const bind = async (name: string, labels: Record<string, string> = {}) => {
  await make(bindingOf(`b-${name}`, name, labels))
  return () => platform.cluster.remove({ ...bindingOf('', name), name: `b-${name}`, namespace: own })
}

type Caller = Awaited<ReturnType<typeof somebody>>
const listed = async ({ client }: Caller, resource: string) => {
  const { columns, rows } = await client(listObjects, { params: { resource }, query: { limit: 1_000 } })
  const at = columns.indexOf('namespace')
  return [...new Set(rows.map(({ values }) => values[at]))].filter((value) => [own, shop, hidden].includes(`${value}`))
}
const problemOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    ({ body }) => ({ ...body, instance: undefined, requestId: undefined }),
  )

test('[TEN-07] what is shown is what the cluster binds and what the platform grants, together', async () => {
  const li = await somebody()
  expect(await listed(li, 'configmaps')).toEqual([shop])
  const unbind = await bind(li.name)
  await expect.poll(() => listed(li, 'configmaps')).toEqual([own, shop].sort())
  expect(await problemOf(li.client(listObjects, { params: { resource: 'secrets' } }))).toMatchObject({ status: 404 })
  await unbind()
  await expect.poll(() => listed(li, 'configmaps')).toEqual([shop])
})

test('Secrets take secret.read, and who may everything on the platform sees every kind', async () => {
  const dba = await somebody({ role: 'dba' })
  expect(await listed(dba, 'secrets')).toEqual([shop])
  const wide = await somebody({ role: 'viewer', platformWide: true })
  expect(await listed(wide, 'configmaps')).toEqual([own, shop, hidden].sort())
  expect(await problemOf(wide.client(listObjects, { params: { resource: 'secrets' } }))).toMatchObject({ status: 404 })
  const administrator = await somebody({ role: 'administrator', platformWide: true })
  expect(await listed(administrator, 'secrets')).toEqual([own, shop, hidden].sort())
  await expect.poll(() => listed(administrator, 'roles')).toEqual([own])
})

test('a credential that carries less or counts in one place shows less, of what is bound in the cluster, too', async () => {
  const li = await somebody()
  await bind(li.name)
  await expect.poll(() => listed(li, 'configmaps')).toEqual([own, shop].sort())
  const as = (credential: Partial<Subject>) => ({ ...li, client: platform.as({ ...li.subject, ...credential }) })
  expect(await listed(as({ within: { environment: 'shop' } }), 'configmaps')).toEqual([shop])
  const looking = as({ permissions: ['object.list'] })
  expect(await listed(looking, 'configmaps')).toEqual([own, shop].sort())
  const elsewhere = as({ permissions: ['application.list', 'object.list'], within: { environment: 'nowhere' } })
  expect(await problemOf(elsewhere.client(listKinds))).toMatchObject({ status: 403 })
})

test('bindings that the platform itself has made do not count a second time', async () => {
  const li = await somebody()
  await bind(li.name, { [GRANT_LABEL]: 'x' })
  const wang = await somebody()
  await bind(wang.name)
  await expect.poll(() => listed(wang, 'configmaps')).toEqual([own, shop].sort())
  expect(await listed(li, 'configmaps')).toEqual([shop])
})

test('A10, A14: what one may not see is in every answer as what is not there', async () => {
  const li = await somebody({ role: 'operator' })
  const { client } = li
  const same = async (one: Promise<unknown>, other: Promise<unknown>, names: [string, string]) => {
    const [seen, unseen] = [await problemOf(one), await problemOf(other)]
    expect(seen).toMatchObject({ status: 404 })
    expect(JSON.stringify(seen).replaceAll(names[0], 'NAME')).toBe(JSON.stringify(unseen).replaceAll(names[1], 'NAME'))
  }
  const one = (cluster: string, resource: string, namespace: string, name: string) =>
    client(getObject, { params: { cluster, resource, name }, query: { namespace } })
  await same(one('test', 'cm', hidden, `map-${hidden}`), one('test', 'cm', hidden, 'nothing'), [
    `map-${hidden}`,
    'nothing',
  ])
  await same(one('test', 'cm', hidden, 'x'), one('test', 'cm', 'nowhere', 'x'), [hidden, 'nowhere'])
  const list = (resource: string) => client(listObjects, { params: { resource } })
  await same(list('clusterroles'), list('nonsenses'), ['clusterroles', 'nonsenses'])
  const gone = (name: string) =>
    client(deleteObjects, {
      params: { cluster: 'test' },
      query: { dryRun: true },
      body: { namespace: hidden, objects: [{ resource: 'configmaps', name }] },
    })
  await same(gone(`map-${hidden}`), gone('nothing'), [`map-${hidden}`, 'nothing'])
  const nobody = await somebody({ role: 'viewer' }, { within: { environment: 'shop' } })
  const at = (cluster: string) =>
    nobody.client(getObject, { params: { cluster, resource: 'cm', name: 'x' }, query: { namespace: hidden } })
  expect((await problemOf(at('other'))).status).toBe(404)
  const { items, clusters } = await client(listKinds)
  expect(items.map(({ resource }) => resource)).not.toContain('clusterroles.rbac.authorization.k8s.io')
  expect(items.find(({ resource }) => resource === 'configmaps')?.clusters[0]?.objects).toBe(1)
  expect(clusters.map(({ cluster }) => cluster)).toEqual(['test'])
  expect((await client(searchObjects, { query: { text: hidden } })).total).toBe(0)
})

test('A12: lists are sorted and filtered by their columns and by nothing that is in an object besides', async () => {
  const { client } = await somebody({ role: 'dba' })
  for (const query of [{ sort: 'data' }, { sort: 'secret.data' }, { filter: 'data.token~a' }, { filter: 'token:a' }]) {
    const problem = await problemOf(client(listObjects, { params: { resource: 'secrets' }, query }))
    expect(problem).toMatchObject({ status: 400, errors: [{ pointer: expect.stringMatching(/^\/query\//) }] })
  }
})

test('what is not to be seen is not deleted either; what only a look opens says which permission is missing', async () => {
  const { client } = await somebody({ role: 'operator' })
  const deletion = (namespace: string, resource: string, name: string) =>
    problemOf(
      client(deleteObjects, {
        params: { cluster: 'test' },
        query: { dryRun: true },
        body: { namespace, objects: [{ resource, name }] },
      }),
    )
  expect(await deletion(hidden, 'configmaps', `map-${hidden}`)).toMatchObject({ status: 404 })
  expect(await deletion(shop, 'resourcequotas', 'x')).toMatchObject({ status: 403, permission: 'object.delete' })
  expect(await deletion(shop, 'configmaps', `map-${shop}`)).toMatchObject({ status: 500 })
})

interface Watching {
  socket: WebSocket
  totals: { total: number; time: number }[]
}
async function watching({ subject }: Caller, resource: string): Promise<Watching> {
  const token = `live-${people}-${Math.random()}`
  const client = platform.as(subject)
  const at = client.socketUrl(watchObjects, {}).replace(/^ws:\/\/[^/]+/, url.replace('http', 'ws'))
  const socket = new WebSocket(at, { headers: { authorization: `Bearer ${client.token ?? token}` } })
  const totals: Watching['totals'] = []
  socket.on('message', (bytes) => {
    const frame = LiveFrame.parse(JSON.parse(String(bytes)))
    const total = frame.type === 'whole' ? frame.page.total : frame.type === 'change' ? frame.total : undefined
    if (total !== undefined) totals.push({ total, time: performance.now() })
  })
  await once(socket, 'open')
  socket.send(JSON.stringify({ type: 'open', id: 1, resource, filter: 'name~map-' }))
  return { socket, totals }
}

test('[CON-24] A13, A17: rows go from a live view within 50 ms after it is known that rights have gone', async () => {
  const li = await somebody()
  const unbind = await bind(li.name)
  await expect.poll(() => listed(li, 'configmaps')).toEqual([own, shop].sort())
  const { socket, totals } = await watching(li, 'configmaps')
  await expect.poll(() => totals.at(-1)?.total).toBe(2)
  await unbind()
  await expect.poll(() => totals.at(-1)?.total).toBe(1)
  expect((totals.at(-1)?.time ?? 0) - knownTime).toBeLessThan(50)
  await sql`delete from role_grant where account = ${li.id}::uuid`.execute(platform.db)
  const began = performance.now()
  const closed = once(socket, 'close')
  await expect.poll(() => totals.at(-1)?.total).toBe(0)
  expect((totals.at(-1)?.time ?? 0) - knownTime).toBeLessThan(50)
  // Nothing more may be opened, and who may nothing any more is shown out.
  socket.send(JSON.stringify({ type: 'open', id: 2, resource: 'pods' }))
  await closed
  expect(performance.now() - began).toBeLessThan(5_000)
}, 20_000)

test('whoever is disabled sees nothing at once, whatever the cluster binds', async () => {
  const li = await somebody()
  await bind(li.name)
  await expect.poll(() => listed(li, 'configmaps')).toEqual([own, shop].sort())
  const reader = access.readerOf(li.subject)
  await sql`update account set "disableTime" = now() where id = ${li.id}::uuid`.execute(platform.db)
  await authority.refresh()
  expect(mirror.list({ resource: 'configmaps' }, reader).total).toBe(0)
  expect([reader.knows('test'), reader.may('configmaps', 'test', own)]).toEqual([false, false])
})

test('people of equal rights share what is worked out and sent; a change for others leaves them their number', async () => {
  const [one, other] = [await somebody(), await somebody()]
  const readers = [one, other].map(({ subject }) => access.readerOf(subject))
  const before = readers.map(({ key, generation }) => `${key} ${generation}`)
  expect(before[0]).toBe(before[1])
  const third = await somebody()
  await bind(third.name)
  await expect.poll(() => listed(third, 'configmaps')).toEqual([own, shop].sort())
  expect(readers.map(({ key, generation }) => `${key} ${generation}`)).toEqual(before)
})
