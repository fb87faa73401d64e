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
import type { Db } from '@quarterdeck/store'
import { acceptPassword, useFirstLink } from './administrator.routes.ts'
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
import { ABSOLUTE_SECONDS, ADMINISTRATOR, expireTimeFrom, isLive, requireWholeUser } from './session.rules.ts'
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
import { deleteTokenRow } from './token.store.ts'

export interface SessionOptions {
  db: Db
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
export function sessionRoutes(server: Server, { db, now = () => new Date().toISOString() }: SessionOptions): void {
  const limits = signInLimits()

  async function signIn(user: string, context: Context<AnyEndpoint>): Promise<SignIn> {
    const at = now()
    await deleteEndedSessions(db, at)
    const secret = newSecret()
    const { expireTime } = await createSessionRow(db, {
      secretHash: hashSecret(secret),
      userName: user,
      createTime: at,
      lastUseTime: at,
      expireTime: expireTimeFrom(at),
      peer: context.peer,
      client: context.client,
    })
    context.setSessionCookie(secret, ABSOLUTE_SECONDS)
    return { user, kind: 'user', permissions: ['*'], expireTime }
  }

  async function requirePassword(user: string, password: string, peer: string): Promise<void> {
    limits.take(user, peer)
    if (!(await verifyPassword(await findPasswordHash(db, user), password))) {
      throw wrongPassword({ detail: 'User name or password is wrong' })
    }
    limits.clear(user, peer)
  }

  bind(server, createSession, async (context) => {
    const { user, password } = context.body
    await requirePassword(user, password, context.peer)
    return signIn(user, context)
  })
  bind(server, createAdministrator, async (context) => {
    limits.take(ADMINISTRATOR, context.peer)
    await useFirstLink(db, context.body, now())
    return signIn(ADMINISTRATOR, context)
  })
  bind(server, getSession, ({ subject }) => describe(subject))
  bind(server, deleteSession, async ({ subject, setSessionCookie }) => {
    const { name, kind, credentialId = '' } = subject
    if (kind === 'token') await deleteTokenRow(db, name, credentialId)
    else await deleteSessionRow(db, name, credentialId)
    setSessionCookie('', 0)
    return null
  })
  bind(server, changePassword, async ({ subject, body, peer }) => {
    requireWholeUser(subject)
    await requirePassword(subject.name, body.currentPassword, peer)
    acceptPassword(body.newPassword, subject.name, '/body/newPassword')
    await setPasswordHash(db, subject.name, await hashPassword(body.newPassword), now())
    await deleteSessions(db, subject.name, subject.kind === 'user' ? subject.credentialId : undefined)
    return null
  })
  bindSessions(server, db, now)
  tokenRoutes(server, { db, now })
}

function bindSessions(server: Server, db: Db, now: () => string): void {
  bind(server, listSessions, async ({ subject }) => {
    requireWholeUser(subject)
    const live = (await listSessionRows(db, subject.name)).filter((row) => isLive(row, now()))
    return { items: live.map((row) => ({ ...row, current: row.id === subject.credentialId })) }
  })
  bind(server, revokeSession, async ({ subject, params }) => {
    requireWholeUser(subject)
    if (await deleteSessionRow(db, subject.name, params.session)) return null
    throw notFound({ detail: 'You have no such session; it may have ended' })
  })
}

const describe = ({ name, kind, permissions, expireTime }: Subject): SignIn => ({
  user: name,
  kind,
  permissions,
  ...(expireTime ? { expireTime } : {}),
})
