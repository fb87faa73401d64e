import { randomInt } from 'node:crypto'
import { bind, createRateLimit, hashSecret, newSecret, type Server } from '@quarterdeck/http'
import { done, nameFrom, permissionMissing, type Subject, tooManyRequests } from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import {
  answerDeviceLogin,
  deviceCodeUnknown,
  deviceLoginRefused,
  findDeviceLogin,
  finishDeviceLogin,
  startDeviceLogin,
} from './device.contract.ts'
import {
  answer,
  createDeviceLogin,
  type DeviceLoginRow,
  findByCode,
  findBySecret,
  useDeviceLogin,
} from './device.store.ts'
import { findSignInAccount } from './session.store.ts'
import type { CredentialOptions } from './sign-in.routes.ts'
import { TOKEN_PREFIX } from './token.rules.ts'
import { createTokenRow } from './token.store.ts'

interface DeviceOptions extends Pick<CredentialOptions, 'db' | 'record' | 'now'> {
  /** Address of the console. */
  url(): string
}

// RFC 8628 §6.1: consonants alone, so that no words come out; 20^8 codes are 34 bits.
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ'
const VALID_MS = 10 * 60_000
const DAY_MS = 24 * 3_600_000
const INTERVAL_SECONDS = 2

const newCode = () => Array.from({ length: 8 }, () => LETTERS[randomInt(LETTERS.length)]).join('')

/** Who answers is a person in front of a page of ours: a token would let a stolen one make others. */
function requireBrowser({ kind }: Subject): void {
  if (kind === 'user') return
  throw permissionMissing({ permission: 'self', detail: 'Open the page in a browser and sign in there' })
}

/** `qd login` without a password: a code is shown there and confirmed in a browser. RFC 8628 in our own words. */
export function deviceRoutes(server: Server, { db, record, url, now }: DeviceOptions): void {
  // A begun login is a row for ten minutes; a guess at a code has one chance in 10^10 for each that waits.
  const begun = createRateLimit({ burst: 10, perSecond: 1 / 10 })
  const guesses = createRateLimit({ burst: 10, perSecond: 1 / 6 })
  const polls = createRateLimit({ burst: 30, perSecond: 2 })
  function take(limit: typeof begun, key: string): void {
    const retryAfterSeconds = limit.take(key)
    if (retryAfterSeconds === 0) return
    throw tooManyRequests({ detail: `Too many attempts; try again in ${retryAfterSeconds} s`, retryAfterSeconds })
  }

  bind(server, startDeviceLogin, async ({ body: { machine, days }, peer, client }) => {
    take(begun, peer)
    const [createTime, secret] = [now(), newSecret()]
    const expireTime = new Date(Date.parse(createTime) + VALID_MS).toISOString()
    const row = { client: `${machine}, ${client}`, peer, days, createTime, expireTime, secretHash: hashSecret(secret) }
    for (;;) {
      const code = newCode()
      if (!(await transaction(db, (tx) => createDeviceLogin(tx, { ...row, codeHash: hashSecret(code) })))) continue
      return {
        secret,
        code: `${code.slice(0, 4)}-${code.slice(4)}`,
        url: `${url().replace(/\/+$/, '')}/device`,
        expireTime,
        intervalSeconds: INTERVAL_SECONDS,
      }
    }
  })
  bind(server, findDeviceLogin, async ({ subject, body, peer }) => {
    requireBrowser(subject)
    take(guesses, `${subject.id ?? subject.name}|${peer}`)
    const found = await findByCode(db, hashSecret(body.code), now())
    if (!found) throw unknownCode()
    const { client, days, createTime, expireTime } = found
    return { client, peer: found.peer, here: found.peer === peer, days, createTime, expireTime }
  })
  bind(server, answerDeviceLogin, async ({ subject, body: { code, confirm }, peer }) => {
    requireBrowser(subject)
    take(guesses, `${subject.id ?? subject.name}|${peer}`)
    await transaction(db, async (tx) => {
      const answered = await answer(tx, hashSecret(code), confirm ? subject.name : null, now())
      if (!answered) throw unknownCode()
      const detail = `${confirm ? 'Confirmed' : 'Refused'}: ${answered.client}, from ${answered.peer}`
      await record(tx, done(answerDeviceLogin, subject.name, `user ${subject.name}`, detail))
    })
    return null
  })
  bind(server, finishDeviceLogin, async ({ body, peer }) => {
    take(polls, peer)
    const found = await findBySecret(db, hashSecret(body.secret), now())
    if (!found) throw tooOld()
    if (found.denied) throw deviceLoginRefused({ detail: 'Somebody has refused it in the browser' })
    if (found.userName === null) return { state: 'waiting' as const }
    return { state: 'confirmed' as const, ...(await tokenOf(found, found.userName)) }
  })

  /** Makes the token that was confirmed. Throws deviceLoginRefused when it has been fetched or the user is gone. */
  async function tokenOf({ id, client, days }: DeviceLoginRow, userName: string) {
    const createTime = now()
    const expireTime = new Date(Date.parse(createTime) + days * DAY_MS).toISOString()
    const machine = client.slice(0, client.lastIndexOf(', ')).slice(0, 40)
    const name = nameFrom(`qd-${machine}-${Date.parse(createTime).toString(36)}`) ?? 'qd'
    const secret = newSecret(TOKEN_PREFIX)
    await transaction(db, async (tx: Db) => {
      if (!(await useDeviceLogin(tx, id)) || !(await findSignInAccount(tx, userName))) throw tooOld()
      const limits = { permissions: ['*'], within: null, sources: [], createTime, expireTime }
      await createTokenRow(tx, { secretHash: hashSecret(secret), userName, name, ...limits })
      await record(tx, done(finishDeviceLogin, userName, `token ${name}`, `For ${client}; until ${expireTime}`))
    })
    return { user: userName, token: name, secret, expireTime }
  }
}

const unknownCode = () =>
  deviceCodeUnknown({ detail: 'It has been answered, is older than ten minutes, or is mistyped; run qd login again' })
const tooOld = () => deviceLoginRefused({ detail: 'It is older than ten minutes or has been used; run qd login again' })
