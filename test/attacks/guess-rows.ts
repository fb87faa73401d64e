import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createUser, updateUser } from '../../features/tenancy/user/user.contract.ts'
import { person } from '../platform/people.ts'
import { PASSWORD } from '../platform/platform.ts'
import { anotherPeer } from './peer.ts'
import type { Row } from './row.ts'
import type { Target } from './target.ts'

const AT_ONCE = 20
const passwordOf = (user: string) => `the harbour of ${user} at dawn`

/** One attempt from somewhere. */
async function attempt(
  { server: { url } }: Target,
  from: typeof fetch,
  body: { user: string; password: string },
  headers: Record<string, string> = {},
): Promise<{ status: number; said: Record<string, unknown>; ms: number }> {
  const began = performance.now()
  const answer = await from(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { origin: url, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  const { instance: _, ...said } = (await answer.json()) as Record<string, unknown>
  return { status: answer.status, said, ms: performance.now() - began }
}

/** How often each status was answered. */
async function many(times: number, ask: (at: number) => Promise<{ status: number }>): Promise<Record<number, number>> {
  const counts: Record<number, number> = {}
  let next = 0
  const take = async () => {
    while (next < times) {
      const { status } = await ask(next++)
      counts[status] = (counts[status] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, take))
  return counts
}

/** Resident memory of the target in megabytes. */
const memoryOf = ({ server }: Target): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid()}/status`, 'utf8'))?.[1]) / 1024

const TIMES = 10_000

async function stuffing(target: Target): Promise<string> {
  await person(target.admin, 'a44-victim')
  const known = { user: 'a44-victim', password: passwordOf('a44-victim') }
  const [warmer, guesser, stuffer] = [anotherPeer(), anotherPeer(), anotherPeer()]
  // What a process takes for its first thousands of requests it takes once.
  await many(TIMES / 2, (at) => attempt(target, warmer, { user: `a44-warm-${at}`, password: 'password1' }))
  const before = memoryOf(target)
  const began = performance.now()
  const looked = (counts: Record<number, number>) => (counts[401] ?? 0) + (counts[201] ?? 0)
  const forwarded = (at: number) => ({
    'x-forwarded-for': `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`,
    'x-real-ip': '10.1.1.1',
    forwarded: 'for=10.2.2.2',
  })
  const guesses = await many(TIMES, (at) =>
    attempt(target, guesser, { user: 'a44-victim', password: `guess ${at}` }, forwarded(at)),
  )
  // Five at once and one every twelve seconds; whoever owns the account is not locked out by it.
  let seconds = (performance.now() - began) / 1_000
  assert.ok(looked(guesses) <= 6 + seconds / 12, `${looked(guesses)} guesses at one user were looked at`)
  assert.equal((await attempt(target, anotherPeer(), known)).status, 201, 'the owner is locked out')
  const users = await many(TIMES, (at) =>
    attempt(target, stuffer, { user: `a44-user-${at}`, password: 'password1' }, forwarded(at)),
  )
  seconds = (performance.now() - began) / 1_000
  assert.ok(looked(users) <= 31 + seconds / 2, `${looked(users)} guesses at many users were looked at`)
  const guessed = await many(200, (at) => attempt(target, guesser, { user: 'admin', password: `guess ${at}` }))
  assert.ok(looked(guessed) <= 31, 'guesses at the administrator')
  const administrator = await attempt(target, anotherPeer(), { user: 'admin', password: PASSWORD })
  assert.equal(administrator.status, 201, 'the administrator is locked out')
  const owner = await attempt(target, anotherPeer(), known)
  assert.equal(owner.status, 201, 'others are locked out')
  assert.deepEqual([...new Set([...Object.keys(guesses), ...Object.keys(users)])].toSorted(), ['401', '429'])
  const grown = memoryOf(target) - before
  // Rubbish that has not been collected yet counts in; a leak of a kilobyte an attempt would be 20 MB more each round.
  assert.ok(grown < 128, `it grew by ${Math.round(grown)} MB`)
  return `${looked(guesses)} and ${looked(users)} of ${TIMES} each looked at; the owner's sign-in took ${Math.round(owner.ms)} ms`
}

async function enumerated(target: Target): Promise<string> {
  const { admin } = target
  await person(admin, 'a45-known')
  await person(admin, 'a45-disabled')
  await admin(updateUser, { params: { user: 'a45-disabled' }, body: { disabled: true } })
  await admin(createUser, { body: { name: 'a45-invited' } })
  await admin(createUser, { body: { name: 'a45-machine', kind: 'machine' } })
  const kinds = ['a45-known', 'a45-nobody', 'a45-disabled', 'a45-invited', 'a45-machine', 'admin']
  const told = new Set<string>()
  const taken = new Map(kinds.map((user) => [user, [] as number[]]))
  for (let round = 0; round < 15; round++) {
    for (const user of kinds) {
      const { status, said, ms } = await attempt(target, anotherPeer(), { user, password: 'not this one' })
      told.add(`${status} ${JSON.stringify(said).replaceAll(user, 'X')}`)
      taken.get(user)?.push(ms)
    }
  }
  // The right password of somebody disabled is told no otherwise than a wrong one.
  const right = await attempt(target, anotherPeer(), { user: 'a45-disabled', password: passwordOf('a45-disabled') })
  told.add(`${right.status} ${JSON.stringify(right.said)}`)
  assert.equal(told.size, 1, [...told].join('\n'))
  const median = (user: string) => (taken.get(user) ?? []).toSorted((a, b) => a - b)[7] ?? 0
  const known = median('a45-known')
  for (const user of kinds) {
    const ratio = median(user) / known
    assert.ok(ratio > 0.6 && ratio < 1.7, `${user} takes ${ratio.toFixed(2)} times as long`)
  }
  const links = await Promise.all(
    ['x', 'A'.repeat(43), `${'A'.repeat(42)}B`].map((token) =>
      target.send('POST', '/api/v1/password-link/find', { headers: { origin: target.server.url }, body: { token } }),
    ),
  )
  assert.equal(new Set(links.map(({ status, body }) => `${status} ${body.type} ${body.detail}`)).size, 1)
  return `${kinds.length} kinds of accounts, medians within ${Math.max(...kinds.map((user) => Math.abs(median(user) - known))).toFixed(1)} ms of ${known.toFixed(0)} ms`
}

export const guessRows: Row[] = [
  {
    id: 'A44',
    what: 'ten thousand guesses at one account and at ten thousand: few are looked at, whatever X-Forwarded-For says, and nobody else is locked out',
    run: stuffing,
  },
  {
    id: 'A45',
    what: 'whoever is known, unknown, disabled, invited or a machine is refused in the same words and the same time',
    run: enumerated,
  },
]
