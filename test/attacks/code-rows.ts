import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { resetOneTimePassword } from '../../features/tenancy/onetime/onetime.contract.ts'
import { person } from '../platform/people.ts'
import type { Row } from './row.ts'
import { type Answer, refused, type Target } from './target.ts'

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** RFC 6238 by itself, so that the platform's own way is not what judges it. `steps` from now. */
function codeOf(secret: string, steps = 0): string {
  const bits = [...secret].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps))
  const digest = createHmac('sha1', key).update(counter).digest()
  const offset = (digest.at(-1) ?? 0) & 15
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

async function sessionOf(target: Target, user: string): Promise<string> {
  const body = { user, password: `the harbour of ${user} at dawn` }
  const headers = { origin: target.server.url }
  const answer = await target.send('POST', '/api/v1/session', { headers, body })
  assert.equal(answer.status, 201, answer.text)
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
}

async function stolenCodes(target: Target): Promise<string> {
  const { admin, server } = target
  const token = (await person(admin, 'otto', [{ role: 'developer', environment: 'dev' }])).token
  await person(admin, 'eve')
  const as = (cookie: string) => ({ cookie, origin: server.url })
  const post = (path: string, body: object, headers: Record<string, string>) =>
    target.send('POST', `/api/v1${path}`, { headers, body })
  const enrol = async (cookie: string) => {
    const begun = (await post('/one-time-password', {}, as(cookie))).body as { secret: string; uri: string }
    const code = codeOf(begun.secret)
    const confirmed = await post('/one-time-password/confirmation', { code }, as(cookie))
    assert.equal(confirmed.status, 200, confirmed.text)
    return { ...begun, code, recoveryCodes: confirmed.body.recoveryCodes as string[] }
  }
  const withToken = { authorization: `Bearer ${token}` }
  refused(await post('/one-time-password', {}, withToken), 'enrolling without signing in afresh', 403)
  const mine = await sessionOf(target, 'otto')
  const otto = await enrol(mine)
  const eve = await enrol(await sessionOf(target, 'eve'))

  const stolen = await sessionOf(target, 'otto')
  const get = (path: string) => target.send('GET', `/api/v1${path}`, { headers: { cookie: stolen } })
  for (const path of ['/tokens', '/sessions', '/environments', '/environments/dev/applications', '/objects/pods']) {
    const answer = await get(path)
    assert.equal(answer.body.type, '/problems/code-required', `${path} without a code: ${answer.status}`)
  }
  refused(await post('/tokens', { name: 'mine' }, as(stolen)), 'a token without a code', 403)
  refused(await post('/one-time-password', {}, as(stolen)), 'enrolling in place of the owner', 409)
  for (const answer of [await get('/session/verification'), await get('/session')]) {
    assert.equal(answer.status, 200)
    assert.ok(!answer.text.includes(otto.secret), 'the secret is told again')
  }

  const give = (code: string) => post('/session/verification', { code }, as(stolen))
  refused(await give(otto.code), 'a code that was used', 403)
  refused(await give(codeOf(otto.secret, 5)), 'a code five steps ahead', 403)
  refused(await give(codeOf(otto.secret, -5)), 'a code five steps behind', 403)
  refused(await give(codeOf(eve.secret, 1)), 'a code of somebody else', 403)
  refused(await give(eve.recoveryCodes[0] ?? ''), 'a recovery code of somebody else', 403)
  const guesses: Answer[] = await Promise.all(
    Array.from({ length: 300 }, (_, guess) => give(String(guess * 3_331).padStart(6, '0'))),
  )
  assert.ok(guesses.every(({ status }) => status === 429 || status === 403))
  const looked = guesses.filter(({ status }) => status === 403).length
  assert.ok(looked <= 1, `${looked} of 300 guesses were looked at`)
  refused(await give(codeOf(otto.secret, 1)), 'the right code after too many wrong ones', 429)

  await admin(resetOneTimePassword, { params: { user: 'otto' } })
  const again = await enrol(await sessionOf(target, 'otto'))
  const [recovery = ''] = again.recoveryCodes
  const lost = await sessionOf(target, 'otto')
  const all = await Promise.all(
    Array.from({ length: 5 }, () => post('/session/verification', { code: recovery }, as(lost))),
  )
  assert.equal(all.filter(({ status }) => status === 200).length, 1, 'a recovery code counts more than once')
  return `${looked} of 300 guesses looked at; used, early, late and foreign codes refused`
}

export const codeRows: Row[] = [
  { id: 'A39', what: 'a code counts once, for its owner, in its minute; guessing ends after five', run: stolenCodes },
]
