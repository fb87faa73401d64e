import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { oidcAdversary } from '../../../test/platform/oidc-adversary.ts'
import { type OidcProvider, startOidcProvider } from '../../../test/platform/oidc-provider.ts'
import { oidcSignIn } from '../../../test/platform/oidc-sign-in.ts'
import { problemOf, typeOf } from '../../../test/platform/problem.ts'
import { beginSignIn, updateProvider } from './provider.contract.ts'

let idp: OidcProvider
const on = await oidcSignIn()
const { url, settingsOf, browser, finish, connect, signIn } = on

beforeAll(async () => {
  idp = await startOidcProvider({ redirectUris: [`${url}/sign-in/one/callback`] })
})
beforeEach(() => on.reset())
afterEach(() => on.server.close())
afterAll(async () => {
  idp.close()
  await on.close()
})

async function signInAt(evil: Awaited<ReturnType<typeof oidcAdversary>>) {
  const client = browser()
  const { url: start } = await client(beginSignIn, { params: { provider: 'one' }, body: {} })
  const { searchParams } = new URL(start)
  evil.said.nonce = searchParams.get('nonce') ?? ''
  return finish(client, 'one', `code=x&state=${searchParams.get('state')}`)
}

test('[A31][A33] an ID token that is unsigned, signed otherwise, or for somebody else is refused', async () => {
  const evil = await oidcAdversary()
  await connect('one', evil.issuer)
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
  const evil = await oidcAdversary()
  await connect('one', evil.issuer)
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
  const evil = await oidcAdversary()
  await connect('one', evil.issuer)
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
  await on.admin(updateProvider, {
    params: { provider: 'one' },
    body: { title: 'One', settings: settingsOf('http://127.0.0.1:1'), secret: 'x' },
  })
  expect(await typeOf(browser()(beginSignIn, { params: { provider: 'one' }, body: {} }))).toBe('provider-unavailable')
  await on.admin(updateProvider, {
    params: { provider: 'one' },
    body: { title: 'One', settings: settingsOf(idp.issuer), secret: 'a secret of the client' },
  })
  idp.people.set('p-1', { preferred_username: 'li' })
  await signIn('one', 'p-1')
}, 30_000)
