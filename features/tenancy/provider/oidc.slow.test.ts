import { createClient } from '@quarterdeck/client'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type OidcProvider, startOidcProvider } from '../../../test/platform/oidc-provider.ts'
import { oidcSignIn } from '../../../test/platform/oidc-sign-in.ts'
import { problemOf, typeOf } from '../../../test/platform/problem.ts'
import { getSession } from '../session/session.contract.ts'
import {
  beginSignIn,
  deleteProvider,
  getSignOut,
  listProviders,
  listSignInChoices,
  testProvider,
  updateProvider,
} from './provider.contract.ts'

let idp: OidcProvider
const on = await oidcSignIn()
const { url, recorded, settingsOf, browser, begin, finish, connect, signIn, groupsOf } = on

beforeAll(async () => {
  const redirectUris = ['one', 'two'].map((name) => `${url}/sign-in/${name}/callback`)
  idp = await startOidcProvider({ redirectUris, signOutUris: [`${url}/sign-in`] })
})
beforeEach(async () => {
  await on.reset()
  idp.people.clear()
})
afterEach(() => on.server.close())
afterAll(async () => {
  idp.close()
  await on.close()
})

test('[TEN-01][TEN-02] somebody signs in with a provider, with the groups that it has them in', async () => {
  await connect('one', idp.issuer)
  expect(await createClient({ baseUrl: url, fetch: on.server.fetch })(listSignInChoices)).toEqual({
    items: [{ name: 'one', title: 'Provider one', kind: 'oidc' }],
  })
  idp.people.set('p-1', {
    preferred_username: 'Li.Na',
    name: '李娜',
    email: 'li@example.com',
    groups: ['Ops Team', 'dev'],
  })
  const { client, signedIn } = await signIn('one', 'p-1', { next: '/applications?filter=x' })
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
  await connect('one', idp.issuer)
  await connect('two', idp.issuer)
  await sql`insert into account (name, email) values ('admin', 'admin@example.com')`.execute(on.db)
  const claims = { preferred_username: 'admin', email: 'admin@example.com' }
  idp.people.set('p-1', claims).set('p-2', claims)
  expect((await signIn('one', 'p-1')).signedIn.user).toBe('admin-2')
  expect((await signIn('one', 'p-2')).signedIn.user).toBe('admin-3')
  expect((await signIn('two', 'p-1')).signedIn.user).toBe('admin-4')
  expect((await signIn('one', 'p-1')).signedIn.user).toBe('admin-2')
  // A group of the same name is another one, whoever grants what to the first.
  await sql`insert into user_group (name) values ('administrators')`.execute(on.db)
  idp.people.set('p-1', { ...claims, groups: ['administrators'] })
  await signIn('one', 'p-1')
  expect(await groupsOf('admin-2')).toEqual(['administrators-2 of one'])
})

test('[A03] whoever the provider gives no usable name is refused, and no account is made', async () => {
  await connect('one', idp.issuer)
  for (const preferred_username of [undefined, '', 'lі', 'x'.repeat(64), 'operator', 'a\nb']) {
    idp.people.set('p-1', { preferred_username })
    expect(await typeOf(signIn('one', 'p-1'))).toBe('sign-in-refused')
  }
  const { rows } = await sql`select from account`.execute(on.db)
  expect(rows).toHaveLength(0)
})

test('[A35] what a provider sent back counts once, in the browser that began, and for ten minutes', async () => {
  await connect('one', idp.issuer)
  idp.people.set('p-1', { preferred_username: 'li' })
  const client = browser()
  const query = await begin(client, 'one', 'p-1')
  expect(await typeOf(finish(browser(), 'one', query))).toBe('sign-in-unknown')
  expect(await typeOf(finish(client, 'one', `${query}&state=x`))).toBe('sign-in-unknown')
  expect(await typeOf(finish(client, 'one', query.replace(/state=[^&]+/, 'state=guessed')))).toBe('sign-in-unknown')
  await finish(client, 'one', query)
  expect(await typeOf(finish(client, 'one', query))).toBe('sign-in-unknown')
  const late = await begin(client, 'one', 'p-1')
  await sql`update sign_in_attempt set "expireTime" = now()`.execute(on.db)
  expect(await typeOf(finish(client, 'one', late))).toBe('sign-in-unknown')
})

test('[A34] a code of one provider does not count at another, nor does its state', async () => {
  await connect('one', idp.issuer)
  await connect('two', idp.issuer)
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
  await connect('one', idp.issuer)
  idp.people.set('p-1', { preferred_username: 'li' }).set('p-2', { preferred_username: 'eve' })
  const client = browser()
  const spoiled = async (column: string) => {
    const query = await begin(client, 'one', 'p-1')
    await sql`update sign_in_attempt set ${sql.ref(column)} = ${'x'.repeat(43)}`.execute(on.db)
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
  await connect('one', idp.issuer)
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
    }>`select row_to_json(sign_in_attempt)::text as row from sign_in_attempt`.execute(on.db)
    expect(JSON.stringify(rows)).not.toContain(searchParams.get('state'))
  }
  expect(seen.size).toBe(30)
})

test('[A36] after signing in one goes to a path of the console', async () => {
  await connect('one', idp.issuer)
  idp.people.set('p-1', { preferred_username: 'li' })
  for (const next of ['//evil', 'https://evil', '/\\evil']) {
    expect((await signIn('one', 'p-1', { next })).signedIn.next).toBe('/')
  }
})

test('a disabled account is not let in', async () => {
  await connect('one', idp.issuer)
  idp.people.set('p-1', { preferred_username: 'li' })
  await signIn('one', 'p-1')
  await sql`update account set "disableTime" = now() where name = 'li'`.execute(on.db)
  expect((await problemOf(signIn('one', 'p-1'))).status).toBe(401)
})

test('[TEN-04] providers are connected, tried step by step, changed and removed; secrets are never told', async () => {
  const made = await connect('one', idp.issuer)
  expect(made).toMatchObject({ hasSecret: true, redirectUri: `${url}/sign-in/one/callback`, enabled: true })
  expect(JSON.stringify([await on.admin(listProviders), recorded])).not.toContain('a secret of the client')
  expect(
    (await on.admin(testProvider, { params: { provider: 'one' }, body: {} })).steps.map(({ step, succeeded }) => [
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
    on.admin(updateProvider, {
      params: { provider: 'one' },
      body: { title: 'Renamed', settings: settingsOf(idp.issuer, some), ...rest },
    })
  expect(await change({})).toMatchObject({ title: 'Renamed', hasSecret: true })
  expect((await problemOf(change({ issuer: 'https://elsewhere.example.com' }))).errors?.[0]?.pointer).toBe(
    '/body/secret',
  )
  const failing = async (issuer: string) => {
    await change({ issuer }, { secret: 'x' })
    return (await on.admin(testProvider, { params: { provider: 'one' }, body: {} })).steps.at(-1)
  }
  expect(await failing('https://nowhere.invalid')).toMatchObject({ step: 'address', succeeded: false })
  expect(await failing('http://127.0.0.1:1')).toMatchObject({ step: 'connection', succeeded: false })
  expect(await failing(`${idp.issuer}/wrong`)).toMatchObject({ step: 'discovery', succeeded: false })
  expect(await typeOf(connect('one', idp.issuer))).toBe('provider-name-taken')
  await change({}, { enabled: false, secret: 'x' })
  expect(await typeOf(browser()(beginSignIn, { params: { provider: 'one' }, body: {} }))).toBe('not-found')
  await on.admin(deleteProvider, { params: { provider: 'one' } })
  expect(await on.admin(listProviders)).toEqual({ items: [] })
})
