import { createServer as createHttp, type Server as HttpServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Client, createClient, fetchWithCookies } from '@quarterdeck/client'
import { createServer, type Server } from '@quarterdeck/http'
import { type AuditEntry, isProblem, type Problem } from '@quarterdeck/kernel'
import { type TestDatabase, testDatabase } from '@quarterdeck/testkit'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { sql } from 'kysely'
import { Provider } from 'oidc-provider'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { authenticator } from '../session/authenticate.routes.ts'
import { getSession } from '../session/session.contract.ts'
import { sessionRoutes } from '../session/session.routes.ts'
import { openOidcClients } from './oidc-client.routes.ts'
import {
  beginSignIn,
  createProvider,
  deleteProvider,
  finishSignIn,
  getSignOut,
  listProviders,
  listSignInChoices,
  testProvider,
  updateProvider,
} from './provider.contract.ts'
import { providerRoutes } from './provider.routes.ts'
import { registrationsOf } from './registration.routes.ts'
import { signInRoutes } from './sign-in.routes.ts'

const url = 'http://localhost'
let database: TestDatabase
let server: Server
let recorded: AuditEntry[]
let admin: Client
let idp: { issuer: string; http: HttpServer; people: Map<string, Record<string, unknown>> }
const sealed = {
  seal: (text: string, owner: string) => `${owner}|${text}`,
  open: (text: string) => text.split('|')[1] ?? '',
}

beforeAll(async () => {
  database = await testDatabase()
  idp = await startProvider()
})
beforeEach(async () => {
  await database.reset()
  recorded = []
  idp.people.clear()
  const { db } = database
  server = await createServer({
    logLevel: 'silent',
    async authenticate(credential, options) {
      if (credential.token === 'admin') return { name: 'admin', kind: 'user', permissions: ['*'] }
      return authenticator({ db })(credential, options)
    },
  })
  const record = async (_: unknown, entry: AuditEntry) => void recorded.push(entry)
  const signIns = sessionRoutes(server, { db, record })
  const registrations = registrationsOf(db, sealed, () => url)
  const clients = openOidcClients()
  const options = { db, registrations, clients, record, baseUrl: () => url }
  signInRoutes(server, { ...options, signIn: signIns.signIn, changed: async () => undefined })
  providerRoutes(server, { ...options, sealer: sealed, sync: async () => '' })
  admin = createClient({ baseUrl: url, fetch: server.fetch, token: 'admin' })
})
afterEach(() => server.close())
afterAll(async () => {
  idp.http.closeAllConnections()
  idp.http.close()
  await database.close()
})

/** npm's oidc-provider on a port of its own. Whoever is named at its door is let in. */
async function startProvider() {
  const http = createHttp()
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening))
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const people = new Map<string, Record<string, unknown>>()
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'quarterdeck',
        client_secret: 'a secret of the client',
        redirect_uris: ['one', 'two'].map((name) => `${url}/sign-in/${name}/callback`),
        post_logout_redirect_uris: [`${url}/sign-in`],
      },
    ],
    claims: { openid: ['sub'], profile: ['preferred_username', 'name'], email: ['email'], groups: ['groups'] },
    scopes: ['openid', 'profile', 'email', 'groups'],
    cookies: { keys: ['only for tests'] },
    findAccount: (_context, sub) => ({ accountId: sub, claims: async () => ({ sub, ...people.get(sub) }) }),
  })
  http.on('request', provider.callback())
  return { issuer, http, people }
}

const settingsOf = (some: object = {}) => ({
  kind: 'oidc' as const,
  issuer: idp.issuer,
  clientId: 'quarterdeck',
  scopes: ['openid', 'profile', 'email', 'groups'],
  groupsClaim: 'groups',
  ...some,
})
const connect = (name: string, some: object = {}) =>
  admin(createProvider, {
    body: { name, title: `Provider ${name}`, settings: settingsOf(some), secret: 'a secret of the client' },
  })

const browser = () => createClient({ baseUrl: url, fetch: fetchWithCookies(url, server.fetch) })

/** Goes through the provider's pages as a browser would, as `login`; what it is sent back with. */
async function through(start: string, login: string, back = `${url}/sign-in/`): Promise<string> {
  const cookies = new Map<string, string>()
  let request: { url: string; body?: string } = { url: start }
  for (let step = 0; step < 20; step++) {
    const answer = await fetch(request.url, {
      redirect: 'manual',
      method: request.body === undefined ? 'GET' : 'POST',
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(request.body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(request.body === undefined ? {} : { body: request.body }),
    })
    for (const one of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(one) ?? []
      cookies.set(name, value)
    }
    const location = answer.headers.get('location')
    if (location !== null) {
      const next = new URL(location, request.url).href
      if (next.startsWith(back)) return new URL(next).search.slice(1)
      request = { url: next }
      continue
    }
    const page = await answer.text()
    const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1]
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1]
    if (!action || !prompt) throw new Error(`The provider shows ${answer.status} ${page.slice(0, 500)}`)
    const form = new URLSearchParams({ prompt, ...(prompt === 'login' ? { login, password: 'x' } : {}) })
    request = { url: new URL(action, request.url).href, body: form.toString() }
  }
  throw new Error('The provider sends round and round')
}
async function begin(client: Client, provider: string, login: string, next = '/') {
  const { url: start } = await client(beginSignIn, { params: { provider }, body: { next } })
  return through(start, login)
}
const finish = (client: Client, provider: string, query: string) =>
  client(finishSignIn, { params: { provider }, body: { query } })
async function signIn(provider: string, login: string, next?: string) {
  const client = browser()
  const signedIn = await finish(client, provider, await begin(client, provider, login, next))
  return { client, signedIn }
}
async function problemOf(promise: Promise<unknown>): Promise<Problem['body']> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if (!('error' in outcome)) throw new Error(`it was let through: ${JSON.stringify(outcome.value)}`)
  if (!isProblem(outcome.error)) throw outcome.error
  return outcome.error.body
}
const typeOf = async (promise: Promise<unknown>) => (await problemOf(promise)).type.replace('/problems/', '')
const groupsOf = async (name: string) =>
  (
    await sql<{ name: string; source: string }>`select g.name, g.source from user_group g
      join user_group_member m on m."group" = g.id join account a on a.id = m.account where a.name = ${name} order by 1`.execute(
      database.db,
    )
  ).rows.map((row) => `${row.name} of ${row.source}`)

test('[TEN-01][TEN-02] somebody signs in with a provider, with the groups that it has them in', async () => {
  await connect('one')
  expect(await createClient({ baseUrl: url, fetch: server.fetch })(listSignInChoices)).toEqual({
    items: [{ name: 'one', title: 'Provider one', kind: 'oidc' }],
  })
  idp.people.set('p-1', {
    preferred_username: 'Li.Na',
    name: '李娜',
    email: 'li@example.com',
    groups: ['Ops Team', 'dev'],
  })
  const { client, signedIn } = await signIn('one', 'p-1', '/applications?filter=x')
  expect(signedIn).toMatchObject({ user: 'li.na', source: 'one', title: '李娜', next: '/applications?filter=x' })
  expect(await client(getSession)).toMatchObject({ user: 'li.na' })
  expect(await groupsOf('li.na')).toEqual(['dev of one', 'ops-team of one'])
  idp.people.set('p-1', { preferred_username: 'renamed', groups: ['dev'] })
  // The name was given once; groups follow the provider.
  expect((await signIn('one', 'p-1')).signedIn.user).toBe('li.na')
  expect(await groupsOf('li.na')).toEqual(['dev of one'])
  expect(recorded).toContainEqual(
    expect.objectContaining({ act: 'sign-in.finish', actor: 'li.na', outcome: 'succeeded' }),
  )
  const { url: out } = await client(getSignOut)
  expect(out).toContain(`${idp.issuer}/session/end`)
  expect(new URL(out ?? '').searchParams.get('post_logout_redirect_uri')).toBe(`${url}/sign-in`)
  expect((await fetch(out ?? '')).status).toBe(200)
})

test('[A37] an account is found by issuer and sub alone: not by name, not by e-mail, not by another provider', async () => {
  await connect('one')
  await connect('two')
  await sql`insert into account (name, email) values ('admin', 'admin@example.com')`.execute(database.db)
  const claims = { preferred_username: 'admin', email: 'admin@example.com' }
  idp.people.set('p-1', claims).set('p-2', claims)
  expect((await signIn('one', 'p-1')).signedIn.user).toBe('admin-2')
  expect((await signIn('one', 'p-2')).signedIn.user).toBe('admin-3')
  expect((await signIn('two', 'p-1')).signedIn.user).toBe('admin-4')
  expect((await signIn('one', 'p-1')).signedIn.user).toBe('admin-2')
  // A group of the same name is another one, whoever grants what to the first.
  await sql`insert into user_group (name) values ('administrators')`.execute(database.db)
  idp.people.set('p-1', { ...claims, groups: ['administrators'] })
  await signIn('one', 'p-1')
  expect(await groupsOf('admin-2')).toEqual(['administrators-2 of one'])
})

test('[A03] whoever the provider gives no usable name is refused, and no account is made', async () => {
  await connect('one')
  for (const preferred_username of [undefined, '', 'lі', 'x'.repeat(64), 'operator', 'a\nb']) {
    idp.people.set('p-1', { preferred_username })
    expect(await typeOf(signIn('one', 'p-1'))).toBe('sign-in-refused')
  }
  const { rows } = await sql`select from account`.execute(database.db)
  expect(rows).toHaveLength(0)
})

test('[A35] what a provider sent back counts once, in the browser that began, and for ten minutes', async () => {
  await connect('one')
  idp.people.set('p-1', { preferred_username: 'li' })
  const client = browser()
  const query = await begin(client, 'one', 'p-1')
  expect(await typeOf(finish(browser(), 'one', query))).toBe('sign-in-unknown')
  expect(await typeOf(finish(client, 'one', `${query}&state=x`))).toBe('sign-in-unknown')
  expect(await typeOf(finish(client, 'one', query.replace(/state=[^&]+/, 'state=guessed')))).toBe('sign-in-unknown')
  await finish(client, 'one', query)
  expect(await typeOf(finish(client, 'one', query))).toBe('sign-in-unknown')
  const late = await begin(client, 'one', 'p-1')
  await sql`update sign_in_attempt set "expireTime" = now()`.execute(database.db)
  expect(await typeOf(finish(client, 'one', late))).toBe('sign-in-unknown')
})

test('[A34] a code of one provider does not count at another, nor does its state', async () => {
  await connect('one')
  await connect('two')
  idp.people.set('p-1', { preferred_username: 'li' })
  const client = browser()
  const query = await begin(client, 'one', 'p-1')
  expect(await typeOf(finish(client, 'two', query))).toBe('sign-in-unknown')
  const mixed = new URLSearchParams(query)
  mixed.set('iss', 'https://attacker.example.com')
  expect(await typeOf(finish(client, 'one', mixed.toString()))).toBe('sign-in-refused')
  const without = new URLSearchParams(await begin(client, 'one', 'p-1'))
  without.delete('iss')
  expect(await typeOf(finish(client, 'one', without.toString()))).toBe('sign-in-refused')
})

test('[A35] another nonce, another verifier, a code injected from another sign-in: refused', async () => {
  await connect('one')
  idp.people.set('p-1', { preferred_username: 'li' }).set('p-2', { preferred_username: 'eve' })
  const client = browser()
  const spoiled = async (column: string) => {
    const query = await begin(client, 'one', 'p-1')
    await sql`update sign_in_attempt set ${sql.ref(column)} = ${'x'.repeat(43)}`.execute(database.db)
    return typeOf(finish(client, 'one', query))
  }
  expect(await spoiled('nonce')).toBe('sign-in-refused')
  expect(await spoiled('codeVerifier')).toBe('sign-in-refused')
  const [mine, others] = [await begin(client, 'one', 'p-1'), new URLSearchParams(await begin(browser(), 'one', 'p-2'))]
  const injected = new URLSearchParams(mine)
  injected.set('code', others.get('code') ?? '')
  expect(await typeOf(finish(client, 'one', injected.toString()))).toBe('sign-in-refused')
  expect(recorded.filter(({ act, outcome }) => act === 'sign-in.finish' && outcome === 'failed')).toHaveLength(3)
})

test('[A32] state, nonce and verifier are 256 random bits; only the hash of the state is kept', async () => {
  await connect('one')
  const seen = new Set<string>()
  for (let time = 0; time < 10; time++) {
    const { url: start } = await browser()(beginSignIn, { params: { provider: 'one' }, body: {} })
    const { searchParams } = new URL(start)
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(searchParams.get(name)).toMatch(/^[\w-]{43}$/)
      seen.add(searchParams.get(name) ?? '')
    }
    expect(searchParams.get('code_challenge_method')).toBe('S256')
    const { rows } = await sql<{
      row: string
    }>`select row_to_json(sign_in_attempt)::text as row from sign_in_attempt`.execute(database.db)
    expect(JSON.stringify(rows)).not.toContain(searchParams.get('state'))
  }
  expect(seen.size).toBe(30)
})

test('[A36] after signing in one goes to a path of the console', async () => {
  await connect('one')
  idp.people.set('p-1', { preferred_username: 'li' })
  for (const next of ['//evil', 'https://evil', '/\\evil']) {
    expect((await signIn('one', 'p-1', next)).signedIn.next).toBe('/')
  }
})

test('a disabled account is not let in', async () => {
  await connect('one')
  idp.people.set('p-1', { preferred_username: 'li' })
  await signIn('one', 'p-1')
  await sql`update account set "disableTime" = now() where name = 'li'`.execute(database.db)
  expect((await problemOf(signIn('one', 'p-1'))).status).toBe(401)
})

test('[TEN-04] providers are connected, tried step by step, changed and removed; secrets are never told', async () => {
  const made = await connect('one')
  expect(made).toMatchObject({ hasSecret: true, redirectUri: `${url}/sign-in/one/callback`, enabled: true })
  expect(JSON.stringify([await admin(listProviders), recorded])).not.toContain('a secret of the client')
  expect(
    (await admin(testProvider, { params: { provider: 'one' }, body: {} })).steps.map(({ step, succeeded }) => [
      step,
      succeeded,
    ]),
  ).toEqual([
    ['address', true],
    ['connection', true],
    ['discovery', true],
    ['keys', true],
  ])
  const change = (some: object, rest: object = {}) =>
    admin(updateProvider, {
      params: { provider: 'one' },
      body: { title: 'Renamed', settings: settingsOf(some), ...rest },
    })
  expect(await change({})).toMatchObject({ title: 'Renamed', hasSecret: true })
  expect((await problemOf(change({ issuer: 'https://elsewhere.example.com' }))).errors?.[0]?.pointer).toBe(
    '/body/secret',
  )
  const failing = async (issuer: string) => {
    await change({ issuer }, { secret: 'x' })
    return (await admin(testProvider, { params: { provider: 'one' }, body: {} })).steps.at(-1)
  }
  expect(await failing('https://nowhere.invalid')).toMatchObject({ step: 'address', succeeded: false })
  expect(await failing('http://127.0.0.1:1')).toMatchObject({ step: 'connection', succeeded: false })
  expect(await failing(`${idp.issuer}/wrong`)).toMatchObject({ step: 'discovery', succeeded: false })
  expect(await typeOf(connect('one'))).toBe('provider-name-taken')
  await change({}, { enabled: false, secret: 'x' })
  expect(await typeOf(browser()(beginSignIn, { params: { provider: 'one' }, body: {} }))).toBe('not-found')
  await admin(deleteProvider, { params: { provider: 'one' } })
  expect(await admin(listProviders)).toEqual({ items: [] })
})

/** A provider that says what a test wants it to say. */
async function adversary() {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const said = {
    nonce: '',
    keyRequests: 0,
    delayMs: 0,
    jwksStatus: 200,
    kid: 'k1',
    idToken: undefined as undefined | ((claims: Record<string, unknown>) => Promise<string>),
  }
  let keys: JWK[] = [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' }]
  const http = createHttp(async (request: IncomingMessage, response) => {
    if (said.delayMs > 0) await new Promise((done) => setTimeout(done, said.delayMs))
    const json = (body: unknown, status = 200) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    }
    if (request.url?.startsWith('/.well-known/')) {
      return json({
        issuer,
        authorization_endpoint: `${issuer}/auth`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        id_token_signing_alg_values_supported: ['RS256'],
      })
    }
    if (request.url === '/jwks') {
      said.keyRequests++
      return json({ keys }, said.jwksStatus)
    }
    const seconds = Math.floor(Date.now() / 1_000)
    const claims = {
      iss: issuer,
      sub: 'p-1',
      aud: 'quarterdeck',
      nonce: said.nonce,
      iat: seconds,
      exp: seconds + 60,
      preferred_username: 'li',
    }
    return json({ access_token: 'x', token_type: 'bearer', id_token: await (said.idToken ?? signed)(claims) })
  })
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening))
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const signed = (claims: Record<string, unknown>) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: said.kid }).sign(privateKey)
  return {
    said,
    signed,
    issuer,
    publicKey: keys[0],
    http,
    rotate(kid: string) {
      said.kid = kid
      keys = keys.map((key) => ({ ...key, kid }))
    },
    setKeys(next: JWK[]) {
      keys = next
    },
  }
}
async function signInAt(evil: Awaited<ReturnType<typeof adversary>>) {
  const client = browser()
  const { url: start } = await client(beginSignIn, { params: { provider: 'one' }, body: {} })
  const { searchParams } = new URL(start)
  evil.said.nonce = searchParams.get('nonce') ?? ''
  return finish(client, 'one', `code=x&state=${searchParams.get('state')}`)
}

test('[A31][A33] an ID token that is unsigned, signed otherwise, or for somebody else is refused', async () => {
  const evil = await adversary()
  await connect('one', { issuer: evil.issuer })
  const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const other = await generateKeyPair('RS256')
  const secret = new TextEncoder().encode(JSON.stringify(evil.publicKey))
  const seconds = Math.floor(Date.now() / 1_000)
  const forged: Record<string, (claims: Record<string, unknown>) => Promise<string>> = {
    none: async (claims) => `${base64({ alg: 'none' })}.${base64(claims)}.`,
    'HS256 with the public key': (claims) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'k1' }).sign(secret),
    'another key': (claims) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'k1' }).sign(other.privateKey),
    'embedded key': async (claims) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', jwk: await exportJWK(other.publicKey) })
        .sign(other.privateKey),
    'wrong audience': (claims) => evil.signed({ ...claims, aud: 'another' }),
    'wrong azp': (claims) => evil.signed({ ...claims, aud: ['quarterdeck', 'another'], azp: 'another' }),
    'wrong issuer': (claims) => evil.signed({ ...claims, iss: 'https://another' }),
    expired: (claims) => evil.signed({ ...claims, iat: seconds - 7_200, exp: seconds - 3_600 }),
    'not yet valid': (claims) => evil.signed({ ...claims, nbf: seconds + 3_600 }),
    'wrong nonce': (claims) => evil.signed({ ...claims, nonce: 'x' }),
    'no nonce': ({ nonce: _, ...claims }) => evil.signed(claims),
    'no sub': ({ sub: _, ...claims }) => evil.signed(claims),
  }
  for (const [how, idToken] of Object.entries(forged)) {
    evil.said.idToken = idToken
    expect([how, await typeOf(signInAt(evil))]).toEqual([how, 'sign-in-refused'])
  }
  evil.said.idToken = undefined
  expect(await signInAt(evil)).toMatchObject({ user: 'li' })
  evil.http.close()
})

test('[F41] keys are kept; an unknown one has them read again once a minute; keys that cannot be read let nobody in', async () => {
  const evil = await adversary()
  await connect('one', { issuer: evil.issuer })
  for (let time = 0; time < 5; time++) await signInAt(evil)
  expect(evil.said.keyRequests).toBe(1)
  evil.rotate('k2')
  for (let time = 0; time < 5; time++) expect(await typeOf(signInAt(evil))).toBe('sign-in-refused')
  expect(evil.said.keyRequests).toBe(1)
  const real = Date.now
  try {
    Date.now = () => real() + 61_000
    expect(await signInAt(evil)).toMatchObject({ user: 'li' })
    expect(evil.said.keyRequests).toBe(2)
    Date.now = () => real() + 400_000
    evil.said.jwksStatus = 500
    expect(['provider-unavailable', 'sign-in-refused']).toContain(await typeOf(signInAt(evil)))
    evil.said.jwksStatus = 200
    evil.setKeys(Array.from({ length: 20_000 }, () => ({ kty: 'RSA', n: 'x'.repeat(100), e: 'AQAB' })))
    expect(['provider-unavailable', 'sign-in-refused']).toContain(await typeOf(signInAt(evil)))
  } finally {
    Date.now = real
  }
  evil.http.close()
})

test('[F40] a provider that is down or slow is told within five seconds, and nothing is left waiting', async () => {
  const evil = await adversary()
  await connect('one', { issuer: evil.issuer })
  evil.said.delayMs = 30_000
  const began = performance.now()
  const all = await Promise.all(
    Array.from({ length: 20 }, () => problemOf(browser()(beginSignIn, { params: { provider: 'one' }, body: {} }))),
  )
  expect(performance.now() - began).toBeLessThan(5_500)
  for (const one of all) {
    expect(one).toMatchObject({
      type: '/problems/provider-unavailable',
      status: 502,
      detail: expect.stringContaining('no answer in time'),
    })
  }
  const open = () => new Promise<number>((done) => evil.http.getConnections((_, count) => done(count)))
  await expect.poll(open).toBe(0)
  evil.http.closeAllConnections()
  evil.http.close()
  // Down, then back.
  await admin(updateProvider, {
    params: { provider: 'one' },
    body: { title: 'One', settings: settingsOf({ issuer: 'http://127.0.0.1:1' }), secret: 'x' },
  })
  expect(await typeOf(browser()(beginSignIn, { params: { provider: 'one' }, body: {} }))).toBe('provider-unavailable')
  await admin(updateProvider, {
    params: { provider: 'one' },
    body: { title: 'One', settings: settingsOf(), secret: 'a secret of the client' },
  })
  idp.people.set('p-1', { preferred_username: 'li' })
  await signIn('one', 'p-1')
}, 30_000)
