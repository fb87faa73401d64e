import { isProblem, notFound, permissionMissing } from '@quarterdeck/kernel'
import { type Platform, startPlatform } from '@quarterdeck/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fieldChanges } from '../../delivery/operation/field-change.rules.ts'
import type { Authorship } from './author.rules.ts'
import { getStateAt, getVersion, listChanges, listVersions } from './version.contract.ts'
import { versionRoutes } from './version.routes.ts'
import { record } from './version.store.ts'

let platform: Platform
const known: Authorship[] = []
const params = { cluster: 'one', resource: 'deployments.apps', name: 'web' }
const query = { namespace: 'shop' }
/** Whoever is called blind sees nothing of the shop. */
const readerOf = ({ name }: { name: string }) => ({
  may: (_resource: string, _cluster: string, namespace: string) => name !== 'blind' || namespace !== 'shop',
  allows: (_verb: string, { namespace }: { namespace: string }) => name !== 'blind' || namespace !== 'shop',
})

beforeAll(async () => {
  platform = await startPlatform({
    migrations: [import.meta.dirname],
    cluster: false,
    routes: (server, { db }) => versionRoutes(server, { db, readerOf, authorships: async () => known, fieldChanges }),
  })
  const place = { cluster: 'one', resource: 'deployments.apps', kind: 'Deployment' }
  const state = (minute: number, replicas: number, manager: string) => ({
    change: 'changed' as const,
    namespace: 'shop',
    name: 'web',
    uid: 'u-1',
    generation: minute,
    revision: String(minute),
    time: Date.parse('2026-11-21T12:00:00Z') + minute * 60_000,
    manager,
    managedTime: '',
    content: JSON.stringify({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { replicas, paused: false },
    }),
  })
  await record(platform.db, place, [state(1, 1, 'helm'), state(2, 4, 'kubectl-edit'), state(3, 2, 'quarterdeck')])
})
afterAll(() => platform?.close())

test('who changed an object, and when, is answered newest first and page by page', async () => {
  const { client } = platform
  const first = await client(listVersions, { params, query: { ...query, limit: 2 } })
  expect(first.items.map(({ number, manager }) => [number, manager])).toEqual([
    [3, 'quarterdeck'],
    [2, 'kubectl-edit'],
  ])
  const rest = await client(listVersions, { params, query: { ...query, before: first.continue } })
  expect(rest).toMatchObject({ items: [{ number: 1, manager: 'helm', time: '2026-11-21T12:01:00.000Z' }] })
  expect(rest.continue).toBeUndefined()
  const missing = await client(listVersions, { params: { ...params, name: 'other' }, query }).catch((error) => error)
  expect(isProblem(missing, notFound)).toBe(true)
})

test('a version shows what it changed, against the one before or any other', async () => {
  const { client } = platform
  const second = await client(getVersion, { params: { ...params, number: 2 }, query })
  expect(second).toMatchObject({ comparedWith: 1, changes: [{ path: 'spec.replicas', before: 1, after: 4 }] })
  expect(second.yaml).toContain('replicas: 4')
  const third = await client(getVersion, { params: { ...params, number: 3 }, query: { ...query, against: 1 } })
  expect(third.changes).toEqual([{ path: 'spec.replicas', before: 1, after: 2 }])
  expect((await client(getVersion, { params: { ...params, number: 1 }, query })).comparedWith).toBeUndefined()
})

test('the state at any time can be had; before the first one there is none', async () => {
  const { client } = platform
  const at = (time: string) => client(getStateAt, { params, query: { ...query, time } })
  expect((await at('2026-11-21T12:02:30Z')).number).toBe(2)
  expect((await client(getStateAt, { params, query })).number).toBe(3)
  const early = await at('2026-11-21T11:00:00Z').catch((error) => error)
  expect(isProblem(early, notFound)).toBe(true)
  expect(early.body.detail).toContain('deployments.apps shop/web on one')
  const wrong = await at('yesterday').catch((error) => error)
  expect(wrong.body).toMatchObject({ status: 400, errors: [{ pointer: '/query/time' }] })
  const odd = await client(getStateAt, { params, query: { namespace: 'a\0b' } }).catch((error) => error)
  expect(odd.body).toMatchObject({ status: 400, errors: [{ pointer: '/query/namespace' }] })
})

test('a version that is not recorded is not found, and the sentence says where to look', async () => {
  const missing = await platform.client(getVersion, { params: { ...params, number: 9 }, query }).catch((error) => error)
  expect(isProblem(missing, notFound)).toBe(true)
  expect(missing.body.detail).toContain('qd versions')
})

test('changes of all objects are listed for whoever may list objects, and for nobody else', async () => {
  const { items } = await platform.client(listChanges, { query: { cluster: 'one', manager: 'helm' } })
  expect(items).toMatchObject([{ kind: 'Deployment', namespace: 'shop', name: 'web', number: 1 }])
  const refused = await platform
    .as({ permissions: ['object.get'] })(listChanges, {})
    .catch((error) => error)
  expect(isProblem(refused, permissionMissing)).toBe(true)
})

test('[TEN-07] of what one may not see nothing is recorded, in the same words as of what is not there', async () => {
  const blind = platform.as({ name: 'blind', permissions: ['object.list', 'object.get'] })
  const place = { cluster: 'one', resource: 'deployments.apps', kind: 'Deployment' }
  const change = { change: 'changed' as const, namespace: 'open', name: 'door', uid: 'u-2', generation: 1 }
  const rest = { revision: '9', time: Date.parse('2026-11-21T11:00:00Z'), manager: 'helm', managedTime: '' }
  await record(platform.db, place, [{ ...change, ...rest, content: '{"apiVersion":"apps/v1","kind":"Deployment"}' }])
  const saidOf = async (name: string) => {
    const asked = { params: { ...params, name }, query }
    const problems = await Promise.all([
      blind(listVersions, asked).catch((error: Error) => error.message),
      blind(getVersion, { ...asked, params: { ...asked.params, number: 1 } }).catch((error: Error) => error.message),
      blind(getStateAt, { ...asked, query: { ...query, time: '2026-11-21T13:00:00Z' } }).catch((e: Error) => e.message),
    ])
    return JSON.stringify(problems).replaceAll(name, 'NAME')
  }
  expect(await saidOf('web')).toBe(await saidOf('nothing'))
  const { items } = await blind(listChanges, { query: { limit: 1 } })
  expect(items.map(({ name }) => name)).toEqual(['door'])
  const all = await platform.client(listChanges, { query: {} })
  expect(new Set(all.items.map(({ namespace }) => namespace))).toEqual(new Set(['shop', 'open']))
  expect((await blind(listChanges, { query: { namespace: 'shop' } })).items).toEqual([])
})
