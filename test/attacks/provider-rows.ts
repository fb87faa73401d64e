import assert from 'node:assert/strict'
import type { Client } from '@quarterdeck/client'
import { createGrant } from '../../features/tenancy/grant/grant.contract.ts'
import { createGroup } from '../../features/tenancy/group/group.contract.ts'
import { getSession } from '../../features/tenancy/session/session.contract.ts'
import { listUsers } from '../../features/tenancy/user/user.contract.ts'
import { through } from '../platform/oidc-provider.ts'
import { person } from '../platform/people.ts'
import { begin, browserOf, finish, identityProvider, signInAs, startOf } from './identity-provider.ts'
import type { Row } from './row.ts'
import { problemOf, type Target } from './target.ts'

const usersOf = async (admin: Client, source: string): Promise<string[]> =>
  (await admin(listUsers, { query: { source, limit: 200 } })).items.map(({ name }) => name)

// What a provider may call somebody, and groups that it may have them in.
const NAMES: unknown[] = [
  undefined,
  '',
  ' ',
  null,
  7,
  true,
  [],
  ['a03-li'],
  { name: 'a03-li' },
  'x'.repeat(64),
  'x'.repeat(10_000),
  'a\nb',
  'a\u0000b',
  'l\u0456',
  'system:admin',
  'system:serviceaccount:quarterdeck-system:impersonator',
  'quarterdeck:user:admin',
  'operator',
  '../admin',
  '%61dmin',
]
const GROUPS: unknown[] = [
  undefined,
  null,
  '',
  7,
  { 'system:masters': true },
  [[], [['system:masters']], {}, null, 3],
  ['x'.repeat(10_000)],
  ['a\nsystem:masters', 'b\u0000'],
  Array.from({ length: 10_000 }, (_, at) => `many-${at % 3}`),
  ['system:masters', 'system:authenticated', 'administrators'],
  'system:masters',
]

/** Claims that say nobody, somebody else, or too much. */
async function oddClaims(target: Target): Promise<string> {
  const provider = await identityProvider(target, 'a03')
  try {
    for (const preferred_username of NAMES) {
      provider.people.set('p', { preferred_username })
      const client = browserOf(target)
      const said = JSON.stringify(preferred_username)?.slice(0, 40)
      const ended = await problemOf(begin(client, 'a03', 'p').then((query) => finish(client, 'a03', query)))
      assert.equal(ended, 'sign-in-refused', `named ${said}`)
      assert.equal(await problemOf(client(getSession)), 'sign-in-required', `a session for ${said}`)
    }
    assert.deepEqual(await usersOf(target.admin, 'a03'), [])
    for (const groups of GROUPS) {
      provider.people.set('p', { preferred_username: 'a03-li', groups })
      const { client } = await signInAs(target, 'a03', 'p')
      const session = await client(getSession)
      const said = JSON.stringify(groups)?.slice(0, 40)
      assert.deepEqual(session.permissions, [], `groups ${said} give rights`)
      for (const group of session.groups) {
        assert.match(group, /^[a-z0-9][a-z0-9-]{0,62}$/, `groups ${said}`)
      }
    }
  } finally {
    await provider.close()
  }
  return `${NAMES.length} names, ${GROUPS.length} lists of groups`
}

/** A code, a state or an answer of one provider at another. */
async function mixedUp(target: Target): Promise<string> {
  const one = await identityProvider(target, 'a34-one')
  const two = await identityProvider(target, 'a34-two')
  try {
    for (const { people } of [one, two]) people.set('p', { preferred_username: 'a34-li' })
    const refusal = (client: Client, provider: string, query: string | URLSearchParams) =>
      problemOf(finish(client, provider, String(query)))
    const client = browserOf(target)
    const query = await begin(client, one.name, 'p')
    assert.equal(await refusal(client, two.name, query), 'sign-in-unknown', 'a state of one at two')
    const changed = async (change: (query: URLSearchParams) => void) => {
      const asked = new URLSearchParams(await begin(client, one.name, 'p'))
      change(asked)
      return refusal(client, one.name, asked)
    }
    const other = new URLSearchParams(await begin(browserOf(target), two.name, 'p'))
    const ways: [string, (query: URLSearchParams) => void][] = [
      ['the issuer of two', (asked) => asked.set('iss', two.issuer)],
      ['an issuer of nobody', (asked) => asked.set('iss', 'https://evil.example')],
      ['no issuer', (asked) => asked.delete('iss')],
      ['two issuers', (asked) => asked.append('iss', two.issuer)],
      ['a code of two', (asked) => asked.set('code', other.get('code') ?? '')],
      [
        'code and issuer of two',
        (asked) => {
          asked.set('code', other.get('code') ?? '')
          asked.set('iss', two.issuer)
        },
      ],
    ]
    for (const [what, change] of ways) assert.equal(await changed(change), 'sign-in-refused', what)
    assert.deepEqual([...(await usersOf(target.admin, one.name)), ...(await usersOf(target.admin, two.name))], [])
    return `${ways.length + 1} ways`
  } finally {
    await one.close()
    await two.close()
  }
}

/** What came back from a provider, used again, elsewhere, or without what binds it to this sign-in. */
async function injected(target: Target): Promise<string> {
  const provider = await identityProvider(target, 'a35')
  const { name } = provider
  try {
    provider.people.set('p', { preferred_username: 'a35-li' }).set('eve', { preferred_username: 'a35-eve' })
    const client = browserOf(target)
    const ended = (query: string, by = client) => problemOf(finish(by, name, query))
    const query = await begin(client, name, 'p')
    assert.equal(await ended(query, browserOf(target)), 'sign-in-unknown', 'in a browser that did not begin')
    for (const [what, spoiled] of [
      ['two states', `${query}&state=x`],
      ['no state', query.replace(/state=[^&]+&?/, '')],
      ['a guessed state', query.replace(/state=[^&]+/, `state=${'A'.repeat(43)}`)],
    ] as const) {
      assert.equal(await ended(spoiled), 'sign-in-unknown', what)
    }
    assert.equal(await ended(query), undefined, 'what was left alone counts')
    assert.equal(await ended(query), 'sign-in-unknown', 'a second time')
    // Somebody else's code in the victim's sign-in, and somebody else's whole answer in the victim's browser.
    const [mine, hers] = [await begin(client, name, 'p'), await begin(browserOf(target), name, 'eve')]
    const code = (from: string) => new URLSearchParams(from).get('code') ?? ''
    assert.equal(await ended(hers), 'sign-in-unknown', 'signed in as somebody else unawares')
    assert.equal(await ended(mine.replace(code(mine), code(hers))), 'sign-in-refused', 'a code injected')
    const changes: [string, (start: URL) => void][] = [
      ['another nonce', (start) => start.searchParams.set('nonce', 'chosen')],
      ['no nonce', (start) => start.searchParams.delete('nonce')],
      ['another challenge', (start) => start.searchParams.set('code_challenge', 'A'.repeat(43))],
      ['a plain challenge', (start) => start.searchParams.set('code_challenge_method', 'plain')],
      [
        'no challenge',
        (start) => {
          start.searchParams.delete('code_challenge')
          start.searchParams.delete('code_challenge_method')
        },
      ],
    ]
    for (const [what, change] of changes) {
      const start = new URL(await startOf(client, name))
      change(start)
      assert.equal(await ended(await through(start.href, 'p')), 'sign-in-refused', what)
    }
    assert.deepEqual(await usersOf(target.admin, name), ['a35-li'])
    return `${changes.length + 7} ways`
  } finally {
    await provider.close()
  }
}

const EVIL = [
  '//evil.example',
  '///evil.example',
  '\\\\evil.example',
  '/\\evil.example',
  'https:evil.example',
  'https://evil.example',
  'javascript:alert(1)',
  'data:text/html,x',
  '/\t/evil.example',
  '/%0d%0aLocation:https://evil.example'.replace('%0d%0a', '\r\n'),
  'user@evil.example',
  '@evil.example',
  ' //evil.example',
  '',
]

async function sentElsewhere(target: Target): Promise<string> {
  const provider = await identityProvider(target, 'a36')
  try {
    provider.people.set('p', { preferred_username: 'a36-li' })
    for (const next of EVIL) {
      const { signedIn } = await signInAs(target, provider.name, 'p', next)
      assert.equal(signedIn.next, '/', JSON.stringify(next))
    }
    const { signedIn } = await signInAs(target, provider.name, 'p', '/explore/pods?filter=a%2Fb')
    assert.equal(signedIn.next, '/explore/pods?filter=a%2Fb')
    for (const next of EVIL) {
      const { status, headers } = await target.send('GET', `/sign-in?next=${encodeURIComponent(next)}`)
      assert.equal(headers.get('location'), null, `${status} sends on`)
    }
    return `${EVIL.length} addresses`
  } finally {
    await provider.close()
  }
}

/** Everything that could make somebody of a provider the person that somebody else is. */
async function linked(target: Target): Promise<string> {
  const { admin } = target
  await person(admin, 'a37-victim', [{ role: 'project-owner', environment: 'dev' }])
  const one = await identityProvider(target, 'a37-one')
  const two = await identityProvider(target, 'a37-two')
  const email = { email: 'a37-victim@example.com', email_verified: false }
  try {
    const as = async (provider: typeof one, sub: string, claims: Record<string, unknown>) => {
      provider.people.set(sub, { ...email, ...claims })
      const { client, signedIn } = await signInAs(target, provider.name, sub)
      assert.deepEqual((await client(getSession)).permissions, [], `${signedIn.user} has rights`)
      return signedIn.user
    }
    const names = [
      await as(one, 's-1', { preferred_username: 'a37-victim' }),
      await as(one, 's-2', { preferred_username: 'A37-Victim' }),
      await as(two, 's-1', { preferred_username: 'a37-victim' }),
      await as(two, 'a37-victim', { preferred_username: 'a37-victim', sub: 's-1' }),
    ]
    assert.equal(new Set([...names, 'a37-victim']).size, 5, names.join())
    assert.equal(await as(one, 's-1', { preferred_username: 'admin', email: 'admin@example.com' }), names[0], 'one sub')
    for (const preferred_username of ['a37-v\u0456ctim', '\uff4137-victim', 'a37\u2010victim', 'a37-victim\u200b']) {
      one.people.set('twin', { preferred_username })
      assert.equal(await problemOf(signInAs(target, one.name, 'twin')), 'sign-in-refused', preferred_username)
    }
    // A group of a provider is not the group of that name that somebody has granted something.
    await admin(createGroup, { body: { name: 'a37-owners' } })
    await admin(createGrant, { query: {}, body: { role: 'project-owner', group: 'a37-owners', environment: 'dev' } })
    assert.equal(await as(one, 's-1', { groups: ['a37-owners'], preferred_username: 'a37-victim' }), names[0])
    return `${names.length} people of one name`
  } finally {
    await one.close()
    await two.close()
  }
}

/** What binds a sign-in to its browser cannot be guessed, and does not come twice. */
async function unguessable(target: Target): Promise<string> {
  const provider = await identityProvider(target, 'a32')
  const TIMES = 100
  try {
    const seen = new Set<string>()
    for (let at = 0; at < TIMES; at++) {
      const { searchParams } = new URL(await startOf(browserOf(target), provider.name))
      assert.equal(searchParams.get('code_challenge_method'), 'S256')
      for (const name of ['state', 'nonce', 'code_challenge']) {
        const value = searchParams.get(name) ?? ''
        assert.match(value, /^[\w-]{43}$/, name)
        seen.add(value)
      }
    }
    assert.equal(seen.size, TIMES * 3)
    return `${seen.size} values`
  } finally {
    await provider.close()
  }
}

export const providerRows: Row[] = [
  { id: 'A03', what: 'whoever a provider calls nobody, somebody else or too much gets in as nobody', run: oddClaims },
  { id: 'A32', what: 'states, nonces and challenges of sign-ins are 256 bits and never the same', run: unguessable },
  { id: 'A34', what: 'code, state and issuer of one provider are worth nothing at another', run: mixedUp },
  {
    id: 'A35',
    what: 'a code counts once, with its state, nonce and challenge, in the browser that began',
    run: injected,
  },
  { id: 'A36', what: 'after signing in one is sent to a path of the console and nowhere else', run: sentElsewhere },
  { id: 'A37', what: 'an account is found by issuer and sub alone, not by name, address or likeness', run: linked },
]
