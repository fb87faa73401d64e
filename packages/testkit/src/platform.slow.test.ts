import { bind } from '@quarterdeck/http'
import { endpoint, isProblem, permissionMissing, signInRequired } from '@quarterdeck/kernel'
import { hint } from '@quarterdeck/reconcile'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { type Platform, startPlatform, testCluster } from './index.ts'

const Wish = z.object({ namespace: z.string(), name: z.string() })
const wish = endpoint({
  id: 'wish.make',
  method: 'PUT',
  path: '/wishes/:name',
  permission: 'wish.make',
  summary: 'A ConfigMap',
  params: z.object({ name: z.string() }),
  body: z.object({ namespace: z.string() }),
  response: Wish,
})

let platform: Platform
const wishes: z.infer<typeof Wish>[] = []
beforeAll(async () => {
  platform = await startPlatform({
    migrations: [],
    routes: (server, { db }) =>
      bind(server, wish, async ({ params, body }) => {
        wishes.push({ ...params, ...body })
        await hint(db, 'wish', `${body.namespace}/${params.name}`)
        return { ...params, ...body }
      }),
    reconcilers: ({ cluster }) => ({
      wish: {
        keys: async () => wishes.map(({ namespace, name }) => `${namespace}/${name}`),
        async reconcile(key) {
          const [namespace = '', name = ''] = key.split('/')
          await cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name } })
          return { requeueAfterSeconds: 7 }
        },
      },
    }),
  })
})
afterAll(() => platform?.close())
const configMap = (namespace: string, name: string) =>
  platform.cluster.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name })

test('a request leads to an object in the real cluster once everything has settled', async () => {
  const namespace = await platform.namespace()
  await platform.client(wish, { params: { name: 'one' }, body: { namespace } })
  expect(await platform.settle()).toContain(7)
  expect(await configMap(namespace, 'one')).toBeDefined()
  expect(await platform.writes(namespace)).toContainEqual(expect.objectContaining({ verb: 'patch', name: 'one' }))
})

test('a hint that is lost is made up for by resync', async () => {
  const namespace = await platform.namespace()
  platform.loseHints()
  await platform.client(wish, { params: { name: 'two' }, body: { namespace } })
  await platform.settle()
  expect(await configMap(namespace, 'two')).toBeUndefined()
  await platform.resync()
  expect(await configMap(namespace, 'two')).toBeDefined()
  await platform.reset()
})

test('who lacks the permission or a sign-in is refused', async () => {
  const call = { params: { name: 'x' }, body: { namespace: 'x' } }
  await expect(platform.as({ permissions: ['wish.list'] })(wish, call)).rejects.toSatisfy((error) =>
    isProblem(error, permissionMissing),
  )
  await expect(platform.anonymous(wish, call)).rejects.toSatisfy((error) => isProblem(error, signInRequired))
})

test('with nodes, a Deployment becomes available', { timeout: 60_000 }, async () => {
  const { cluster, namespace, close } = await testCluster({ nodes: true })
  const place = await namespace()
  const labels = { app: 'shop' }
  const container = { name: 'shop', image: 'shop:1' }
  const spec = {
    replicas: 3,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [container] } },
  }
  await cluster.apply({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'shop', namespace: place }, spec })
  const selection = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: place }
  let available = 0
  for await (const { type, object } of cluster.watch(selection)) {
    if (type === 'BOOKMARK') continue
    available = object.status?.availableReplicas ?? 0
    if (available === 3) break
  }
  expect(available).toBe(3)
  await close()
})
