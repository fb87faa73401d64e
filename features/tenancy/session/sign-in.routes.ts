import { type Context, hashSecret, newSecret, verifyPassword } from '@quarterdeck/http'
import {
  type AnyEndpoint,
  type AuditEntry,
  type Authority,
  done,
  notFound,
  type Permission,
  type Scope,
  type Subject,
} from '@quarterdeck/kernel'
import { type Db, type Store, transaction } from '@quarterdeck/store'
import { countAttempts } from './attempt.routes.ts'
import { type SignIn, wrongPassword } from './session.contract.ts'
import { ABSOLUTE_SECONDS, expireTimeFrom, requireWholeUser } from './session.rules.ts'
import {
  accountExists,
  createSessionRow,
  deleteEndedSessions,
  deleteSessionRow,
  deleteSurplusSessions,
  findSignInAccount,
  type SignInAccount,
} from './session.store.ts'
import { endCredentials } from './token.store.ts'

/** Writes to the audit trail, within the transaction of what it tells. */
export type RecordAct = (tx: Db, entry: AuditEntry) => Promise<unknown>

/** What belongs to sessions and tokens alike. */
export interface CredentialOptions {
  db: Db
  now(): string
  record: RecordAct
  revoked(): void
}

/** What of the authority credentials take. */
export interface CredentialAuthority extends Pick<Authority, 'may' | 'somewhere'> {
  /** Whether a place is another one or lies within it; false for one that is not there. */
  isWithin(scope: Scope, outer: Scope): boolean
  /** Something that the account with this id has been granted and the subject may not do there, in words. */
  exceeds(subject: Subject, holder: string): string | undefined
}

/** Throws notFound when there is no such account. */
export async function requireAccount(db: Db, user: string): Promise<void> {
  if (!(await accountExists(db, user))) throw notFound({ detail: `There is no user ${user}` })
}

/** How somebody proved who they are. */
export interface Proof {
  /** Name of the account. */
  user: string
  /** For the audit trail: `with the password`, `by the provider keycloak`. */
  by: string
  /** What is recorded. */
  act: AnyEndpoint
  /** The sign-in provider that said so; the session ends with it. */
  provider?: string
  /** Told of the session, in the transaction that makes it. */
  made?: (tx: Db, session: string) => Promise<void>
  /** Runs what signs in in a transaction of one's own; for what has to happen with it or not at all. */
  within?: <T>(fn: (tx: Db) => Promise<T>) => Promise<T>
}

/** Asks a sign-in provider for the password of a user; the name of the account. Throws wrongPassword. */
export type SignInElsewhere = (provider: string, user: string, password: string) => Promise<string>

export interface SignInOptions {
  db: Db
  record: RecordAct
  /** Every permission there is; `describe` says which of them somebody has. */
  permissions: readonly Permission[]
  /** Whether a subject has a permission at one place at least. */
  somewhere(subject: Subject, permission: Permission): boolean
  revoked(): void
  /** The store's: for counting failed attempts together with other processes. */
  listen?: Store['listen'] | undefined
  now(): string
}

const refused = () => wrongPassword({ detail: 'User name or password is wrong' })

/** Everything that signing in takes, whichever way somebody proves who they are. */
export function signingIn({ db, record, permissions, somewhere, revoked, listen, now }: SignInOptions) {
  const attempts = countAttempts(listen)

  const described = (subject: Subject, account: SignInAccount | undefined): SignIn => ({
    user: subject.name,
    kind: subject.kind,
    source: account?.source ?? 'local',
    groups: account?.groups ?? [],
    permissions: permissions.filter((permission) => somewhere(subject, permission)),
    ...(subject.id === undefined ? {} : { id: subject.id }),
    ...(account?.title ? { title: account.title } : {}),
    ...(subject.expireTime ? { expireTime: subject.expireTime } : {}),
  })

  /**
   * Makes a session and gives the browser its cookie; the session that the browser had before ends. Throws wrongPassword
   * when there is no such user, they are disabled, or it is a machine account.
   */
  async function signIn(context: Context<AnyEndpoint>, { user, by, act, within, ...proof }: Proof): Promise<SignIn> {
    const at = now()
    const secret = newSecret()
    const { peer, client, subject: before } = context
    const row = { secretHash: hashSecret(secret), userName: user, createTime: at, lastUseTime: at, peer, client }
    const provider = proof.provider ?? null
    const { account, made } = await (within ?? ((fn) => transaction(db, fn)))(async (tx) => {
      const account = await findSignInAccount(tx, user)
      if (account?.kind !== 'user') throw refused()
      await deleteEndedSessions(tx, at)
      if (before.kind === 'user' && before.credentialId) await deleteSessionRow(tx, before.name, before.credentialId)
      await deleteSurplusSessions(tx, user)
      const made = await createSessionRow(tx, { ...row, provider, expireTime: expireTimeFrom(at) })
      await proof.made?.(tx, made.id)
      await record(tx, done(act, user, `user ${user}`, `Signed in ${by}`))
      return { account, made }
    })
    revoked()
    context.setSessionCookie(secret, ABSOLUTE_SECONDS)
    const { id, expireTime } = made
    return described(
      { id: account.id, name: user, kind: 'user', permissions: ['*'], credentialId: id, expireTime },
      account,
    )
  }

  async function noteFailure({ id: act }: AnyEndpoint, actor: string, detail: string): Promise<void> {
    await record(db, { actor, act, what: `user ${actor}`, outcome: 'failed', detail })
  }

  /** Throws wrongPassword, in the same time whoever it is, or tooManyRequests after too many attempts. */
  async function requirePassword(act: AnyEndpoint, user: string, password: string, peer: string): Promise<void> {
    attempts.take(user, peer)
    const account = await findSignInAccount(db, user)
    if (!(await verifyPassword(account?.passwordHash ?? undefined, password))) {
      // What stands for an unknown user may be a password in the wrong field.
      await Promise.all([
        noteFailure(act, account ? user : 'unknown', 'Wrong password'),
        attempts.failed(db, user, peer),
      ])
      throw refused()
    }
    attempts.clear(user, peer)
  }

  return {
    described,
    signIn,
    requirePassword,
    noteFailure,
    attempts,
    takeAttempt: attempts.take,
    requireWholeUser,
    endCredentials,
    revoked,
  }
}
export type SigningIn = ReturnType<typeof signingIn>
