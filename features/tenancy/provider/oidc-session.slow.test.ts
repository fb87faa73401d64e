import { SignJWT } from 'jose'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { oidcAdversary } from '../../../test/platform/oidc-adversary.ts'
import { type Jar, type OidcProvider, signOutAt, startOidcProvider } from '../../../test/platform/oidc-provider.ts'
import { oidcSignIn } from '../../../test/platform/oidc-sign-in.ts'
import { problemOf, typeOf } from '../../../test/platform/problem.ts'
import { getSession } from '../session/session.contract.ts'
import { backChannelLogout, deleteProvider, listProviders, updateProvider } from './provider.contract.ts'
import { providerReconciler } from './provider.reconciler.ts'

let idp: OidcProvider
const on = await oidcSignIn()
const { url, db, recorded, clock, browser, connect, signIn, groupsOf, settingsOf } = on

beforeEach(async () => {
  await on.reset()
  const address = await on.server.listen(0)
  idp = await startOidcProvider({
    redirectUris: ['one', 'two'].map((name) => `${url}/sign-in/${name}/callback`),
    logoutUri: `${address}/api/v1/sign-in/one/back-channel-logout`,
  })
})
afterEach(async () => {
  idp.close()
  await on.server.close()
})
afterAll(() => on.close())

const OFFLINE = { scopes: ['openid', 'profile', 'email', 'groups', 'offline_access'] }
const signedIn = (client: ReturnType<typeof browser>) =>
  client(getSession).then(
    ({ user }) => user,
    () => undefined,
  )
const sessions = async (name: string) =>
  (await on.admin(listProviders)).items.find((provider) => provider.name === name)?.sessions

test('[TEN-02] while a session lives its provider is asked again: groups follow, and it ends when the provider refuses', async () => {
  await connect('one', idp.issuer, { ...OFFLINE, askAgainMinutes: 5 })
  idp.people.set('p-1', { preferred_username: 'li', groups: ['dev', 'ops'] })
  const { client } = await signIn('one', 'p-1')
  expect(await groupsOf('li')).toEqual(['dev of one', 'ops of one'])
  idp.people.set('p-1', { preferred_username: 'li', groups: ['dev'] })
  // Not before its time.
  expect(await on.askAgain('one')).toBeGreaterThan(290)
  expect(await groupsOf('li')).toEqual(['dev of one', 'ops of one'])
  clock.aheadMs = 301_000
  expect(await on.askAgain('one')).toBeGreaterThan(290)
  expect(await groupsOf('li')).toEqual(['dev of one'])
  expect(await signedIn(client)).toBe('li')
  expect((await on.admin(listProviders)).items[0]?.syncMessage).toBe(
    '1 sessions asked about: 1 with other groups, 0 ended',
  )
  idp.people.delete('p-1')
  clock.aheadMs = 602_000
  expect(await on.askAgain('one')).toBeUndefined()
  expect(await signedIn(client)).toBeUndefined()
  expect(recorded).toContainEqual(
    expect.objectContaining({
      act: 'provider.end-session',
      what: 'user li',
      detail: 'The provider one no longer stands for it: invalid_grant',
    }),
  )
})

test('[F40] a provider that cannot be asked ends nobody’s session, and is asked again a minute later', async () => {
  await connect('one', idp.issuer, OFFLINE)
  idp.people.set('p-1', { preferred_username: 'li' })
  const { client } = await signIn('one', 'p-1')
  clock.aheadMs = 16 * 60_000
  idp.close()
  expect(await on.askAgain('one')).toBe(60)
  expect(await signedIn(client)).toBe('li')
  expect((await on.admin(listProviders)).items[0]?.syncMessage).toMatch(/^It could not be asked: /)
})

test('many sessions are asked about at a time; refresh tokens are sealed, and go to whoever gave them', async () => {
  await connect('one', idp.issuer, OFFLINE)
  for (let number = 0; number < 20; number++) idp.people.set(`p-${number}`, { preferred_username: `li-${number}` })
  const clients = []
  for (const sub of idp.people.keys()) clients.push((await signIn('one', sub)).client)
  const { rows } = await sql<{ sealedToken: string; session: string }>`select * from provider_session`.execute(db)
  for (const { sealedToken, session } of rows) expect(sealedToken).toMatch(new RegExp(`^sign-in-session/${session}\\|`))
  idp.people.delete('p-7')
  clock.aheadMs = 16 * 60_000
  const reconciler = providerReconciler({ db, sync: async () => '', askAgain: on.askAgain })
  expect(await reconciler.keys()).toEqual(['one'])
  const { signal } = new AbortController()
  expect(await reconciler.reconcile('one', { signal })).toEqual({ requeueAfterSeconds: 60 })
  const left = (await Promise.all(clients.map(signedIn))).filter((user) => user !== undefined)
  expect(left).toHaveLength(19)
  const settings = settingsOf('https://elsewhere.example.com', OFFLINE)
  await on.admin(updateProvider, { params: { provider: 'one' }, body: { title: 'One', settings, secret: 'x' } })
  expect((await sql`select from provider_session where "sealedToken" is not null`.execute(db)).rows).toHaveLength(0)
})

test('[TEN-02] whoever signs out at the provider is signed out here, in that browser', async () => {
  await connect('one', idp.issuer)
  idp.people.set('p-1', { preferred_username: 'li' })
  const jar: Jar = new Map()
  const { client } = await signIn('one', 'p-1', { jar })
  const other = await signIn('one', 'p-1')
  await signOutAt(idp, jar)
  await expect.poll(() => signedIn(client)).toBeUndefined()
  expect(await signedIn(other.client)).toBe('li')
  expect(recorded).toContainEqual(
    expect.objectContaining({ act: 'sign-in.log-out', what: 'user li', outcome: 'succeeded' }),
  )
})

test('[A31] a logout token counts when it is the provider’s, for us, fresh, for logging out, and once', async () => {
  const evil = await oidcAdversary()
  await connect('one', evil.issuer)
  await connect('two', evil.issuer, { clientId: 'another' })
  const enter = async () => {
    const client = browser()
    const { searchParams } = new URL(await on.startOf(client, 'one'))
    evil.said.nonce = searchParams.get('nonce') ?? ''
    await on.finish(client, 'one', `code=x&state=${searchParams.get('state')}`)
    return client
  }
  const client = await enter()
  const seconds = Math.floor(Date.now() / 1_000)
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
  let number = 0
  const claims = () => ({
    iss: evil.issuer,
    aud: 'quarterdeck',
    sub: 'p-1',
    iat: seconds,
    exp: seconds + 120,
    jti: `jti-${number++}`,
    events,
  })
  const send = (token: string, provider = 'one') =>
    browser()(backChannelLogout, { params: { provider }, body: { logout_token: token } })
  const without = (name: string) => Object.fromEntries(Object.entries(claims()).filter(([key]) => key !== name))
  const wrong: Record<string, string> = {
    'no token': 'x',
    unsigned: `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims())).toString('base64url')}.`,
    'signed with what everybody may read': await new SignJWT(claims())
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .sign(new TextEncoder().encode(JSON.stringify(evil.publicKey))),
    'another issuer': await evil.signed({ ...claims(), iss: 'https://another' }),
    'another audience': await evil.signed({ ...claims(), aud: 'somebody-else' }),
    'no events': await evil.signed(without('events')),
    'another event': await evil.signed({ ...claims(), events: { other: {} } }),
    'an event that is no object': await evil.signed({ ...claims(), events: { [Object.keys(events)[0] ?? '']: true } }),
    'a nonce': await evil.signed({ ...claims(), nonce: 'n' }),
    'no jti': await evil.signed(without('jti')),
    'no iat': await evil.signed(without('iat')),
    'neither sub nor sid': await evil.signed(without('sub')),
    expired: await evil.signed({ ...claims(), iat: seconds - 300, exp: seconds - 120 }),
    'made long ago': await evil.signed({ ...claims(), iat: seconds - 7_200 }),
    'not made yet': await evil.signed({ ...claims(), iat: seconds + 7_200, exp: seconds + 7_300 }),
  }
  for (const [how, token] of Object.entries(wrong)) {
    expect([how, await typeOf(send(token))]).toEqual([how, 'logout-refused'])
  }
  expect(await typeOf(send(await evil.signed(claims()), 'two'))).toBe('logout-refused')
  expect(await typeOf(send(await evil.signed(claims()), 'three'))).toBe('not-found')
  // Somebody else's, and a session of the provider that is none of ours.
  await send(await evil.signed({ ...claims(), sub: 'p-2' }))
  await send(await evil.signed({ ...without('sub'), sid: 'unknown' }))
  expect(await signedIn(client)).toBe('li')
  const token = await evil.signed(claims())
  await send(token)
  expect(await signedIn(client)).toBeUndefined()
  const again = await enter()
  expect((await problemOf(send(token))).detail).toBe('It was used before')
  expect(await signedIn(again)).toBe('li')
  evil.http.closeAllConnections()
  evil.http.close()
})

test('what is no form, or lacks the token, is refused by what it lacks', async () => {
  await connect('one', idp.issuer)
  const post = async (type: string, body: string) => {
    const answer = await on.server.fetch(`${url}/api/v1/sign-in/one/back-channel-logout`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    })
    return [answer.status, ((await answer.json()) as { detail?: string }).detail]
  }
  expect((await post('application/json', '{"logout_token":"x"}'))[0]).toBe(415)
  const form = 'application/x-www-form-urlencoded'
  expect(await post(form, 'token=x')).toEqual([400, expect.stringContaining('/body/logout_token')])
  expect((await post(form, 'logout_token=x&more=y'))[1]).not.toContain('/body/more')
  // And a form counts nowhere else: any page may send one.
  const other = await on.server.fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': form },
    body: 'user=x&password=y',
  })
  expect(other.status).toBe(415)
})

test('[TEN-04] switching a provider off, or removing it, ends the sessions that came from it and no others', async () => {
  await connect('one', idp.issuer)
  await connect('two', idp.issuer)
  idp.people.set('p-1', { preferred_username: 'li' }).set('p-2', { preferred_username: 'bo' })
  const [first, second] = [await signIn('one', 'p-1'), await signIn('two', 'p-1')]
  const third = await signIn('one', 'p-2')
  expect([await sessions('one'), await sessions('two')]).toEqual([2, 1])
  const change = { title: 'One', settings: settingsOf(idp.issuer) }
  await on.admin(updateProvider, { params: { provider: 'one' }, body: change })
  expect(await sessions('one')).toBe(2)
  await on.admin(updateProvider, { params: { provider: 'one' }, body: { ...change, enabled: false } })
  const left = () => Promise.all([first, second, third].map(({ client }) => signedIn(client)))
  expect(await left()).toEqual([undefined, 'li-2', undefined])
  expect(recorded.at(-1)?.detail).toContain('"endedSessions":2')
  await on.admin(deleteProvider, { params: { provider: 'two' } })
  expect(await left()).toEqual([undefined, undefined, undefined])
  expect(recorded.at(-1)?.detail).toBe('Sessions ended: 1')
})

test('whoever was about to enter when the provider was switched off is not let in', async () => {
  await connect('one', idp.issuer)
  idp.people.set('p-1', { preferred_username: 'li' })
  const client = browser()
  const query = await on.begin(client, 'one', 'p-1')
  const held = on.whileSigningIn(async () => {
    await on.admin(updateProvider, {
      params: { provider: 'one' },
      body: { title: 'One', enabled: false, settings: settingsOf(idp.issuer) },
    })
  })
  expect(await typeOf(on.finish(client, 'one', query))).toBe('sign-in-refused')
  await held
  expect(await signedIn(client)).toBeUndefined()
})
