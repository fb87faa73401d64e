import { bind, type Server } from '@quarterdeck/http'
import { type AnyEndpoint, done, isProblem, notFound, type Permission, type Subject } from '@quarterdeck/kernel'
import { type Db, type Store, transaction } from '@quarterdeck/store'
import { knownPermissions } from '../role/permission.contract.ts'
import { deviceRoutes } from './device.routes.ts'
import {
  createSession,
  deleteSession,
  getSession,
  listSessions,
  listUserSessions,
  revokeSession,
  revokeUserSession,
  type Session,
  wrongPassword,
} from './session.contract.ts'
import { isLive, LOCAL_SIGN_IN, requireWholeUser } from './session.rules.ts'
import { deleteSessionRow, findSignInAccount, listSessionRows } from './session.store.ts'
import {
  type CredentialAuthority,
  type CredentialOptions,
  type RecordAct,
  requireAccount,
  type SignInElsewhere,
  type SigningIn,
  signingIn,
} from './sign-in.routes.ts'
import { tokenRoutes } from './token.routes.ts'
import { deleteTokenRow } from './token.store.ts'

export interface SessionOptions {
  db: Db
  /** Writes to the audit trail, within the transaction of what it tells. */
  record: RecordAct
  /** Absent, in tests: the server's own, without places and holders. */
  authority?: CredentialAuthority
  /** Asks a directory for the password of a user. Absent: there is none. */
  signInElsewhere?: SignInElsewhere
  /** Throws when a provider was switched off meanwhile, in the transaction that makes the session. */
  holdProvider?: (tx: Db, provider: string) => Promise<void>
  /** Whether somebody else says who people are; a password of Quarterdeck itself is then the way in for emergencies. */
  otherProviders?: () => Promise<boolean>
  /** Address of the console, for `qd login`. */
  url?: () => string
  /** The store's; absent: failed attempts at other processes are not heard of. */
  listen?: Store['listen']
  /** Told when sessions or tokens have ended, before the answer; for who remembers them. */
  revoked?: () => void
  /** The instant, RFC 3339; for tests of what time brings. */
  now?: () => string
}

/** Signing in and out, sessions, tokens, and `qd login`. What it answers is how others sign somebody in. */
export function sessionRoutes(server: Server, options: SessionOptions): SigningIn {
  const {
    db,
    record,
    signInElsewhere,
    holdProvider = async () => undefined,
    otherProviders = async () => false,
    authority = { ...server.authority, isWithin: () => false, exceeds: () => undefined },
    url = () => server.options.publicUrl ?? '',
    revoked = () => undefined,
    now = () => new Date().toISOString(),
  } = options
  const { somewhere } = authority
  const permissions: readonly Permission[] = knownPermissions
  const signing = signingIn({ db, record, permissions, somewhere, revoked, listen: options.listen, now })

  bind(server, createSession, async (context) => {
    const { user, password, provider } = context.body
    const { peer } = context
    if (provider === undefined) {
      await signing.requirePassword(createSession, user, password, peer)
      const act = (await otherProviders()) ? { ...createSession, id: LOCAL_SIGN_IN } : createSession
      return signing.signIn(context, { user, by: 'with the password', act })
    }
    const { attempts } = signing
    attempts.take(user, peer)
    if (!signInElsewhere) throw notFound({ detail: `There is no sign-in provider ${provider}` })
    const account = await signInElsewhere(provider, user, password).catch(async (error: unknown) => {
      if (isProblem(error, wrongPassword)) await attempts.failed(db, user, peer)
      throw error
    })
    attempts.clear(user, peer)
    return signing.signIn(context, {
      user: account,
      by: `by the directory ${provider}`,
      act: createSession,
      provider,
      made: (tx) => holdProvider(tx, provider),
    })
  })
  bind(server, getSession, async ({ subject }) => signing.described(subject, await findSignInAccount(db, subject.name)))
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
  bindSessions(server, { db, now, record, revoked })
  tokenRoutes(server, { db, now, record, revoked, authority })
  deviceRoutes(server, { db, now, record, url })
  return signing
}

function bindSessions(server: Server, { db, now, record, revoked }: CredentialOptions): void {
  async function listOf(user: string, current: string | undefined): Promise<{ items: Session[] }> {
    const live = (await listSessionRows(db, user)).filter((row) => isLive(row, now()))
    const items = live.map(({ verifyTime, ...row }) => ({
      ...row,
      current: row.id === current,
      ...(verifyTime === null ? {} : { verifyTime }),
    }))
    return { items }
  }
  async function end(act: AnyEndpoint, { name }: Subject, user: string, session: string): Promise<null> {
    await transaction(db, async (tx) => {
      if (!(await deleteSessionRow(tx, user, session))) {
        throw notFound({ detail: `${name === user ? 'You have' : `${user} has`} no such session; it may have ended` })
      }
      await record(tx, done(act, name, name === user ? `session ${session}` : `session ${session} of ${user}`))
    })
    revoked()
    return null
  }
  bind(server, listSessions, ({ subject }) => {
    requireWholeUser(subject)
    return listOf(subject.name, subject.credentialId)
  })
  bind(server, revokeSession, ({ subject, params }) => {
    requireWholeUser(subject)
    return end(revokeSession, subject, subject.name, params.session)
  })
  bind(server, listUserSessions, async ({ subject, params }) => {
    await requireAccount(db, params.user)
    return listOf(params.user, subject.credentialId)
  })
  bind(server, revokeUserSession, ({ subject, params }) => end(revokeUserSession, subject, params.user, params.session))
}
