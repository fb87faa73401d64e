import { randomBytes } from 'node:crypto'
import { bind, type Context, hashSecret, type Server } from '@quarterdeck/http'
import {
  type AnyEndpoint,
  type AuditEntry,
  done,
  invalidInput,
  permissionMissing,
  type Subject,
  tooManyRequests,
} from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import { Secret, TOTP } from 'otpauth'
import { knownPermissions } from '../role/permission.contract.ts'
import { reachesFurther } from '../user/user.contract.ts'
import {
  alreadyEnrolled,
  confirmOneTimePassword,
  enrolOneTimePassword,
  getVerification,
  listOneTimeRules,
  notEnrolled,
  removeOneTimePassword,
  renewRecoveryCodes,
  resetOneTimePassword,
  setOneTimeRules,
  signInNotFresh,
  type Verification,
  verifySession,
  wrongCode,
} from './onetime.contract.ts'
import { FRESH_SECONDS, grouped, RECOVERY_CODES, STEP_SECONDS, unknownNames } from './onetime.rules.ts'
import {
  beginEnrolment,
  confirmEnrolment,
  deleteOneTimePassword,
  findAccountId,
  findEnrolment,
  readFacts,
  replaceRecoveryCodes,
  replaceRules,
  type Taken,
  takeCode,
} from './onetime.store.ts'
import type { Codes } from './step-up.routes.ts'

export interface OneTimeOptions {
  db: Db
  /** Seals secrets; packages/kube's key file is one. */
  sealer: { seal(text: string, owner: string): string; open(sealed: string, owner: string): string }
  codes: Pick<Codes, 'refresh' | 'stepUp'>
  /** Writes to the audit trail, within the transaction of what it tells. */
  record(tx: Db, entry: AuditEntry): Promise<unknown>
  /** Keeps with the session or token of the subject that a code was given. */
  verifyCredential(tx: Db, subject: Subject, time: string): Promise<void>
  /** When the session of the subject began; undefined for a token. */
  signInTimeOf(subject: Subject): Promise<string | undefined>
  /** Throws when it is not the password of the one who asks; counts attempts. */
  checkPassword(context: Context<AnyEndpoint>, password: string): Promise<void>
  /** Something that the account with this id may do and the subject may not, in words. */
  exceeds(subject: Subject, holder: string): string | undefined
  /** Called before the answer when a sign-in counts for more or less than before. */
  changed?: () => void
  /** The instant, RFC 3339; for tests of what time brings. */
  now?: () => string
}

/** Owner of the sealed text: one account's secret cannot be moved to another. */
const ownerOf = (account: string) => `one-time-password/${account}`

/** Throws permissionMissing for a limited token: a part must not reach the whole through the second factor. */
function accountOf({ id, permissions, within }: Subject): string {
  if (id !== undefined && permissions.includes('*') && within === undefined) return id
  throw permissionMissing({
    permission: '*',
    detail: 'A limited token cannot manage a one-time password; sign in for that',
  })
}

/** 80 random bits in Base32, as people can read them out. */
const newRecoveryCode = () => new Secret({ buffer: new Uint8Array(randomBytes(10)).buffer }).base32

function newRecoveryCodes() {
  const codes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode)
  return { recoveryCodes: codes.map(grouped), hashes: codes.map((code) => hashSecret(code)) }
}

function stepOf(secret: string, code: string, now: string): number | undefined {
  const timestamp = Date.parse(now)
  const delta = TOTP.validate({ token: code, secret: Secret.fromBase32(secret), timestamp, window: 1 })
  return delta === null ? undefined : TOTP.counter({ period: STEP_SECONDS, timestamp }) + delta
}

const isRecoveryCode = (code: string) => code.length === 16

/** One's own one-time password, the reset by others, and the rules. */
export function oneTimeRoutes(server: Server, options: OneTimeOptions): void {
  const { db, sealer, codes, record, changed = () => undefined } = options
  const now = options.now ?? (() => new Date().toISOString())

  /** Uses the code up and does `then` with it; throws when it was not right. */
  async function withCode(
    { id: act }: AnyEndpoint,
    { subject, body }: Pick<Context<typeof verifySession>, 'subject' | 'body'>,
    then: (tx: Db, account: string, at: string) => Promise<void>,
    { confirmed = true, whole = true }: { confirmed?: boolean; whole?: boolean } = {},
  ): Promise<void> {
    const account = whole ? accountOf(subject) : (subject.id ?? '')
    const at = now()
    const entry = { actor: subject.name, act, what: `one-time password of ${subject.name}` }
    const taken = await takeCode(
      db,
      {
        account,
        now: at,
        confirmed,
        stepOf: (sealed) => stepOf(sealer.open(sealed, ownerOf(account)), body.code, at),
        recoveryHash: isRecoveryCode(body.code) ? hashSecret(body.code) : undefined,
      },
      async (tx) => {
        const detail = isRecoveryCode(body.code) ? 'With a recovery code' : ''
        await record(tx, { ...entry, outcome: 'succeeded', detail })
        await then(tx, account, at)
      },
    )
    if (taken === 'wrong') {
      await record(db, { ...entry, outcome: 'failed', detail: 'Wrong code' })
    }
    refuse(taken)
  }

  /** Nobody's open sign-in goes on as it was remembered. */
  async function afterChange(): Promise<void> {
    changed()
    await codes.refresh()
  }

  async function verificationOf(subject: Subject): Promise<Verification> {
    const found = subject.id === undefined ? undefined : await findEnrolment(db, subject.id)
    const { verifyTime } = subject
    const needed = found !== undefined && subject.kind === 'user' && verifyTime === undefined
    if (!found) return { enrolled: false, recoveryCodesLeft: 0, needed, ...(verifyTime ? { verifyTime } : {}) }
    const { enrolTime, left } = found
    return { enrolled: true, enrolTime, recoveryCodesLeft: left, needed, ...(verifyTime ? { verifyTime } : {}) }
  }

  bind(server, getVerification, ({ subject }) => verificationOf(subject))
  bind(server, verifySession, async (context) => {
    const { subject } = context
    let verifyTime = ''
    const verify = async (tx: Db, _: string, at: string) => {
      verifyTime = at
      await options.verifyCredential(tx, subject, at)
    }
    await withCode(verifySession, context, verify, { whole: false })
    changed()
    return verificationOf({ ...subject, verifyTime })
  })
  bind(server, enrolOneTimePassword, async (context) => {
    const { subject, body } = context
    const account = accountOf(subject)
    await requireFresh(context, body.password)
    const secret = new Secret({ size: 20 })
    const uri = new TOTP({ issuer: 'Quarterdeck', label: subject.name, secret }).toString()
    await transaction(db, async (tx) => {
      if (!(await beginEnrolment(tx, account, sealer.seal(secret.base32, ownerOf(account)), now()))) {
        throw alreadyEnrolled({ detail: 'Remove the one-time password that you have first; that takes a code of it' })
      }
      await record(tx, done(enrolOneTimePassword, subject.name, `one-time password of ${subject.name}`))
    })
    return { secret: secret.base32, uri }
  })
  bind(server, confirmOneTimePassword, async (context) => {
    const { recoveryCodes, hashes } = newRecoveryCodes()
    const confirm = async (tx: Db, account: string, at: string) => {
      await confirmEnrolment(tx, account, at)
      await replaceRecoveryCodes(tx, account, hashes)
      await options.verifyCredential(tx, context.subject, at)
    }
    await withCode(confirmOneTimePassword, context, confirm, { confirmed: false })
    await afterChange()
    return { recoveryCodes }
  })
  bind(server, renewRecoveryCodes, async (context) => {
    const { recoveryCodes, hashes } = newRecoveryCodes()
    await withCode(renewRecoveryCodes, context, (tx, account) => replaceRecoveryCodes(tx, account, hashes))
    return { recoveryCodes }
  })
  bind(server, removeOneTimePassword, async (context) => {
    await withCode(removeOneTimePassword, context, async (tx, account) => {
      await deleteOneTimePassword(tx, account)
    })
    await afterChange()
    return null
  })
  bindAdministration(server, { db, record, exceeds: options.exceeds, afterChange })

  async function requireFresh(context: Context<typeof enrolOneTimePassword>, password: string | undefined) {
    if (password !== undefined) return options.checkPassword(context as unknown as Context<AnyEndpoint>, password)
    const since = await options.signInTimeOf(context.subject)
    const age = since === undefined ? Number.POSITIVE_INFINITY : Date.parse(now()) - Date.parse(since)
    if (age < FRESH_SECONDS * 1_000) return
    const detail = 'You signed in more than five minutes ago: give your password, or sign in again'
    throw signInNotFresh({ detail, errors: [{ pointer: '/body/password', detail: 'Give your password' }] })
  }
}

function refuse(taken: Taken): void {
  if (taken === 'absent') throw notEnrolled({ detail: 'You have no one-time password; enrol first' })
  if (taken === 'wrong') {
    const detail = 'The code is wrong, was used already, or is of another minute. Wait for the next one and give that.'
    throw wrongCode({ detail, errors: [{ pointer: '/body/code', detail }] })
  }
  if (typeof taken === 'object') {
    const { wait } = taken
    throw tooManyRequests({ detail: `Too many wrong codes; try again in ${wait} s`, retryAfterSeconds: wait })
  }
}

function bindAdministration(
  server: Server,
  {
    db,
    record,
    exceeds,
    afterChange,
  }: Pick<OneTimeOptions, 'db' | 'record' | 'exceeds'> & { afterChange(): Promise<void> },
): void {
  bind(server, resetOneTimePassword, async ({ subject, params: { user } }) => {
    await transaction(db, async (tx) => {
      const account = await findAccountId(tx, user)
      const more = account === undefined || account === subject.id ? undefined : exceeds(subject, account)
      if (more !== undefined)
        throw reachesFurther({ detail: `${user} may ${more}, and you may not; ask somebody who may` })
      if (account === undefined || !(await deleteOneTimePassword(tx, account))) {
        throw notEnrolled({ detail: `${user} has no one-time password; there is nothing to reset` })
      }
      const what = `one-time password of ${user}`
      await record(tx, done(resetOneTimePassword, subject.name, what))
    })
    await afterChange()
    return null
  })
  bind(server, listOneTimeRules, async () => ({ rules: [...(await readFacts(db)).rules] }))
  bind(server, setOneTimeRules, async ({ subject, body: { rules } }) => {
    const errors = unknownNames(rules, { roles: (await readFacts(db)).roles, permissions: knownPermissions })
    if (errors[0]) throw invalidInput({ detail: errors[0].detail, errors })
    await transaction(db, async (tx) => {
      await replaceRules(tx, rules)
      const detail = JSON.stringify(rules)
      const what = 'rules for one-time passwords'
      await record(tx, done(setOneTimeRules, subject.name, what, detail))
    })
    await afterChange()
    return { rules }
  })
}
