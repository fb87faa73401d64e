import assert from 'node:assert/strict'
import { createClient } from '@quarterdeck/client'
import { getSession } from '../../features/tenancy/session/session.contract.ts'
import { listUsers } from '../../features/tenancy/user/user.contract.ts'
import { type Claims, type ForgingProvider, forgingProvider, keyPair, token } from './forging-provider.ts'
import { anotherPeer } from './peer.ts'
import type { Row } from './row.ts'
import { problemOf, type Target } from './target.ts'

type Forgery = (claims: Claims) => string
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Tokens that somebody else has signed, or nobody, and headers that name a key of their own. */
function forgeries({ key, issuer, signed }: ForgingProvider): Record<string, Forgery> {
  const other = keyPair()
  const stranger = (header: Claims) => (claims: Claims) => token(header, claims, other.privateKey)
  const symmetric = (kid: string) => (claims: Claims) => token({ kid }, claims, JSON.stringify(key))
  return {
    'no algorithm': (claims) => `${base64({ alg: 'none' })}.${base64(claims)}.`,
    'no algorithm in capitals': (claims) => `${base64({ alg: 'NONE', kid: 'k1' })}.${base64(claims)}.`,
    'no signature': (claims) => signed(claims).replace(/[^.]*$/, ''),
    'HS256 with the public key': symmetric('k1'),
    'HS256 with an empty key file': symmetric('../../../../dev/null'),
    'another key': stranger({ kid: 'k1' }),
    'a kid that is a path': stranger({ kid: '../../../etc/passwd' }),
    'a kid that is SQL': stranger({ kid: "' union select 'x" }),
    'a kid that is an address': stranger({ kid: `${issuer}/kid` }),
    jku: stranger({ kid: 'k2', jku: `${issuer}/jku` }),
    x5u: stranger({ kid: 'k2', x5u: `${issuer}/x5u` }),
    'a key in the header': stranger({ jwk: other.publicKey.export({ format: 'jwk' }) }),
    'a critical header that nobody knows': (claims) => signed(claims, { crit: ['evil'], evil: true }),
    nested: (claims) => signed({ ...claims, token: signed(claims) }, { cty: 'JWT', kid: 'k9' }),
    'altered afterwards': (claims) => {
      const [head = '', , signature = ''] = signed(claims).split('.')
      return [head, base64({ ...claims, sub: 'admin', preferred_username: 'admin' }), signature].join('.')
    },
    'two tokens': (claims) => `${signed(claims)}.${base64(claims)}`,
  }
}

/** Tokens in order that are for somebody else, of somebody else, or of another time. */
function misdirected({ signed }: ForgingProvider): Record<string, Forgery> {
  const seconds = Math.floor(Date.now() / 1_000)
  const saying =
    (change: Claims, without: string[] = []) =>
    (claims: Claims) =>
      signed(Object.fromEntries(Object.entries({ ...claims, ...change }).filter(([name]) => !without.includes(name))))
  return {
    'another audience': saying({ aud: 'another' }),
    'no audience': saying({}, ['aud']),
    'an audience that begins alike': saying({ aud: ['quarterdeck2'] }),
    'another azp': saying({ aud: ['quarterdeck', 'another'], azp: 'another' }),
    'another issuer': saying({ iss: 'https://another.example' }),
    'no issuer': saying({}, ['iss']),
    expired: saying({ iat: seconds - 7_200, exp: seconds - 3_600 }),
    'without an end': saying({}, ['exp']),
    'of the future': saying({ nbf: seconds + 3_600 }),
    'an access token of the API server': saying({ aud: 'https://kubernetes.default.svc', nonce: undefined }),
    'another nonce': saying({ nonce: 'x' }),
    'no nonce': saying({}, ['nonce']),
    'no sub': saying({}, ['sub']),
    'an empty sub': saying({ sub: '' }),
  }
}

async function refuse(target: Target, provider: ForgingProvider, forged: Record<string, Forgery>): Promise<void> {
  for (const [how, forge] of Object.entries(forged)) {
    assert.equal(await problemOf(provider.signIn(forge)), 'sign-in-refused', how)
  }
  assert.deepEqual(provider.strange, [], 'a token has the platform ask an address')
  const { items } = await target.admin(listUsers, { query: { source: provider.name, limit: 200 } })
  assert.deepEqual(items, [])
}

/** As a bearer: the platform takes tokens that it made itself and no others. */
async function asBearer(target: Target, token: string, what: string): Promise<void> {
  const client = createClient({ baseUrl: target.server.url, token, fetch: anotherPeer() })
  assert.equal(await problemOf(client(getSession)), 'sign-in-required', what)
}

export const audienceRows: Row[] = [
  {
    id: 'A31',
    what: 'a token that is unsigned, signed by another or names its own key is refused, and its addresses not asked',
    async run(target) {
      const provider = await forgingProvider(target, 'a31')
      try {
        const forged = forgeries(provider)
        await refuse(target, provider, forged)
        const claims = { sub: 'admin', user: 'admin', iss: target.server.url, aud: 'quarterdeck', exp: 9_999_999_999 }
        for (const [how, forge] of Object.entries(forged)) await asBearer(target, forge(claims), how)
        return `${Object.keys(forged).length} forgeries, as ID token and as bearer`
      } finally {
        await provider.close()
      }
    },
  },
  {
    id: 'A33',
    what: 'a token for another audience, of another issuer or of another time is refused; one in order is let in',
    async run(target) {
      const provider = await forgingProvider(target, 'a33')
      try {
        const forged = misdirected(provider)
        await refuse(target, provider, forged)
        let honest = ''
        const user = await provider.signIn((claims) => {
          honest = provider.signed(claims)
          return honest
        })
        assert.equal(user.user, 'a33-forged')
        await asBearer(target, honest, 'an ID token as an access token')
        await asBearer(target, 'x', 'an access token of the provider')
        return `${Object.keys(forged).length + 2} tokens`
      } finally {
        await provider.close()
      }
    },
  },
]
