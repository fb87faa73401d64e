import { type Client, createClient, fetchWithCookies } from '@quarterdeck/client'
import { createServer, type Server } from '@quarterdeck/http'
import type { AuditEntry } from '@quarterdeck/kernel'
import { type TestDatabase, testDatabase } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { problemOf, typeOf } from '../../../test/platform/problem.ts'
import { grantAdministrator } from '../grant/authority.store.ts'
import { administratorState, firstRunLink, setAdministratorPassword } from '../user/administrator.routes.ts'
import { changePassword, createAdministrator } from '../user/password.contract.ts'
import { passwordRoutes } from '../user/password.routes.ts'
import { authenticator } from './authenticate.routes.ts'
import { createSession, deleteSession, getSession, listSessions, revokeSession } from './session.contract.ts'
import { sessionRoutes } from './session.routes.ts'
import { createToken, deleteToken, listTokens } from './token.contract.ts'
import { endCredentials } from './token.store.ts'

const url = 'http://localhost'
const peer = '127.0.0.1'
const password = 'a ship in harbour'
let database: TestDatabase
let server: Server
let time: number
const now = () => new Date(time).toISOString()
let recorded: AuditEntry[]
let recordFails: boolean
const record = async (_: unknown, entry: AuditEntry) => {
  if (recordFails) throw new Error('the audit trail is full')
  recorded.push(entry)
}

beforeAll(async () => {
  database = await testDatabase()
})
beforeEach(async () => {
  await database.reset()
  recorded = []
  recordFails = false
  time = Date.parse('2026-11-21T08:00:00Z')
  const { db } = database
  // A server each, since the limit on attempts lives in its memory.
  server = await createServer({ logLevel: 'silent', authenticate: authenticator({ db, now }) })
  const signIns = sessionRoutes(server, { db, now, record })
  passwordRoutes(server, { db, now, record, signIns, grantAdministrator })
})
afterAll(() => database.close())

const browser = () => createClient({ baseUrl: url, fetch: fetchWithCookies(url, server.fetch) })
const withToken = (token: string) => createClient({ baseUrl: url, fetch: server.fetch, token })
const nobody = () => createClient({ baseUrl: url, fetch: server.fetch })
const setPassword = (wanted = password) =>
  setAdministratorPassword({ db: database.db, password: wanted, record, grantAdministrator, endCredentials })
async function signedIn(): Promise<Client> {
  const client = browser()
  await client(createSession, { body: { user: 'admin', password } })
  return client
}
const linkToken = async () => (await firstRunLink({ db: database.db, url }))?.split('#')[1] ?? ''

test('the one-time link makes the administrator and signs in, and then never again', async () => {
  expect(await administratorState(database.db)).toBe('missing')
  const token = await linkToken()
  const client = browser()
  await client(createAdministrator, { body: { token, password } })
  expect(await client(getSession)).toMatchObject({
    user: 'admin',
    kind: 'user',
    source: 'local',
    groups: [],
    permissions: expect.arrayContaining(['application.deploy', 'user.create']),
  })
  expect(await typeOf(browser()(createAdministrator, { body: { token, password: 'another sentence' } }))).toBe(
    'first-link-used',
  )
  expect(await firstRunLink({ db: database.db, url })).toBeUndefined()
  expect(await administratorState(database.db)).toBe('present')
  await signedIn()
})

test('two that follow the link at once make one administrator', async () => {
  const token = await linkToken()
  const bodies = ['first sentence here', 'second sentence here'].map((one) => ({ token, password: one }))
  const outcomes = await Promise.allSettled(bodies.map((body) => browser()(createAdministrator, { body })))
  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
})

test('only the link printed last is good, and a password that is guessed does not use it up', async () => {
  const older = await linkToken()
  const token = await linkToken()
  const make = (body: { token: string; password: string }) => browser()(createAdministrator, { body })
  expect(await typeOf(make({ token: older, password }))).toBe('first-link-unknown')
  expect((await problemOf(make({ token, password: 'Password1' }))).errors?.[0]?.pointer).toBe('/body/password')
  expect((await problemOf(make({ token, password: 'short' }))).errors?.[0]?.pointer).toBe('/body/password')
  await make({ token, password })
})

test('a wrong password and an unknown user are told alike', async () => {
  await setPassword()
  const wrong = await problemOf(browser()(createSession, { body: { user: 'admin', password: 'wrong wrong' } }))
  const unknown = await problemOf(browser()(createSession, { body: { user: 'root', password } }))
  const { instance: _, ...first } = wrong
  const { instance: __, ...second } = unknown
  expect(first).toEqual(second)
  expect(first).toMatchObject({ type: '/problems/wrong-password', status: 401 })
})

test('after five attempts from one address the next has to wait, while another address goes on', async () => {
  await setPassword()
  const attempt = (body: object, remoteAddress: string) =>
    server.fastify.inject({ method: 'POST', url: '/api/v1/session', payload: body, remoteAddress })
  const guess = { user: 'admin', password: 'guess guess' }
  for (let i = 0; i < 5; i++) expect((await attempt(guess, '10.0.0.1')).statusCode).toBe(401)
  const held = await attempt({ user: 'admin', password }, '10.0.0.1')
  expect(held.statusCode).toBe(429)
  // Twelve seconds less those that the five attempts took.
  expect(Number(held.headers['retry-after'])).toBeLessThanOrEqual(12)
  expect(Number(held.headers['retry-after'])).toBeGreaterThan(6)
  expect((await attempt({ user: 'admin', password }, '10.0.0.2')).statusCode).toBe(201)
})

test('[A01] wrong passwords are counted by all replicas together; right ones nowhere', async () => {
  await setPassword()
  const { db, store } = database
  const replica = async () => {
    const server = await createServer({ logLevel: 'silent', authenticate: authenticator({ db, now }) })
    const began = Promise.withResolvers<void>()
    const listen: typeof store.listen = (channel, fn) =>
      store.listen(channel, (payload) => {
        fn(payload)
        if (payload === undefined) began.resolve()
      })
    sessionRoutes(server, { db, now, record, listen })
    await began.promise
    return server
  }
  const replicas = [await replica(), await replica()]
  const attempt = async (which: number, wrong: boolean, remoteAddress = '10.0.0.1') => {
    const payload = { user: 'admin', password: wrong ? 'guess guess' : password }
    const answer = await replicas[which]?.fastify.inject({
      method: 'POST',
      url: '/api/v1/session',
      payload,
      remoteAddress,
    })
    return answer?.statusCode
  }
  for (let count = 0; count < 20; count++) expect(await attempt(count % 2, false)).toBe(201)
  for (let count = 0; count < 4; count++) expect(await attempt(0, true)).toBe(401)
  // What the first has refused reaches the second a moment later, which has one attempt left then.
  await sql`select pg_notify('quarterdeck_attempt', 'no failure at all')`.execute(db)
  await expect.poll(() => attempt(1, true)).toBe(429)
  expect(await attempt(1, false)).toBe(429)
  expect(await attempt(1, false, '10.0.0.2')).toBe(201)
  for (const one of replicas) await one.close()
})

test('the cookie is out of reach of scripts and other sites, and __Host- behind TLS', async () => {
  await setPassword()
  const { db } = database
  const behindTls = await createServer({
    logLevel: 'silent',
    authenticate: authenticator({ db }),
    publicUrl: 'https://deck.example',
  })
  sessionRoutes(behindTls, { db, record })
  const cookieFrom = async (at: Server, host: string) => {
    const payload = { user: 'admin', password }
    const answer = await at.fastify.inject({ method: 'POST', url: '/api/v1/session', headers: { host }, payload })
    return String(answer.headers['set-cookie'])
  }
  expect(await cookieFrom(server, 'localhost:7070')).toMatch(
    /^session-7070=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
  )
  expect(await cookieFrom(behindTls, 'deck.example')).toMatch(
    /^__Host-session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
  )
})

test('a session ends when signed out, when unused for two hours and after twelve hours in any case', async () => {
  await setPassword()
  const out = await signedIn()
  await out(deleteSession)
  expect(await typeOf(out(getSession))).toBe('sign-in-required')

  const idle = await signedIn()
  time += 2 * 3_600_000 - 1
  await idle(getSession)
  time += 2 * 3_600_000
  expect(await typeOf(idle(getSession))).toBe('sign-in-required')

  const busy = await signedIn()
  for (let hour = 1; hour < 12; hour++) {
    time += 3_600_000
    await busy(getSession)
  }
  time += 3_600_000
  expect(await typeOf(busy(getSession))).toBe('sign-in-required')
})

test('what is merely open does not keep a session from ending, and only a hash of the secret is stored', async () => {
  await setPassword()
  const payload = { user: 'admin', password }
  const answer = await server.fastify.inject({ method: 'POST', url: '/api/v1/session', payload })
  const session = answer.cookies[0]?.value ?? ''
  const stored = async () =>
    (await sql<{ secretHash: string; lastUseTime: string }>`select * from session`.execute(database.db)).rows[0]
  const signedInAt = now()
  const authenticate = authenticator({ db: database.db, now })
  time += 3_600_000
  expect(await authenticate({ session }, { passive: true, peer })).toMatchObject({ name: 'admin' })
  expect(await stored()).toMatchObject({ lastUseTime: signedInAt, secretHash: expect.stringMatching(/^[0-9a-f]{64}$/) })
  expect(JSON.stringify(await stored())).not.toContain(session)
  await authenticate({ session }, { passive: false, peer })
  expect(await stored()).toMatchObject({ lastUseTime: now() })
})

test('a changed password ends the other sessions and needs the old one', async () => {
  await setPassword()
  const [mine, other] = [await signedIn(), await signedIn()]
  const change = (currentPassword: string, newPassword: string) =>
    mine(changePassword, { body: { currentPassword, newPassword } })
  expect(await typeOf(change('wrong wrong', 'another sentence'))).toBe('wrong-password')
  expect((await problemOf(change(password, 'quarterdeck'))).errors?.[0]?.pointer).toBe('/body/newPassword')
  await change(password, 'another sentence')
  await mine(getSession)
  expect(await typeOf(other(getSession))).toBe('sign-in-required')
  expect(await typeOf(signedIn())).toBe('wrong-password')
})

test('a changed password revokes the other tokens too, unless they are to stay', async () => {
  await setPassword()
  const client = await signedIn()
  const token = async (name: string) => withToken((await client(createToken, { body: { name } })).secret)
  const [asking, other] = [await token('asking'), await token('other')]
  const change = (by: Client, from: string, to: string, keepTokens?: boolean) =>
    by(changePassword, { body: { currentPassword: from, newPassword: to, ...(keepTokens ? { keepTokens } : {}) } })
  await change(client, password, 'second sentence', true)
  await other(getSession)
  await change(asking, 'second sentence', 'third sentence')
  await asking(getSession)
  expect(await typeOf(other(getSession))).toBe('sign-in-required')
  const again = withToken((await asking(createToken, { body: { name: 'again' } })).secret)
  await setPassword('fourth sentence')
  expect(await typeOf(again(getSession))).toBe('sign-in-required')
})

test('signing in and out, the password and tokens are in the audit trail, failures too, secrets not', async () => {
  await setPassword()
  const client = await signedIn()
  await typeOf(browser()(createSession, { body: { user: 'admin', password: 'wrong wrong' } }))
  await typeOf(browser()(createSession, { body: { user: 'my secret sentence', password: 'wrong wrong' } }))
  const { secret } = await client(createToken, { body: { name: 'ci' } })
  await typeOf(client(createToken, { body: { name: 'ci' } }))
  await client(deleteToken, { params: { token: 'ci' } })
  await (await signedIn())(deleteSession)
  await client(changePassword, { body: { currentPassword: password, newPassword: 'another sentence' } })
  expect(recorded.map(({ actor, act, outcome }) => `${actor} ${act} ${outcome}`)).toEqual([
    'operator password.update succeeded',
    'admin session.create succeeded',
    'admin session.create failed',
    'unknown session.create failed',
    'admin token.create succeeded',
    'admin token.delete succeeded',
    'admin session.create succeeded',
    'admin session.delete succeeded',
    'admin password.update succeeded',
  ])
  for (const hidden of [secret, password, 'wrong wrong', 'my secret sentence', 'another sentence']) {
    expect(JSON.stringify(recorded)).not.toContain(hidden)
  }
})

test('what cannot be recorded does not happen', async () => {
  await setPassword()
  const client = await signedIn()
  recordFails = true
  await expect(client(createToken, { body: { name: 'ci' } })).rejects.toThrow()
  await expect(signedIn()).rejects.toThrow()
  recordFails = false
  expect((await client(listTokens)).items).toEqual([])
  expect((await client(listSessions)).items).toHaveLength(1)
})

test('the password from the environment ends sessions only when it is another', async () => {
  await setPassword()
  const client = await signedIn()
  await setPassword()
  await client(getSession)
  await setPassword('another sentence')
  expect(await typeOf(client(getSession))).toBe('sign-in-required')
  await expect(setPassword('admin123')).rejects.toThrow('everybody tries first')
  await expect(setPassword('short')).rejects.toThrow('8 to 200')
})

test('own sessions are listed and ended one by one; an unknown one is not found', async () => {
  await setPassword()
  const [mine, other] = [await signedIn(), await signedIn()]
  const { items } = await mine(listSessions)
  expect(items.map(({ current, peer }) => [current, peer]).toSorted()).toEqual([
    [false, '127.0.0.1'],
    [true, '127.0.0.1'],
  ])
  const theirs = items.find(({ current }) => !current)?.id ?? ''
  await mine(revokeSession, { params: { session: theirs } })
  expect(await typeOf(other(getSession))).toBe('sign-in-required')
  expect(await typeOf(mine(revokeSession, { params: { session: theirs } }))).toBe('not-found')
  expect(await typeOf(mine(revokeSession, { params: { session: '1 or 1=1' } }))).toBe('invalid-input')
})

test('[EXT-02] a token signs in where a browser would, until it is revoked or expires', async () => {
  await setPassword()
  const client = await signedIn()
  const made = await client(createToken, { body: { name: 'ci', expireTime: '2026-11-21T09:00:00Z' } })
  expect(made.secret).toMatch(/^qd_[\w-]{43}$/)
  const script = withToken(made.secret)
  expect(await script(getSession)).toMatchObject({
    user: 'admin',
    kind: 'token',
    expireTime: '2026-11-21T09:00:00.000Z',
  })
  expect((await client(listTokens)).items).toMatchObject([{ name: 'ci', lastUseTime: now(), current: false }])
  expect(await typeOf(client(createToken, { body: { name: 'ci' } }))).toBe('token-name-taken')
  time = Date.parse('2026-11-21T09:00:00Z')
  expect(await typeOf(script(getSession))).toBe('sign-in-required')

  const lasting = withToken((await client(createToken, { body: { name: 'lasting' } })).secret)
  await lasting(getSession)
  await client(deleteToken, { params: { token: 'lasting' } })
  expect(await typeOf(lasting(getSession))).toBe('sign-in-required')
  const out = withToken((await client(createToken, { body: { name: 'out' } })).secret)
  await out(deleteSession)
  expect(await typeOf(out(getSession))).toBe('sign-in-required')
})

test('a limited token cannot reach further, by itself or by what it makes', async () => {
  await setPassword()
  const client = await signedIn()
  const body = { name: 'narrow', permissions: ['self'], expireTime: '2026-11-22T00:00:00Z' }
  expect((await problemOf(client(createToken, { body }))).errors?.[0]?.pointer).toBe('/body/permissions/0')
  const made = await client(createToken, { body: { ...body, permissions: ['application.list'] } })
  const narrow = withToken(made.secret)
  const change = { currentPassword: password, newPassword: 'another sentence' }
  const refused = [
    () => narrow(listSessions),
    () => narrow(listTokens),
    () => narrow(deleteToken, { params: { token: 'narrow' } }),
    () => narrow(changePassword, { body: change }),
  ]
  for (const call of refused) expect(await typeOf(call())).toBe('permission-missing')
  const make = (permissions: string[], expireTime?: string) =>
    typeOf(narrow(createToken, { body: { name: 'wider', permissions, ...(expireTime ? { expireTime } : {}) } }))
  expect(await make(['*'])).toBe('token-too-broad')
  expect(await make(['application.deploy'])).toBe('token-too-broad')
  expect(await make(['application.list'], '2026-11-23T00:00:00Z')).toBe('token-too-broad')
  const narrower = await narrow(createToken, { body: { ...body, name: 'narrower', permissions: ['application.list'] } })
  expect(narrower.permissions).toEqual(['application.list'])
})

test('nobody who is not signed in gets anything but the ways to sign in', async () => {
  await setPassword()
  for (const endpoint of server.endpoints.filter(({ permission }) => permission !== 'anonymous')) {
    const call = nobody() as unknown as (endpoint: object, input: object) => Promise<unknown>
    const id = '00000000-0000-4000-8000-000000000000'
    expect([endpoint.id, await typeOf(call(endpoint, { params: { session: id, token: id, user: 'li' } }))]).toEqual([
      endpoint.id,
      'sign-in-required',
    ])
  }
  const anonymous = server.endpoints.filter(({ permission }) => permission === 'anonymous').map(({ id }) => id)
  expect(anonymous.toSorted()).toEqual([
    'administrator.create',
    'device-login.finish',
    'device-login.start',
    'password-link.find',
    'password.choose',
    'session.create',
  ])
})

test('credentials that are nonsense are refused, and so is a session taken for a token', async () => {
  await setPassword()
  for (const token of ['qd_', `qd_${'A'.repeat(43)}`, "qd_' or '1'='1", 'x'.repeat(500)]) {
    expect(await typeOf(withToken(token)(getSession))).toBe('sign-in-required')
  }
  expect(await typeOf(browser()(createSession, { body: { user: 'admin', password: 'x'.repeat(201) } }))).toBe(
    'invalid-input',
  )
  const extra = { user: 'admin', password, permissions: ['*'] } as { user: string; password: string }
  expect((await problemOf(browser()(createSession, { body: extra }))).errors?.[0]?.pointer).toBe('/body/permissions')
})
