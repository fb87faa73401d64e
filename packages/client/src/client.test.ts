import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { endpoint, isProblem, type Problem } from '@quarterdeck/kernel'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { ageText, createClient, fetchWithCookies } from './index.ts'

const get = endpoint({
  id: 'boat.get',
  method: 'GET',
  path: '/boats/:boat',
  permission: 'boat.get',
  summary: 'One boat',
  params: z.object({ boat: z.string() }),
  query: z.object({ deep: z.stringbool().optional(), tag: z.array(z.string()).optional() }),
  response: z.object({ n: z.number() }),
})
const watch = { ...get, id: 'boat.watch', transport: 'lines' as const }
const change = endpoint({ ...get, id: 'boat.move', method: 'POST', change: true })

let server: Server | undefined
afterEach(() => new Promise<void>((resolve) => server?.close(() => resolve())))
async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener)
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
const failure = (promise: Promise<unknown>): Promise<Problem> =>
  promise.then(
    () => Promise.reject(new Error('it succeeded')),
    (error) => (isProblem(error) ? error : Promise.reject(error)),
  )
const call = { params: { boat: 'shop' } }

test('lines are put together however the network cuts them, and heartbeats are left out', async () => {
  const bytes = Buffer.from('{"n":1,"名":"和"}\n\n\n{"n":2}\n{"n":3}')
  const url = await serve(async (_, response) => {
    for (const byte of bytes) {
      response.write(Buffer.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
    response.end()
  })
  const seen: unknown[] = []
  for await (const line of createClient({ baseUrl: url }).lines(watch, call)) seen.push(line)
  expect(seen).toEqual([{ n: 1, 名: '和' }, { n: 2 }, { n: 3 }])
})

test('a stream that is cut off is told as the server having gone', async () => {
  const url = await serve((_, response) => {
    response.write('{"n":1}\n')
    setImmediate(() => response.destroy())
  })
  const lines = createClient({ baseUrl: url }).lines(watch, call)
  await lines.next()
  expect((await failure(lines.next())).body.type).toBe('/problems/server-unreachable')
})

test("a proxy's page is not taken for an answer of the server", async () => {
  const url = await serve((_, response) => {
    response.statusCode = 502
    response.end('<html>Bad gateway</html>')
  })
  const { body } = await failure(createClient({ baseUrl: url })(get, call))
  expect(body).toMatchObject({ type: 'about:blank', status: 502, detail: expect.stringContaining('in between') })
})

test('a page with status 200 where JSON should be is a problem too, and a redirect is not followed', async () => {
  const url = await serve((request, response) => {
    if (request.url?.includes('moved')) response.writeHead(302, { location: '/elsewhere' })
    response.end('<html>')
  })
  expect((await failure(createClient({ baseUrl: url })(get, call))).body.status).toBe(502)
  const moved = failure(createClient({ baseUrl: url, token: 'secret' })(get, { params: { boat: 'moved' } }))
  expect((await moved).body.type).toBe('/problems/server-unreachable')
})

test('values travel in their place: parameters encoded, lists repeated, what is absent left out', async () => {
  const urls: (string | undefined)[] = []
  const url = await serve((request, response) => {
    urls.push(request.url)
    response.end('{"n":1}')
  })
  const client = createClient({ baseUrl: `${url}/` })
  await client(get, { params: { boat: 'a/b?c' }, query: { deep: true, tag: ['x', 'y'] } })
  await client(get, { ...call, query: { deep: undefined } })
  expect(urls).toEqual(['/api/v1/boats/a%2Fb%3Fc?deep=true&tag=x&tag=y', '/api/v1/boats/shop'])
  expect(client.socketUrl(get, call)).toBe(`${url.replace('http', 'ws')}/api/v1/boats/shop`)
})

test('a change carries an idempotency key, its own or the one given; anything else none', async () => {
  const keys: unknown[] = []
  const url = await serve((request, response) => {
    keys.push(request.headers['idempotency-key'])
    response.end('{"n":1}')
  })
  const client = createClient({ baseUrl: url })
  await client(change, call)
  await client(change, call, { idempotencyKey: 'mine' })
  await client(get, call)
  expect(keys).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), 'mine', undefined])
})

test('giving up is not a failure of the server', async () => {
  const url = await serve(() => undefined)
  const gaveUp = new AbortController()
  const answer = createClient({ baseUrl: url })(get, call, { signal: gaveUp.signal })
  gaveUp.abort()
  await expect(answer).rejects.toMatchObject({ name: 'AbortError' })
  server?.closeAllConnections()
})

test('cookies are kept and sent back with the origin they came from', async () => {
  const seen: unknown[] = []
  const url = await serve((request, response) => {
    seen.push([request.headers.cookie, request.headers.origin])
    response.setHeader('set-cookie', ['a=1; Path=/; HttpOnly', 'b=x=y'])
    response.end('{"n":1}')
  })
  const client = createClient({ baseUrl: url, fetch: fetchWithCookies(url) })
  await client(get, call)
  await client(get, call)
  expect(seen).toEqual([
    [undefined, url],
    ['a=1; b=x=y', url],
  ])
})

test.each([
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [3_599, '59m'],
  [3_600, '1h'],
  [86_400 * 3, '3d'],
])('an instant %i s ago is %s', (seconds, text) => {
  const now = Date.parse('2026-11-21T08:00:00Z')
  expect(ageText(new Date(now - seconds * 1_000).toISOString(), now)).toBe(text)
})
