import { bind, type Context, hashPassword, hashSecret, type Server } from '@quarterdeck/http'
import { type AnyEndpoint, done } from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import type { SignIn } from '../session/session.contract.ts'
import {
  acceptPassword,
  type EndCredentials,
  type GrantAdministrator,
  type RecordAct,
  useFirstLink,
} from './administrator.routes.ts'
import {
  changePassword,
  choosePassword,
  createAdministrator,
  findPasswordLink,
  passwordLinkUnknown,
} from './password.contract.ts'
import { ADMINISTRATOR } from './user.rules.ts'
import { findPasswordLinkRow, setPasswordHash, usePasswordLink } from './user.store.ts'

/** What signing in takes; features/tenancy/session has it. */
export interface SignIns {
  /** Makes the session, its cookie and its line in the audit trail; `within` does so in a transaction of its own kind. */
  signIn(
    context: Context<AnyEndpoint>,
    proof: {
      user: string
      /** How they proved who they are: `with the password`. */
      by: string
      act: AnyEndpoint
      within?: <T>(fn: (tx: Db) => Promise<T>) => Promise<T>
    },
  ): Promise<SignIn>
  /** Throws wrongPassword, or tooManyRequests after too many attempts. */
  requirePassword(act: AnyEndpoint, user: string, password: string, peer: string): Promise<void>
  /** Counts an attempt to sign in as somebody from an address. Throws tooManyRequests. */
  takeAttempt(user: string, peer: string): void
  /** Throws permissionMissing for a token that does not carry everything. */
  requireWholeUser(subject: Context<AnyEndpoint>['subject']): void
  endCredentials: EndCredentials
  /** Told when credentials have ended, before the answer. */
  revoked(): void
}

export interface PasswordOptions {
  db: Db
  record: RecordAct
  signIns: SignIns
  grantAdministrator: GrantAdministrator
  /** Makes a grant count that has just been given. */
  granted?: () => Promise<void>
  /** The instant, RFC 3339; for tests of what time brings. */
  now?: () => string
}

/** The first administrator, the own password, and links with which one chooses a password. */
export function passwordRoutes(server: Server, options: PasswordOptions): void {
  const { db, record, signIns, grantAdministrator, granted, now = () => new Date().toISOString() } = options
  bind(server, createAdministrator, (context) => {
    signIns.takeAttempt(ADMINISTRATOR, context.peer)
    const within = async <T>(then: (tx: Db) => Promise<T>) => {
      const signedIn = await useFirstLink({ db, grantAdministrator, now: now() }, context.body, then)
      await granted?.()
      return signedIn
    }
    return signIns.signIn(context, {
      user: ADMINISTRATOR,
      by: 'with the one-time link of the first start',
      act: createAdministrator,
      within,
    })
  })
  bind(server, changePassword, async ({ subject, body, peer }) => {
    signIns.requireWholeUser(subject)
    const { name, kind, credentialId } = subject
    await signIns.requirePassword(changePassword, name, body.currentPassword, peer)
    acceptPassword(body.newPassword, name, '/body/newPassword')
    const passwordHash = await hashPassword(body.newPassword)
    await transaction(db, async (tx) => {
      await setPasswordHash(tx, name, passwordHash, now())
      const own = kind === 'user' ? { session: credentialId } : { token: credentialId }
      await signIns.endCredentials(tx, name, { ...own, tokens: body.keepTokens })
      const kept = body.keepTokens ? 'tokens stay' : 'tokens revoked'
      await record(tx, done(changePassword, name, `user ${name}`, `From ${peer}; other sessions ended, ${kept}`))
    })
    signIns.revoked()
    return null
  })
  bindPasswordLink(server, { db, signIns, now })
}

function bindPasswordLink(
  server: Server,
  { db, signIns, now }: Pick<PasswordOptions, 'db' | 'signIns'> & { now: () => string },
): void {
  // Limited by address alone: whose link it is nobody learns before they have it.
  async function linkOf(token: string, peer: string) {
    signIns.takeAttempt('', peer)
    const link = await findPasswordLinkRow(db, hashSecret(token), now())
    if (link) return link
    throw unknownLink()
  }
  bind(server, findPasswordLink, async ({ body, peer }) => {
    const { name: user, title, expireTime } = await linkOf(body.token, peer)
    return { user, expireTime, ...(title === null ? {} : { title }) }
  })
  bind(server, choosePassword, async (context) => {
    const { token, password } = context.body
    const { name: user } = await linkOf(token, context.peer)
    acceptPassword(password, user, '/body/password')
    const passwordHash = await hashPassword(password)
    const within = <T>(then: (tx: Db) => Promise<T>) =>
      transaction(db, async (tx) => {
        if (!(await usePasswordLink(tx, hashSecret(token), now()))) throw unknownLink()
        await setPasswordHash(tx, user, passwordHash, now())
        await signIns.endCredentials(tx, user)
        return then(tx)
      })
    const by = 'with a link, and chose a new password; older sessions ended, tokens revoked'
    const signedIn = await signIns.signIn(context, { user, by, act: choosePassword, within })
    signIns.revoked()
    return signedIn
  })
}

const unknownLink = () =>
  passwordLinkUnknown({
    detail: 'It has been used, is older than three days, or a newer one has taken its place; ask for a new link',
  })
