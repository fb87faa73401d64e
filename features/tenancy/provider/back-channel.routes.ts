import { bind, createRateLimit, hashSecret, type Server } from '@quarterdeck/http'
import { type AuditEntry, done, tooManyRequests } from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import { LOGOUT_TOKEN_KEPT_SECONDS, NoLogoutToken, type OidcClients } from './oidc-client.routes.ts'
import { backChannelLogout, logoutRefused } from './provider.contract.ts'
import { keyOf } from './provider.rules.ts'
import { claimLogoutToken, listLoggedOut } from './provider-session.store.ts'
import { type Registrations, unavailable } from './registration.routes.ts'

export interface BackChannelOptions {
  db: Db
  registrations: Registrations
  clients: OidcClients
  /** Writes to the audit trail, within the transaction of what it tells. */
  record(tx: Db, entry: AuditEntry): Promise<unknown>
  /** Ends sessions. */
  endSessions(tx: Db, sessions: readonly string[]): Promise<void>
  /** Told when sessions have ended, before the answer. */
  revoked(): void
  now?: () => string
}

// What jose finds wrong with a token, as opposed to keys that cannot be read.
const REFUSALS = /^ERR_(JWT|JWS|JWE|JWKS_NO_MATCHING_KEY|JWKS_MULTIPLE|JOSE_ALG|JOSE_NOT_SUPPORTED)/

/** A provider says that somebody has signed out there: their sessions end here. */
export function backChannelRoutes(server: Server, options: BackChannelOptions): void {
  const { db, registrations, clients, record, endSessions, revoked } = options
  const now = options.now ?? (() => new Date().toISOString())
  const limit = createRateLimit({ burst: 30, perSecond: 1 / 2 })

  bind(server, backChannelLogout, async ({ params, body, peer }) => {
    const retryAfterSeconds = limit.take(peer)
    if (retryAfterSeconds > 0)
      throw tooManyRequests({ detail: 'Too many tokens that count for nothing', retryAfterSeconds })
    const provider = await registrations.oidc(params.provider)
    const token = await clients.logout(provider, body.logout_token).catch((error: unknown) => {
      const code = String((error as { code?: unknown } | null)?.code ?? '')
      if (!(error instanceof NoLogoutToken) && !REFUSALS.test(code)) throw unavailable(provider, error)
      throw logoutRefused({ detail: error instanceof Error ? error.message : code })
    })
    // Whoever signs for the provider does not guess.
    limit.giveBack(peer)
    const at = now()
    const expireTime = new Date(Date.parse(at) + LOGOUT_TOKEN_KEPT_SECONDS * 1_000).toISOString()
    const { iss = '', sub, sid, jti = '' } = token
    const meant = {
      sid: typeof sid === 'string' ? sid : undefined,
      key: sub === undefined ? undefined : keyOf(iss, sub),
    }
    await transaction(db, async (tx) => {
      if (!(await claimLogoutToken(tx, hashSecret(`${provider.name} ${jti}`), expireTime, at))) {
        throw logoutRefused({ detail: 'It was used before' })
      }
      const ended = await listLoggedOut(tx, provider.name, meant)
      await endSessions(
        tx,
        ended.map(({ session }) => session),
      )
      for (const user of new Set(ended.map((one) => one.user))) {
        const count = ended.filter((one) => one.user === user).length
        const detail = `Signed out at the provider ${provider.name}: sessions ended: ${count}`
        await record(tx, done(backChannelLogout, 'quarterdeck', `user ${user}`, detail))
      }
    })
    revoked()
    return null
  })
}
