import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { watchObjects } from '../../features/cluster/object/object.contract.ts'
import { listAudit } from '../../features/tenancy/audit/audit.contract.ts'
import {
  answerDeviceLogin,
  findDeviceLogin,
  finishDeviceLogin,
  startDeviceLogin,
} from '../../features/tenancy/session/device.contract.ts'
import { createToken, deleteToken } from '../../features/tenancy/session/token.contract.ts'
import { updateUser } from '../../features/tenancy/user/user.contract.ts'
import { person } from '../platform/people.ts'
import type { Row } from './row.ts'
import { refused, type Target } from './target.ts'

const DEV = { environment: 'dev' }
const bearer = (token: string | undefined) => ({ authorization: `Bearer ${token}` })
const statusWith = async (target: Target, token: string | undefined, path = '/session') =>
  (await target.send('GET', `/api/v1${path}`, { headers: bearer(token) })).status

/** Milliseconds until a token that counts is refused, asked for without a pause, after `end`. */
async function refusedAfter(target: Target, token: string | undefined, end: () => Promise<unknown>): Promise<number> {
  assert.equal(await statusWith(target, token), 200)
  await end()
  const began = performance.now()
  while ((await statusWith(target, token)) !== 401) assert.ok(performance.now() - began < 5_000, 'it counts on')
  return Math.round(performance.now() - began)
}

/** Posts to an endpoint as a browser does. */
const post = (target: Target, path: string, body: object, headers: Record<string, string>) =>
  target.send('POST', `/api/v1${path}`, { headers: { origin: target.server.url, ...headers }, body })

async function limitedTokens(target: Target): Promise<string> {
  const { admin } = target
  const away = await admin(createToken, { body: { name: 'away', sources: ['192.0.2.0/24'] } })
  assert.equal(await statusWith(target, away.secret), 401, 'a token from elsewhere')
  for (const header of ['x-forwarded-for', 'x-real-ip', 'forwarded', 'cf-connecting-ip']) {
    const headers = { ...bearer(away.secret), [header]: header === 'forwarded' ? 'for=192.0.2.7' : '192.0.2.7' }
    refused(await target.send('GET', '/api/v1/session', { headers }), `a token from elsewhere with ${header}`, 401)
  }
  const { items } = await admin(listAudit, { query: { act: 'token.use', limit: 10 } })
  assert.match(items[0]?.detail ?? '', /192\.0\.2\.0\/24/, 'no line in the audit trail')

  const within = await admin(createToken, { body: { name: 'within', within: DEV } })
  assert.equal(await statusWith(target, within.secret, '/environments/dev'), 200)
  for (const path of ['/clusters', '/users/admin/sessions', '/sessions', '/tokens']) {
    assert.equal(await statusWith(target, within.secret, path), 403, `${path} by a token of an environment`)
  }
  for (const limits of [{ within: { tenant: 'default' } }, { within: { project: 'default' } }]) {
    const body = { name: 'wider', ...limits }
    const answer = await target.send('POST', '/api/v1/tokens', { headers: bearer(within.secret), body })
    refused(answer, 'a token of a wider place', 403, 404)
  }
  const revoked = await refusedAfter(target, within.secret, () =>
    admin(deleteToken, { params: { token: within.name } }),
  )
  const ward = await person(admin, 'ward', [{ role: 'developer', ...DEV }])
  const disabled = await refusedAfter(target, ward.token, () =>
    admin(updateUser, { params: { user: 'ward' }, body: { disabled: true } }),
  )
  assert.ok(Math.max(revoked, disabled) <= 1_000, `revoked after ${revoked} ms, owner disabled after ${disabled} ms`)
  await admin(deleteToken, { params: { token: away.name } })
  return `refused ${revoked} ms after revoking, ${disabled} ms after disabling`
}

async function phishedLogin(target: Target): Promise<string> {
  const body = { machine: 'phisher' }
  const begun = (await post(target, startDeviceLogin.path, body, {})).body as { code: string; secret: string }
  const cookie = await target.cookie()
  const found = await post(target, findDeviceLogin.path, { code: begun.code }, { cookie })
  assert.deepEqual([found.body.peer, found.body.here], ['127.0.0.1', true], found.text)
  assert.match(String(found.body.client), /^phisher, /)
  const confirm = { code: begun.code, confirm: true }
  const foreign = { cookie, origin: 'https://evil.example' }
  refused(await post(target, answerDeviceLogin.path, confirm, foreign), 'a yes from another site', 403)
  refused(await post(target, answerDeviceLogin.path, confirm, bearer(target.admin.token)), 'a yes by a token', 403)
  refused(await post(target, answerDeviceLogin.path, confirm, {}), 'a yes of nobody', 401)
  const waiting = await post(target, finishDeviceLogin.path, { secret: begun.secret }, {})
  assert.equal(waiting.body.state, 'waiting')
  assert.equal((await post(target, answerDeviceLogin.path, confirm, { cookie })).status, 200)
  refused(await post(target, answerDeviceLogin.path, confirm, { cookie }), 'a code used again', 404)
  const all = await Promise.all(
    Array.from({ length: 5 }, () => post(target, finishDeviceLogin.path, { secret: begun.secret }, {})),
  )
  assert.equal(all.filter(({ status }) => status === 200).length, 1, 'the token was given more than once')
  const guesses = []
  for (let guess = 0; guess < 15; guess++) {
    guesses.push((await post(target, findDeviceLogin.path, { code: 'BCDFGHJK' }, { cookie })).status)
  }
  assert.ok(guesses.includes(429), 'codes are guessed at without end')
  assert.ok(!guesses.includes(200))
  return 'shown, confirmed once, guessed at in vain'
}

async function disabledWhileOpen(target: Target): Promise<string> {
  const { admin } = target
  const client = await person(admin, 'mallory', [{ role: 'developer', ...DEV }])
  const socket = new WebSocket(client.socketUrl(watchObjects, {}), { headers: bearer(client.token) })
  await new Promise((resolve) => socket.once('open', resolve))
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const set = (disabled: boolean) => admin(updateUser, { params: { user: 'mallory' }, body: { disabled } })
  const began = performance.now()
  await set(true)
  await Promise.race([closed, sleep(6_000).then(() => Promise.reject(new Error('what was open stays open')))])
  const seconds = (performance.now() - began) / 1_000
  assert.ok(seconds <= 5, `closed after ${seconds} s`)
  assert.equal(await statusWith(target, client.token), 401)
  const body = { user: 'mallory', password: 'the harbour of mallory at dawn' }
  const right = await post(target, '/session', body, {})
  const unknown = await post(target, '/session', { ...body, user: 'nobody' }, {})
  assert.deepEqual({ ...right.body, instance: '' }, { ...unknown.body, instance: '' })
  await set(false)
  assert.equal((await post(target, '/session', body, {})).status, 201)
  return `closed after ${seconds.toFixed(1)} s`
}

export const credentialRows: Row[] = [
  {
    id: 'A41',
    what: 'a token counts only where, from where and as long as it may, and at most a second longer',
    run: limitedTokens,
  },
  { id: 'A42', what: 'a login by code shows what asks from where, and is confirmed once', run: phishedLogin },
  { id: 'A46', what: 'whoever is disabled loses what is open, and is not told why', run: disabledWhileOpen },
]
