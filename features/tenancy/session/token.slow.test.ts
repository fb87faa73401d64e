import { type Client, createClient, fetchWithCookies } from '@quarterdeck/client'
import { createServer, newSecret, type Server } from '@quarterdeck/http'
import type { AuditEntry } from '@quarterdeck/kernel'
import { type TestDatabase, testDatabase } from '@quarterdeck/testkit'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { problemOf, typeOf } from '../../../test/platform/problem.ts'
import { type OpenAuthority, openAuthority } from '../grant/authority.routes.ts'
import { grantAdministrator } from '../grant/authority.store.ts'
import { setAdministratorPassword } from '../user/administrator.routes.ts'
import { authenticator } from './authenticate.routes.ts'
import { answerDeviceLogin, findDeviceLogin, finishDeviceLogin, startDeviceLogin } from './device.contract.ts'
import { createSession, getSession, listSessions } from './session.contract.ts'
import { sessionRoutes } from './session.routes.ts'
import { createToken, listTokens } from './token.contract.ts'
import { endCredentials } from './token.store.ts'

const url = 'http://localhost'
const password = 'a ship in harbour'
let database: TestDatabase
let authority: OpenAuthority
let server: Server
let admin: Client
let recorded: AuditEntry[]
let time: number
const now = () => new Date(time).toISOString()
const record = async (_: unknown, entry: AuditEntry) => void recorded.push(entry)
const log = { info: () => undefined, warn: () => undefined, error: () => undefined }

beforeAll(async () => {
  database = await testDatabase()
  const { db, store } = database
  authority = openAuthority({ db, listen: store.listen, log })
  await sql`insert into project (name, tenant) select 'shop', id from tenant where name = 'default'`.execute(db)
})
beforeEach(async () => {
  const { db } = database
  recorded = []
  time = Date.now()
  await sql`delete from account`.execute(db)
  await setAdministratorPassword({ db, password, record, grantAdministrator, endCredentials })
  await authority.refresh()
  const authenticate = authenticator({ db, now, record: (entry) => record(db, entry) })
  server = await createServer({ logLevel: 'silent', authenticate, authority })
  sessionRoutes(server, { db, now, record, authority, url: () => `${url}/` })
  admin = await signedIn()
  recorded = []
})
afterAll(async () => {
  authority.close()
  await database.close()
})

const browser = () => createClient({ baseUrl: url, fetch: fetchWithCookies(url, server.fetch) })
const withToken = (token: string) => createClient({ baseUrl: url, fetch: server.fetch, token })
const nobody = () => createClient({ baseUrl: url, fetch: server.fetch })
async function signedIn(): Promise<Client> {
  const client = browser()
  await client(createSession, { body: { user: 'admin', password } })
  return client
}
const statusFrom = async (remoteAddress: string, token: string) => {
  const headers = { authorization: `Bearer ${token}` }
  return (await server.fastify.inject({ method: 'GET', url: '/api/v1/session', headers, remoteAddress })).statusCode
}

test('[A41] a token counts from its networks only, and what comes from elsewhere is in the audit trail', async () => {
  const { secret, sources } = await admin(createToken, {
    body: { name: 'ci', sources: ['10.1.0.0/16', '2001:db8::7'] },
  })
  expect(sources).toEqual(['10.1.0.0/16', '2001:db8::7'])
  expect(await statusFrom('10.1.2.3', secret)).toBe(200)
  expect(await statusFrom('2001:db8::7', secret)).toBe(200)
  recorded = []
  expect(await statusFrom('10.2.0.1', secret)).toBe(401)
  expect(await statusFrom('10.2.0.1', secret)).toBe(401)
  expect(await statusFrom('127.0.0.1', secret)).toBe(401)
  expect(recorded).toEqual([
    {
      actor: 'admin',
      act: 'token.use',
      what: 'token ci of admin',
      outcome: 'failed',
      detail: 'From 10.2.0.1; it counts from 10.1.0.0/16, 2001:db8::7 only',
    },
    expect.objectContaining({ detail: expect.stringContaining('From 127.0.0.1') }),
  ])
  // What was refused is no use of it.
  expect((await admin(listTokens)).items[0]).toMatchObject({ lastPeer: '10.1.2.3', lastUseTime: now() })
})

test('[TEN-07] a token counts within its place only', async () => {
  const made = await admin(createToken, { body: { name: 'shop', within: { project: 'shop' } } })
  expect(made.within).toEqual({ project: 'shop' })
  const token = withToken(made.secret)
  const subject = { id: (await token(getSession)).id ?? '', name: 'admin', kind: 'token' as const, permissions: ['*'] }
  expect((await token(getSession)).permissions).toContain('application.deploy')
  expect(authority.may({ ...subject, within: { project: 'shop' } }, 'application.deploy', { project: 'default' })).toBe(
    false,
  )
  // What belongs to the whole user is not within a project.
  for (const call of [() => token(listSessions), () => token(listTokens)]) {
    expect(await typeOf(call())).toBe('permission-missing')
  }
})

test('[A41] a token makes none that reaches further: by permission, place, network or time', async () => {
  const limits = {
    permissions: ['application.list', 'project.list'],
    within: { project: 'shop' },
    sources: ['127.0.0.0/8'],
    expireTime: new Date(time + 3_600_000).toISOString(),
  }
  const narrow = withToken((await admin(createToken, { body: { name: 'narrow', ...limits } })).secret)
  const make = (change: object) => typeOf(narrow(createToken, { body: { name: 'wider', ...limits, ...change } }))
  expect(await make({ permissions: ['*'] })).toBe('token-too-broad')
  expect(await make({ permissions: ['application.list', 'application.deploy'] })).toBe('token-too-broad')
  expect(await make({ within: { tenant: 'default' } })).toBe('not-found')
  expect(await make({ within: { project: 'default' } })).toBe('not-found')
  expect(await make({ sources: ['0.0.0.0/0'] })).toBe('token-too-broad')
  expect(await make({ sources: ['127.0.0.0/7'] })).toBe('token-too-broad')
  expect(await make({ expireTime: new Date(time + 3_600_001).toISOString() })).toBe('token-too-broad')
  // What is not said is as the maker has it.
  const made = await narrow(createToken, { body: { name: 'as-narrow' } })
  expect(made).toMatchObject({ ...limits, name: 'as-narrow' })
})

test('what is not a permission, a place, a network or a time to come is refused at its field', async () => {
  const pointerOf = async (limits: object) =>
    (await problemOf(admin(createToken, { body: { name: 'x', ...limits } }))).errors?.[0]?.pointer
  expect(await pointerOf({ permissions: ['boat.sail'] })).toBe('/body/permissions/0')
  expect(await pointerOf({ within: { project: 'shop', tenant: 'default' } })).toMatch(/^\/body\/within/)
  expect(await pointerOf({ within: {} })).toMatch(/^\/body\/within/)
  expect(await pointerOf({ within: { project: 'nowhere' } })).toBe('/body/within/project')
  expect(await pointerOf({ sources: ['10.0.0.0/33'] })).toBe('/body/sources/0')
  expect(await pointerOf({ sources: ['example.com'] })).toBe('/body/sources/0')
  expect(await pointerOf({ expireTime: '2020-01-01T00:00:00Z' })).toBe('/body/expireTime')
})

test('[A40] signing in gives a new session and ends the one before; a user has twenty at most', async () => {
  const client = browser()
  await client(createSession, { body: { user: 'admin', password } })
  const first = (await client(listSessions)).items.find(({ current }) => current)?.id
  await client(createSession, { body: { user: 'admin', password } })
  const { items } = await client(listSessions)
  expect(items.map(({ id }) => id)).not.toContain(first)
  for (let count = 0; count < 25; count++) {
    time += 1_000
    await signedIn()
  }
  expect(await typeOf(client(getSession))).toBe('sign-in-required')
  expect((await (await signedIn())(listSessions)).items).toHaveLength(20)
})

test('[A44] guessing at one account from one address holds up nobody else', async () => {
  const attempt = (remoteAddress: string, secret: string, forwarded?: string) => {
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
    const payload = { user: 'admin', password: secret }
    return server.fastify
      .inject({ method: 'POST', url: '/api/v1/session', payload, remoteAddress, headers })
      .then(({ statusCode }) => statusCode)
  }
  const statuses: number[] = []
  for (let count = 0; count < 20; count++) statuses.push(await attempt('10.0.0.1', 'guess guess', `192.0.2.${count}`))
  expect(statuses.filter((status) => status === 401)).toHaveLength(5)
  expect(statuses.filter((status) => status === 429)).toHaveLength(15)
  expect(await attempt('10.0.0.2', password)).toBe(201)
})

test('[A45] a wrong password takes as long for somebody as for nobody', async () => {
  const taken: Record<string, number[]> = { admin: [], nobody: [] }
  for (let count = 0; count < 24; count++) {
    for (const user of ['admin', 'nobody']) {
      const payload = { user, password: 'wrong wrong' }
      const began = performance.now()
      // From an address of its own each time, so that none has to wait.
      const remoteAddress = `10.${user === 'admin' ? 1 : 2}.0.${count}`
      const answer = await server.fastify.inject({ method: 'POST', url: '/api/v1/session', payload, remoteAddress })
      expect(answer.statusCode).toBe(401)
      taken[user]?.push(performance.now() - began)
    }
  }
  const median = (user: string) => taken[user]?.toSorted((one, other) => one - other)[12] ?? 0
  expect(median('admin') / median('nobody')).toBeGreaterThan(0.6)
  expect(median('admin') / median('nobody')).toBeLessThan(1.7)
})

const begin = () => nobody()(startDeviceLogin, { body: { machine: 'build-7' } })
const finish = (secret: string) => nobody()(finishDeviceLogin, { body: { secret } })

test('[A42] qd login is confirmed in a browser that shows what asks from where, and once', async () => {
  const begun = await begin()
  expect(begun).toMatchObject({ url: 'http://localhost/device', code: expect.stringMatching(/^[B-Z]{4}-[B-Z]{4}$/) })
  expect(await finish(begun.secret)).toEqual({ state: 'waiting' })
  const asking = await admin(findDeviceLogin, { body: { code: begun.code.toLowerCase().replace('-', ' ') } })
  expect(asking).toMatchObject({ client: expect.stringMatching(/^build-7, /), peer: '127.0.0.1', here: true, days: 30 })
  const confirm = { body: { code: begun.code, confirm: true } }
  await admin(answerDeviceLogin, confirm)
  expect(await typeOf(admin(answerDeviceLogin, confirm))).toBe('device-code-unknown')
  expect(await typeOf(admin(findDeviceLogin, { body: { code: begun.code } }))).toBe('device-code-unknown')
  const finished = await finish(begun.secret)
  if (finished.state !== 'confirmed') throw new Error('it is still waiting')
  expect(await withToken(finished.secret)(getSession)).toMatchObject({ user: 'admin', kind: 'token' })
  expect(await typeOf(finish(begun.secret))).toBe('device-login-refused')
  const stored = JSON.stringify((await sql`select * from token`.execute(database.db)).rows)
  expect(stored).not.toContain(finished.secret)
  expect(recorded.map(({ actor, act, detail }) => `${actor} ${act} ${detail}`)).toEqual([
    expect.stringMatching(/^admin device-login\.answer Confirmed: build-7, .*from 127\.0\.0\.1$/),
    expect.stringMatching(/^admin device-login\.finish For build-7/),
  ])
})

test('[A42] two that fetch the token at once get it once', async () => {
  const begun = await begin()
  await admin(answerDeviceLogin, { body: { code: begun.code, confirm: true } })
  const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => finish(begun.secret)))
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
})

test('[A42] a code that is refused, ten minutes old, wrong or guessed at is worth nothing', async () => {
  const refused = await begin()
  await admin(answerDeviceLogin, { body: { code: refused.code, confirm: false } })
  expect(await typeOf(finish(refused.secret))).toBe('device-login-refused')
  const old = await begin()
  time += 10 * 60_000
  expect(await typeOf(admin(answerDeviceLogin, { body: { code: old.code, confirm: true } }))).toBe(
    'device-code-unknown',
  )
  expect(await typeOf(finish(old.secret))).toBe('device-login-refused')
  expect(await typeOf(finish('nonsense'))).toBe('device-login-refused')
  expect(await typeOf(admin(findDeviceLogin, { body: { code: 'ABC' } }))).toBe('invalid-input')
  const statuses: string[] = []
  for (let guess = 0; guess < 15; guess++) {
    statuses.push(await typeOf(admin(findDeviceLogin, { body: { code: 'BBBBBBBB' } })))
  }
  expect(statuses.at(-1)).toBe('too-many-requests')
})

test('[A42] no token says yes to another, and nobody who is not signed in', async () => {
  const { secret } = await admin(createToken, { body: { name: 'stolen' } })
  const begun = await begin()
  const confirm = { body: { code: begun.code, confirm: true } }
  expect(await typeOf(withToken(secret)(answerDeviceLogin, confirm))).toBe('permission-missing')
  expect(await typeOf(nobody()(answerDeviceLogin, confirm))).toBe('sign-in-required')
  expect(await finish(begun.secret)).toEqual({ state: 'waiting' })
})

test('[A32] secrets are 256 random bits: a million of them are all different, and every letter comes as often', async () => {
  const secrets = new Set<string>()
  const counts = new Map<string, number>()
  const TIMES = 1_000_000
  for (let count = 0; count < TIMES; count++) {
    const secret = newSecret()
    secrets.add(secret)
    const first = secret[0] ?? ''
    counts.set(first, (counts.get(first) ?? 0) + 1)
  }
  expect(secrets.size).toBe(TIMES)
  expect(Buffer.from(newSecret(), 'base64url')).toHaveLength(32)
  // 64 letters, each expected 15,625 times; six standard deviations are 744.
  expect(counts.size).toBe(64)
  for (const count of counts.values()) expect(Math.abs(count - TIMES / 64)).toBeLessThan(744)
})
