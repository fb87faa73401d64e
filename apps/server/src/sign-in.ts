import type { Server } from '@quarterdeck/http'
import type { Reconciler } from '@quarterdeck/reconcile'
import {
  confirmOneTimePassword,
  enrolOneTimePassword,
  getVerification,
  verifySession,
} from '../../../features/tenancy/onetime/onetime.contract.ts'
import { oneTimeRoutes } from '../../../features/tenancy/onetime/onetime.routes.ts'
import { askingAgain } from '../../../features/tenancy/provider/ask-again.routes.ts'
import { backChannelRoutes } from '../../../features/tenancy/provider/back-channel.routes.ts'
import { openOidcClients } from '../../../features/tenancy/provider/oidc-client.routes.ts'
import { getSignOut } from '../../../features/tenancy/provider/provider.contract.ts'
import { providerReconciler } from '../../../features/tenancy/provider/provider.reconciler.ts'
import { providerRoutes } from '../../../features/tenancy/provider/provider.routes.ts'
import { registrationsOf } from '../../../features/tenancy/provider/registration.routes.ts'
import { signInRoutes } from '../../../features/tenancy/provider/sign-in.routes.ts'
import { directorySync } from '../../../features/tenancy/provider/sync.routes.ts'
import {
  createSession,
  deleteSession,
  getSession,
  wrongPassword,
} from '../../../features/tenancy/session/session.contract.ts'
import { sessionRoutes } from '../../../features/tenancy/session/session.routes.ts'
import {
  countProviderSessions,
  endProviderSessions,
  endSessions,
} from '../../../features/tenancy/session/session.store.ts'
import type { SigningIn } from '../../../features/tenancy/session/sign-in.routes.ts'
import { signInTimeOf, verifyCredential } from '../../../features/tenancy/session/verify.routes.ts'
import { type Parts, recordAct as record } from './parts.ts'

/** What whoever has to give a code may do before: give it, get one, and sign out. */
export const BEFORE_A_CODE = [
  getSession,
  deleteSession,
  getSignOut,
  getVerification,
  verifySession,
  enrolOneTimePassword,
  confirmOneTimePassword,
]

/** Binds the ways to sign in: passwords, sign-in providers, one-time passwords. */
export function bindSignIn(server: Server, parts: Parts): { signIns: SigningIn; provider: Reconciler } {
  const { db, keyFile, authority, codes, url } = parts
  const revoked = parts.signIns.forget
  const signIns = sessionRoutes(server, {
    db,
    record,
    authority,
    url,
    listen: parts.store.listen,
    revoked,
    async signInElsewhere(provider, user, password) {
      const account = await others.bySource(provider, user, password)
      if (account !== undefined) return account
      await signIns.noteFailure(createSession, 'unknown', `Wrong password for ${provider}`)
      throw wrongPassword({ detail: 'User name or password is wrong' })
    },
    holdProvider: (tx, provider) => others.hold(tx, provider),
    otherProviders: () => others.anyEnabled(),
  })
  const changed = async () => {
    revoked()
    await Promise.all([authority.refresh(), codes.refresh()])
  }
  const registrations = registrationsOf(db, keyFile, url)
  const clients = openOidcClients()
  const others = signInRoutes(server, {
    db,
    registrations,
    clients,
    sealer: keyFile,
    record,
    signIn: signIns.signIn,
    baseUrl: url,
    changed,
  })
  const sync = directorySync({ db, registrations, record, changed })
  const sessions = { count: () => countProviderSessions(db, new Date().toISOString()), end: endProviderSessions }
  const oidc = { db, registrations, clients, record, endSessions }
  backChannelRoutes(server, { ...oidc, revoked })
  const askAgain = askingAgain({ ...oidc, sealer: keyFile, changed })
  providerRoutes(server, {
    ...{ db, sealer: keyFile, registrations, clients, sync, record, sessions, revoked },
    baseUrl: url,
  })
  oneTimeRoutes(server, {
    db,
    sealer: keyFile,
    codes,
    record,
    verifyCredential,
    exceeds: authority.exceeds,
    signInTimeOf: (subject) => signInTimeOf(db, subject),
    checkPassword: ({ subject, peer }, password) =>
      signIns.requirePassword(enrolOneTimePassword, subject.name, password, peer),
    changed: revoked,
  })
  return { signIns, provider: providerReconciler({ db, sync, askAgain }) }
}
