import { connect as connectTcp } from 'node:net'
import { createClient, serverUnreachable } from '@quarterdeck/client'
import {
  endpoint,
  isProblem,
  Name,
  notFound,
  type Problem,
  problemType,
  type Subject,
  storeUnavailable,
} from '@quarterdeck/kernel'
import { afterAll, beforeAll, expect, test } from 'vitest'
import WebSocket from 'ws'
import { z } from 'zod'
import { bind, bindSocket, createServer, openApiDocument, type Server } from './index.ts'

const boatTaken = problemType('boat-taken', 409, 'The boat is taken')
const params = z.object({ boat: Name })
const Boat = z.object({ name: Name, crew: z.array(z.object({ role: z.string() })) })
const getBoat = endpoint({
  id: 'boat.get',
  method: 'GET',
  path: '/boats/:boat',
  permission: 'boat.get',
  summary: 'One boat',
  params,
  query: z.object({ deep: z.stringbool().default(false) }),
  response: Boat,
})
const createBoat = endpoint({
  id: 'boat.create',
  method: 'POST',
  path: '/boats',
  permission: 'boat.create',
  summary: 'Make a boat',
  body: Boat,
  response: Boat,
  status: 201,
  problems: [boatTaken],
})
const moveBoat = endpoint({
  id: 'boat.move',
  method: 'POST',
  path: '/boats/:boat/move',
  permission: 'boat.create',
  summary: 'Move a boat',
  params,
  query: z.object({ dryRun: z.stringbool().default(false) }),
  response: z.object({ kind: z.enum(['Plan', 'Operation']), key: z.string() }),
  change: true,
})
const watchBoat = endpoint({
  id: 'boat.watch',
  method: 'GET',
  path: '/boats/:boat/watch',
  permission: 'boat.get',
  summary: 'The boat each time it changes',
  params,
  response: z.object({ n: z.number() }),
  transport: 'lines',
})
const boatLog = endpoint({
  id: 'boat.log',
  method: 'GET',
  path: '/boats/:boat/log',
  permission: 'boat.get',
  summary: "The boat's log",
  params,
  response: z.string(),
  transport: 'text',
})
const echo = endpoint({
  id: 'boat.echo',
  method: 'GET',
  path: '/boats/:boat/echo',
  permission: 'boat.get',
  summary: 'Says back',
  params,
  response: z.undefined(),
  transport: 'websocket',
})
const whoever = endpoint({
  id: 'boat.whoever',
  method: 'GET',
  path: '/whoever',
  permission: 'anonymous',
  summary: 'Anybody',
  response: z.object({ name: z.string() }),
})

const subjects: Record<string, Subject> = {
  all: { name: 'ann', kind: 'user', permissions: ['*'] },
  viewer: { name: 'vic', kind: 'token', permissions: ['boat.get'] },
}
let server: Server
let url: string
const logged: string[] = []
let streamEnded = false

beforeAll(async () => {
  server = await createServer({
    logTo: { write: (line) => void logged.push(line) },
    authenticate: async ({ session, token }) => {
      if (token === 'away') throw storeUnavailable({ detail: 'The database does not answer' })
      return subjects[session ?? token ?? '']
    },
    readiness: async () => ({ ready: false, checks: { store: { ready: false, detail: 'starting' } } }),
    version: '1',
  })
  bind(server, getBoat, ({ params: { boat }, query }) => {
    if (boat === 'lost') throw notFound({ detail: 'There is no boat lost' })
    if (boat === 'broken') throw new TypeError('secret inner detail')
    if (boat === 'nostore') throw storeUnavailable({ detail: 'The database does not answer', retryAfterSeconds: 5 })
    return { name: boat, crew: query.deep ? [{ role: 'cook' }] : [], password: 'not for you' }
  })
  bind(server, createBoat, ({ body }) => {
    if (body.name === 'ark') throw boatTaken({ detail: 'Noah has ark' })
    return body
  })
  bind(server, moveBoat, ({ query, idempotencyKey }) => ({
    kind: query.dryRun ? ('Plan' as const) : ('Operation' as const),
    key: idempotencyKey,
  }))
  bind(server, watchBoat, async function* ({ params: { boat }, signal }) {
    if (boat === 'lost') throw notFound({ detail: 'There is no boat lost' })
    yield { n: 1 }
    yield { n: 2 }
    if (boat === 'sinking') throw boatTaken({ detail: 'by the sea' })
    if (boat !== 'endless') return
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    streamEnded = true
  })
  bind(server, boatLog, async function* () {
    yield 'wind '
    yield new TextEncoder().encode('和 waves')
  })
  bindSocket(server, echo, ({ params: { boat } }, socket) => {
    if (boat === 'lost') throw notFound({ detail: 'There is no boat lost' })
    socket.onFrame((frame) => void socket.send(frame))
  })
  bind(server, whoever, ({ subject }) => ({ name: subject.name }))
  url = await server.listen(0)
})
afterAll(() => server.close())

const client = () => createClient({ baseUrl: url, token: 'all' })
const failure = async (promise: Promise<unknown>): Promise<Problem> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(isProblem(error)).toBe(true)
  return error as Problem
}
// biome-ignore lint/suspicious/noExplicitAny: what came over the wire, whatever it is
const jsonOf = (response: Response): Promise<any> => response.json()
async function raw(method: string, path: string, init: RequestInit = {}, headers: Record<string, string> = {}) {
  const response = await fetch(url + path, { method, ...init, headers: { authorization: 'Bearer all', ...headers } })
  return { response, body: await jsonOf(response).catch(() => undefined) }
}
const json = { 'content-type': 'application/json' }

test('a call comes back typed, and holds nothing that the response does not declare', async () => {
  expect(await client()(getBoat, { params: { boat: 'shop' }, query: { deep: true } })).toEqual({
    name: 'shop',
    crew: [{ role: 'cook' }],
  })
})

test('a declared problem arrives as the same problem, with the request id that the log carries', async () => {
  const problem = await failure(client()(createBoat, { body: { name: 'ark', crew: [] } }))
  expect(isProblem(problem, boatTaken)).toBe(true)
  expect(problem.body).toMatchObject({ status: 409, detail: 'Noah has ark', title: 'The boat is taken' })
  expect(problem.body.instance).toMatch(/^\/requests\/req-[0-9a-f]{16}$/)
})

test('an unexpected failure says nothing about the inside and is logged once with its request id', async () => {
  const problem = await failure(client()(getBoat, { params: { boat: 'broken' } }))
  expect(problem.body).toMatchObject({ type: 'about:blank', status: 500 })
  expect(JSON.stringify(problem.body)).not.toContain('secret')
  const id = problem.body.instance?.replace('/requests/', '') ?? ''
  expect(logged.filter((line) => line.includes(id) && line.includes('secret inner detail'))).toHaveLength(1)
})

test('a store that does not answer is told with when to try again, and what needs no sign-in goes on', async () => {
  const { response, body } = await raw('GET', '/api/v1/boats/nostore')
  expect([response.status, body.type]).toEqual([503, '/problems/store-unavailable'])
  expect(response.headers.get('retry-after')).toBe('5')
  const away = await raw('GET', '/api/v1/boats/shop', {}, { authorization: 'Bearer away' })
  expect(away.body.type).toBe('/problems/store-unavailable')
  expect((await raw('GET', '/api/v1/whoever', {}, { authorization: 'Bearer away' })).body).toEqual({
    name: 'anonymous',
  })
})

test.each([
  ['a route that is not there', 'GET', '/api/v1/ships', {}, {}, 404, '/problems/not-found'],
  ['a path that cannot be decoded', 'GET', '/api/v1/boats/%zz', {}, {}, 400, '/problems/invalid-input'],
  ['JSON that is not', 'POST', '/api/v1/boats', { body: '{"name":' }, json, 400, '/problems/invalid-input'],
  [
    'a body that reaches for the prototype',
    'POST',
    '/api/v1/boats',
    { body: '{"__proto__":{"a":1}}' },
    json,
    400,
    '/problems/invalid-input',
  ],
  [
    'another content type',
    'POST',
    '/api/v1/boats',
    { body: 'name=x' },
    { 'content-type': 'text/plain' },
    415,
    '/problems/unsupported-media-type',
  ],
  ['a body of 10 MB', 'POST', '/api/v1/boats', { body: 'x'.repeat(10_000_000) }, json, 413, '/problems/too-large'],
  [
    'an Authorization that is not Bearer',
    'GET',
    '/api/v1/boats/shop',
    {},
    { authorization: 'Basic YTpi' },
    401,
    '/problems/sign-in-required',
  ],
])('%s is a problem+json', async (_, method, path, init, headers, status, type) => {
  const { response, body } = await raw(method, path, init, headers)
  expect([response.status, body.type, body.status]).toEqual([status, type, status])
  expect(response.headers.get('content-type')).toContain('application/problem+json')
  expect(response.headers.get('x-content-type-options')).toBe('nosniff')
})

test('what is wrong with a body is told field by field, unknown fields included, however deep', async () => {
  const { body } = await raw(
    'POST',
    '/api/v1/boats',
    { body: JSON.stringify({ name: 'Ärk', crew: [{ role: 'cook', rank: 3 }], owner: 'me' }) },
    json,
  )
  expect(body.errors.map((error: { pointer: string }) => error.pointer)).toEqual([
    '/body/name',
    '/body/crew/0/rank',
    '/body/owner',
  ])
  expect((await raw('GET', '/api/v1/boats/shop?depe=true')).body.errors).toEqual([
    { pointer: '/query/depe', detail: 'There is no such field' },
  ])
})

test('nobody gets in without sign-in, and nobody does what the token does not carry', async () => {
  const anonymous = await failure(createClient({ baseUrl: url })(getBoat, { params: { boat: 'shop' } }))
  expect(anonymous.body.type).toBe('/problems/sign-in-required')
  const viewer = createClient({ baseUrl: url, token: 'viewer' })
  expect((await viewer(getBoat, { params: { boat: 'shop' } })).name).toBe('shop')
  const refused = await failure(viewer(createBoat, { body: { name: 'x', crew: [] } }))
  expect(refused.body).toMatchObject({ status: 403, permission: 'boat.create', scope: {} })
  expect(await createClient({ baseUrl: url })(whoever)).toEqual({ name: 'anonymous' })
})

test('permission is asked before the body is read', async () => {
  const { body } = await raw('POST', '/api/v1/boats', { body: '{' }, { ...json, authorization: 'Bearer viewer' })
  expect(body.type).toBe('/problems/permission-missing')
})

const cookie = () => ({ authorization: '', cookie: `session-${new URL(url).port}=all` })
const withCookie = (headers: Record<string, string>) => {
  const { authorization: _, ...rest } = { ...cookie(), ...headers }
  return fetch(`${url}/api/v1/boats`, {
    method: 'POST',
    headers: { ...json, ...rest },
    body: JSON.stringify({ name: 'shop', crew: [] }),
  })
}

test('a browser that is signed in may change something only from a page of this server', async () => {
  expect((await withCookie({ 'sec-fetch-site': 'same-origin', origin: url })).status).toBe(201)
  const foreign = [
    {},
    { origin: 'https://evil.example' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', origin: url },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:1' },
  ]
  for (const headers of foreign) {
    const response = await withCookie(headers as Record<string, string>)
    expect([headers, response.status, (await jsonOf(response)).type]).toEqual([
      headers,
      403,
      '/problems/foreign-origin',
    ])
  }
})

test('a name that resolves to this machine but is not its own gets nothing', async () => {
  const response = await server.fetch('http://rebound.example/api/v1/whoever')
  expect([response.status, (await jsonOf(response)).type]).toEqual([421, '/problems/unknown-host'])
})

test('a change answers 202 with the operation, 200 with the plan, and carries an idempotency key', async () => {
  const made = await raw('POST', '/api/v1/boats/shop/move', {}, { 'idempotency-key': 'k1' })
  expect([made.response.status, made.body]).toEqual([202, { kind: 'Operation', key: 'k1' }])
  expect((await raw('POST', '/api/v1/boats/shop/move?dryRun=true')).response.status).toBe(200)
  const first = await client()(moveBoat, { params: { boat: 'shop' } })
  const second = await client()(moveBoat, { params: { boat: 'shop' } })
  expect(first.key).not.toBe(second.key)
  expect((await raw('POST', '/api/v1/boats/shop/move', {}, { 'idempotency-key': 'a b' })).response.status).toBe(400)
})

test('lines come one by one; a failure before the first has its own status, one after it ends the stream', async () => {
  const seen: number[] = []
  for await (const { n } of client().lines(watchBoat, { params: { boat: 'shop' } })) seen.push(n)
  expect(seen).toEqual([1, 2])
  expect(
    (
      await failure(
        client()
          .lines(watchBoat, { params: { boat: 'lost' } })
          .next(),
      )
    ).body.status,
  ).toBe(404)
  const sinking = client().lines(watchBoat, { params: { boat: 'sinking' } })
  await sinking.next()
  await sinking.next()
  expect((await failure(sinking.next())).body).toMatchObject({ type: '/problems/boat-taken', detail: 'by the sea' })
})

test('a reader that leaves ends the stream on the server', async () => {
  const endless = client().lines(watchBoat, { params: { boat: 'endless' } })
  await endless.next()
  await endless.return()
  await expect.poll(() => streamEnded).toBe(true)
})

test('text comes whole, in any script', async () => {
  let text = ''
  for await (const piece of client().text(boatLog, { params: { boat: 'shop' } })) text += piece
  expect(text).toBe('wind 和 waves')
})

const connect = (boat: string, headers: Record<string, string>) =>
  new Promise<{ status: number } | { socket: WebSocket }>((resolve, reject) => {
    const socket = new WebSocket(client().socketUrl(echo, { params: { boat } }), { headers })
    socket.once('open', () => resolve({ socket }))
    socket.once('unexpected-response', (_, response) => resolve({ status: response.statusCode ?? 0 }))
    socket.once('error', reject)
  })

test('a WebSocket from another site is refused before the upgrade', async () => {
  const { cookie: signedIn } = cookie()
  expect(await connect('shop', { cookie: signedIn, origin: 'https://evil.example' })).toEqual({ status: 403 })
  expect(await connect('shop', { cookie: signedIn, origin: 'null' })).toEqual({ status: 403 })
  expect(await connect('shop', { cookie: signedIn })).toEqual({ status: 403 })
  expect(await connect('shop', {})).toEqual({ status: 401 })
  expect(await connect('Shop', { authorization: 'Bearer all' })).toEqual({ status: 400 })
  const { response } = await raw('GET', '/api/v1/boats/shop/echo')
  expect(response.status).toBe(426)
})

test('a WebSocket carries frames both ways, and a problem in its close code', async () => {
  const opened = await connect('shop', { cookie: cookie().cookie, origin: url })
  if (!('socket' in opened)) throw new Error('not opened')
  opened.socket.send('ahoy')
  const [frame] = await new Promise<[Buffer]>((resolve) =>
    opened.socket.once('message', (...args) => resolve([args[0] as Buffer])),
  )
  expect(frame.toString()).toBe('ahoy')
  opened.socket.close()
  const lost = await connect('lost', { authorization: 'Bearer all' })
  if (!('socket' in lost)) throw new Error('not opened')
  const closed = await new Promise((resolve) =>
    lost.socket.once('close', (code, why) => resolve([code, why.toString()])),
  )
  expect(closed).toEqual([4404, 'There is no boat lost'])
})

test('a server that is not there is told as server-unreachable', async () => {
  const problem = await failure(createClient({ baseUrl: 'http://127.0.0.1:9' })(whoever))
  expect(problem.body.type).toBe('/problems/server-unreachable')
  expect(problem.message).toContain('npm start')
})

test('a parameter that would step out of its place is refused by the client', async () => {
  expect((await failure(client()(getBoat, { params: { boat: '..' } }))).body.type).toBe('/problems/invalid-input')
})

test('health, readiness, metrics and the console page answer without sign-in', async () => {
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  const ready = await fetch(`${url}/readyz`)
  expect([ready.status, (await jsonOf(ready)).checks.store.detail]).toEqual([503, 'starting'])
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('endpoint="boat.get"')
  const page = await fetch(`${url}/applications/shop`)
  expect([page.status, page.headers.get('content-security-policy')]).toEqual([
    503,
    expect.stringContaining("default-src 'none'"),
  ])
  expect(page.headers.get('content-security-policy')).not.toContain('unsafe')
})

test('[EXT-02] every endpoint is in the OpenAPI document, with its permission and problems', async () => {
  const document = await jsonOf(await fetch(`${url}/api/v1/openapi.json`))
  expect(document.openapi).toBe('3.1.1')
  const create = document.paths['/api/v1/boats'].post
  expect(create).toMatchObject({
    operationId: 'boat.create',
    'x-permission': 'boat.create',
    'x-quarterdeck-change': false,
  })
  expect(create.responses['409'].description).toContain('/problems/boat-taken')
  expect(document.paths['/api/v1/boats/{boat}/move'].post.parameters.map((p: { name: string }) => p.name)).toContain(
    'Idempotency-Key',
  )
  expect(document.paths['/api/v1/whoever'].get.security).toEqual([])
})

test('a document with recursive and named schemas refers only to what it holds', () => {
  const Mast = z.object({ height: z.number().default(1) }).meta({ id: 'Mast' })
  const Anything = z.object({ json: z.json(), masts: z.array(Mast), at: z.iso.datetime() })
  const both = { ...createBoat, id: 'boat.any', path: '/any', body: Anything, response: Anything }
  const document = openApiDocument([both, { ...both, id: 'boat.other', path: '/other' }], { version: '1' })
  const text = JSON.stringify(document)
  const named = Object.keys((document.components as { schemas: object }).schemas)
  const referred = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name)
  expect(named).toEqual(expect.arrayContaining([...new Set(referred)]))
  expect(named.filter((name) => name.startsWith('Recursive'))).toHaveLength(1)
  expect(named).toEqual(expect.arrayContaining(['Mast', 'Mast-input']))
  expect(text).not.toContain('$defs')
})

test('the type of a problem leads to a page that says what to do', async () => {
  const page = await fetch(`${url}/problems/boat-taken`)
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('POST /boats')])
  expect(await (await fetch(`${url}/problems/store-unavailable`)).text()).toContain('retryAfterSeconds')
  expect((await fetch(`${url}/problems/nothing`)).status).toBe(404)
})

test('[EXT-02] too many requests from one peer are told to wait', async () => {
  const small = await createServer({
    logLevel: 'silent',
    authenticate: async () => undefined,
    rateLimit: { burst: 2, perSecond: 1 },
  })
  bind(small, whoever, () => ({ name: 'x' }))
  const call = createClient({ baseUrl: 'http://localhost', fetch: small.fetch })
  await call(whoever)
  await call(whoever)
  const problem = await failure(call(whoever))
  expect(problem.body).toMatchObject({ type: '/problems/too-many-requests', status: 429, retryAfterSeconds: 1 })
  await small.close()
})

const closeCode = (socket: WebSocket) => new Promise<number>((resolve) => socket.once('close', (code) => resolve(code)))

test('closing the server ends streams and sockets and lets go of the port', async () => {
  const other = await createServer({ logLevel: 'silent', authenticate: async () => subjects.all })
  bind(other, watchBoat, async function* ({ signal }) {
    yield { n: 1 }
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
  })
  bindSocket(other, echo, () => undefined)
  const at = await other.listen(0)
  const caller = createClient({ baseUrl: at, token: 'x' })
  const stream = caller.lines(watchBoat, { params: { boat: 'shop' } })
  await stream.next()
  const socket = new WebSocket(caller.socketUrl(echo, { params: { boat: 'shop' } }), {
    headers: { authorization: 'Bearer x' },
  })
  await new Promise((resolve) => socket.once('open', resolve))
  const closed = closeCode(socket)
  await other.close()
  expect(await closed).toBe(1001)
  expect((await failure(stream.next())).body.type).toBe('/problems/server-closing')
  expect(isProblem((await failure(caller(whoever))) as unknown, serverUnreachable)).toBe(true)
})

test('what is not HTTP is refused as a problem and does no harm', async () => {
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connectTcp(Number(new URL(url).port), '127.0.0.1', () => socket.write('NONSENSE\r\n\r\n'))
    let text = ''
    socket.on('data', (bytes) => {
      text += bytes
    })
    socket.once('close', () => resolve(text))
    socket.once('error', reject)
  })
  expect(answer).toContain('application/problem+json')
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
})
