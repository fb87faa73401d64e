import { createClient } from '@quarterdeck/client'
import { type Authority, endpoint, type Scope, type Subject } from '@quarterdeck/kernel'
import { afterEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { bind } from './bind.ts'
import { createServer, type Server } from './server.ts'

const li: Subject = { id: 'li', name: 'li', kind: 'user', permissions: ['*'] }
let server: Server | undefined
afterEach(async () => {
  vi.useRealTimers()
  await server?.close()
})

/** Grants by `permission place`. */
function authorityOf(granted: Set<string>): Authority {
  const placeOf = ({ environment, project }: Scope) => environment ?? project ?? 'platform'
  return {
    may: (_subject, permission, scope) => granted.has(`${permission} ${placeOf(scope)}`),
    somewhere: (_subject, permission) => [...granted].some((one) => one.startsWith(`${permission} `)),
    denial: (_subject, permission) => ({ detail: `You do not have ${permission}.`, grantedBy: ['wang'] }),
  }
}

const shop = endpoint({
  id: 'thing.get',
  method: 'GET',
  path: '/environments/:environment/things',
  permission: 'application.list',
  summary: 'Things',
  params: z.object({ environment: z.string() }),
  response: z.object({ may: z.boolean() }),
})
const every = endpoint({
  id: 'thing.list',
  method: 'GET',
  path: '/things',
  permission: 'application.list',
  reach: 'anywhere',
  summary: 'All things',
  response: z.object({ may: z.boolean() }),
})
const follow = endpoint({
  id: 'thing.follow',
  method: 'GET',
  path: '/things/follow',
  permission: 'application.list',
  reach: 'anywhere',
  summary: 'Things as they come',
  response: z.string(),
  transport: 'text',
})

async function serve(...grants: string[]) {
  const granted = new Set(grants)
  server = await createServer({ authenticate: async () => li, authority: authorityOf(granted), logLevel: 'silent' })
  bind(server, shop, ({ may }) => ({ may: may('application.deploy', { environment: 'shop' }) }))
  bind(server, every, ({ may }) => ({ may: may('application.list', {}) }))
  bind(server, follow, async function* (context) {
    const { signal } = context
    context.require('application.list', { environment: 'shop' })
    yield 'first'
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
  })
  const ask = async (path: string) => {
    const answer = await server?.fetch(`http://localhost/api/v1${path}`, { headers: { authorization: 'Bearer x' } })
    return { status: answer?.status, body: (await answer?.json()) as Record<string, unknown> }
  }
  return { granted, ask, client: createClient({ baseUrl: 'http://localhost', fetch: server.fetch, token: 'x' }) }
}

test('[TEN-06] a permission counts at the place that the path names', async () => {
  const { ask } = await serve('application.list shop')
  expect(await ask('/environments/shop/things')).toMatchObject({ status: 200, body: { may: false } })
  expect(await ask('/things')).toMatchObject({ status: 200, body: { may: false } })
})

test('a denial names permission, place and who can grant it to whoever sees the place', async () => {
  const { ask } = await serve('environment.list shop')
  expect(await ask('/environments/shop/things')).toMatchObject({
    status: 403,
    body: { permission: 'application.list', scope: { environment: 'shop' }, grantedBy: ['wang'] },
  })
})

test('a place that one may not see answers word for word like one that is not there', async () => {
  const { ask } = await serve('application.list shop')
  const [hidden, absent] = [await ask('/environments/bank/things'), await ask('/environments/none/things')]
  expect(hidden.status).toBe(404)
  const plain = ({ body }: typeof hidden, name: string) =>
    JSON.stringify({ ...body, instance: '' }).replaceAll(name, 'X')
  expect(plain(hidden, 'bank')).toBe(plain(absent, 'none'))
})

test('[TEN-06] a stream ends when what it required is lost, though the endpoint itself is still allowed', async () => {
  const { granted } = await serve('application.list shop', 'application.list bank')
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const answer = await server?.fetch('http://localhost/api/v1/things/follow', {
    headers: { authorization: 'Bearer x' },
  })
  const reader = answer?.body?.getReader()
  expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('first')
  await vi.advanceTimersByTimeAsync(4_000)
  granted.delete('application.list shop')
  await vi.advanceTimersByTimeAsync(4_000)
  const rest = await reader?.read().catch(() => ({ done: true }))
  expect(rest?.done).toBe(true)
})

test('[TEN-16] a sensitive read is written down before it is answered, and not answered when that fails', async () => {
  const written: unknown[] = []
  let fails = false
  server = await createServer({
    authenticate: async () => li,
    logLevel: 'silent',
    async recordRead(subject, { id }, params) {
      if (fails) throw new Error('no room')
      written.push([subject.name, id, params])
    },
  })
  const sensitive = endpoint({ ...shop, id: 'thing.read', path: '/secret-things/:environment', recorded: 'always' })
  bind(server, sensitive, () => ({ may: written.length > 0 }))
  bind(server, shop, () => ({ may: true }))
  const ask = async (path: string) =>
    (await server?.fetch(`http://localhost/api/v1${path}`, { headers: { authorization: 'Bearer x' } }))?.status
  expect(await ask('/environments/shop/things')).toBe(200)
  expect(written).toEqual([])
  expect(await ask('/secret-things/shop')).toBe(200)
  expect(written).toEqual([['li', 'thing.read', { environment: 'shop' }]])
  fails = true
  expect(await ask('/secret-things/shop')).toBe(500)
})
