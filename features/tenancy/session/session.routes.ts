import {
  bind,
  type Context,
  createRateLimit,
  hashPassword,
  hashSecret,
  newSecret,
  type Server,
  verifyPassword,
} from '@quarterdeck/http'
import { type AnyEndpoint, notFound, type Subject, tooManyRequests } from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import { acceptPassword, type RecordAct, useFirstLink } from './administrator.routes.ts'
import {
  changePassword,
  createAdministrator,
  createSession,
  deleteSession,
  getSession,
  listSessions,
  revokeSession,
  type SignIn,
  wrongPassword,
} from './session.contract.ts'
import { ABSOLUTE_SECONDS, ADMINISTRATOR, done, expireTimeFrom, isLive, requireWholeUser } from './session.rules.ts'
import {
  createSessionRow,
  deleteEndedSessions,
  deleteSessionRow,
  deleteSessions,
  findPasswordHash,
  listSessionRows,
  setPasswordHash,
} from './session.store.ts'
import { tokenRoutes } from './token.routes.ts'
import { deleteTokenRow, deleteTokens } from './token.store.ts'

export interface SessionOptions {
  db: Db
  /** Writes to the audit trail, within the transaction of what it tells. */
  record: RecordAct
  /** Told when sessions or tokens have ended, before the answer; for who remembers them. */
  revoked?: () => void
  /** The instant, RFC 3339; for tests of what time brings. */
  now?: () => string
}

/** Attempts to sign in: five at once for a user from one address, then one every 12 s. Others are not held up. */
function signInLimits() {
  const ofUser = createRateLimit({ burst: 5, perSecond: 1 / 12 })
  const ofPeer = createRateLimit({ burst: 30, perSecond: 1 / 2 })
  return {
    take(user: string, peer: string) {
      const retryAfterSeconds = Math.max(ofUser.take(`${user}|${peer}`), ofPeer.take(peer))
      if (retryAfterSeconds === 0) return
      throw tooManyRequests({
        detail: `Too many attempts to sign in from your address; try again in ${retryAfterSeconds} s`,
        retryAfterSeconds,
      })
    },
    clear: (user: string, peer: string) => ofUser.clear(`${user}|${peer}`),
  }
}

/** Signing in and out, own sessions, tokens and password, and the first administrator. */
export function sessionRoutes(server: Server, options: SessionOptions): void {
  const { db, record, revoked = () => undefined, now = () => new Date().toISOString() } = options
  const limits = signInLimits()

  /** Makes a session and gives the browser its cookie. `act` is recorded with it. */
  async function signIn(
    user: string,
    act: AnyEndpoint,
    context: Context<AnyEndpoint>,
    within: <T>(fn: (tx: Db) => Promise<T>) => Promise<T> = (fn) => transaction(db, fn),
  ): Promise<SignIn> {
    const at = now()
    const secret = newSecret()
    const row = {
      secretHash: hashSecret(secret),
      userName: user,
      createTime: at,
      lastUseTime: at,
      expireTime: expireTimeFrom(at),
      peer: context.peer,
      client: context.client,
    }
    const { expireTime } = await within(async (tx) => {
      await deleteEndedSessions(tx, at)
      const made = await createSessionRow(tx, row)
      await record(tx, done(act, user, `user ${user}`, `From ${context.peer}`))
      return made
    })
    context.setSessionCookie(secret, ABSOLUTE_SECONDS)
    return { user, kind: 'user', permissions: ['*'], expireTime }
  }

  async function requirePassword(
    { id: act }: AnyEndpoint,
    user: string,
    password: string,
    peer: string,
  ): Promise<void> {
    limits.take(user, peer)
    const hash = await findPasswordHash(db, user)
    if (!(await verifyPassword(hash, password))) {
      // What stands for an unknown user may be a password in the wrong field.
      const actor = hash === undefined ? 'unknown' : user
      await record(db, { actor, act, what: `user ${actor}`, outcome: 'failed', detail: `Wrong password, from ${peer}` })
      throw wrongPassword({ detail: 'User name or password is wrong' })
    }
    limits.clear(user, peer)
  }

  bind(server, createSession, async (context) => {
    const { user, password } = context.body
    await requirePassword(createSession, user, password, context.peer)
    return signIn(user, createSession, context)
  })
  bind(server, createAdministrator, async (context) => {
    limits.take(ADMINISTRATOR, context.peer)
    return signIn(ADMINISTRATOR, createAdministrator, context, (then) => useFirstLink(db, context.body, now(), then))
  })
  bind(server, getSession, ({ subject }) => describe(subject))
  bind(server, deleteSession, async ({ subject, setSessionCookie }) => {
    const { name, kind, credentialId = '' } = subject
    await transaction(db, async (tx) => {
      if (kind === 'token') await deleteTokenRow(tx, name, credentialId)
      else await deleteSessionRow(tx, name, credentialId)
      await record(tx, done(deleteSession, name, `${kind === 'token' ? 'token' : 'session'} ${credentialId}`))
    })
    revoked()
    setSessionCookie('', 0)
    return null
  })
  bind(server, changePassword, async ({ subject, body, peer }) => {
    requireWholeUser(subject)
    const { name, kind, credentialId } = subject
    await requirePassword(changePassword, name, body.currentPassword, peer)
    acceptPassword(body.newPassword, name, '/body/newPassword')
    const passwordHash = await hashPassword(body.newPassword)
    await transaction(db, async (tx) => {
      await setPasswordHash(tx, name, passwordHash, now())
      await deleteSessions(tx, name, kind === 'user' ? credentialId : undefined)
      if (!body.keepTokens) await deleteTokens(tx, name, kind === 'token' ? credentialId : undefined)
      const kept = body.keepTokens ? 'tokens stay' : 'tokens revoked'
      await record(tx, done(changePassword, name, `user ${name}`, `From ${peer}; other sessions ended, ${kept}`))
    })
    revoked()
    return null
  })
  bindSessions(server, { db, now, record, revoked })
  tokenRoutes(server, { db, now, record, revoked })
}

function bindSessions(server: Server, { db, now, record, revoked }: Required<SessionOptions>): void {
  bind(server, listSessions, async ({ subject }) => {
    requireWholeUser(subject)
    const live = (await listSessionRows(db, subject.name)).filter((row) => isLive(row, now()))
    return { items: live.map((row) => ({ ...row, current: row.id === subject.credentialId })) }
  })
  bind(server, revokeSession, async ({ subject, params }) => {
    requireWholeUser(subject)
    await transaction(db, async (tx) => {
      if (!(await deleteSessionRow(tx, subject.name, params.session))) {
        throw notFound({ detail: 'You have no such session; it may have ended' })
      }
      await record(tx, done(revokeSession, subject.name, `session ${params.session}`))
    })
    revoked()
    return null
  })
}

const describe = ({ name, kind, permissions, expireTime }: Subject): SignIn => ({
  user: name,
  kind,
  permissions,
  ...(expireTime ? { expireTime } : {}),
})
