import { type AuditEntry, done } from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import { AnotherPerson, type OidcClients } from './oidc-client.routes.ts'
import { connectionFailure, providedGroups, subOf } from './provider.rules.ts'
import { saveSync, setGroups } from './provider.store.ts'
import { type AskedSession, findOldestAsk, listDue, saveAsked } from './provider-session.store.ts'
import { type Registered, type Registrations, type Sealer, sessionOwnerOf } from './registration.routes.ts'

export interface AskAgainOptions {
  db: Db
  registrations: Registrations
  clients: OidcClients
  sealer: Sealer
  /** Writes to the audit trail, within the transaction of what it tells. */
  record(tx: Db, entry: AuditEntry): Promise<unknown>
  /** Ends sessions. */
  endSessions(tx: Db, sessions: readonly string[]): Promise<void>
  /** Awaited when somebody may no longer do what they could. */
  changed(): Promise<void>
  now?: () => string
}

const AT_ONCE = 8
const MOST = 400
/** A provider that cannot be asked is asked again after this long. */
const LATER_SECONDS = 60

/**
 * Asks OIDC providers about their sessions, each at most every `askAgainMinutes`: groups are taken over, and a session
 * ends when the provider refuses. One that cannot be asked ends nobody's session.
 */
export function askingAgain(options: AskAgainOptions) {
  const { db, registrations, clients, sealer, record, endSessions, changed } = options
  const now = options.now ?? (() => new Date().toISOString())

  async function end(provider: string, { session, user }: AskedSession, why: string): Promise<void> {
    await transaction(db, async (tx) => {
      await endSessions(tx, [session])
      const detail = `The provider ${provider} no longer stands for it: ${why}`
      await record(tx, done({ id: 'provider.end-session' }, 'quarterdeck', `user ${user}`, detail))
    })
  }

  async function ask(provider: Registered<'oidc'>, one: AskedSession): Promise<'same' | 'groups' | 'ended'> {
    const { name, settings } = provider
    try {
      const refreshToken = sealer.open(one.sealedToken, sessionOwnerOf(one.session))
      const { claims, refreshToken: next } = await clients.renew(provider, { refreshToken, sub: subOf(one.key) })
      return await transaction(db, async (tx) => {
        await saveAsked(tx, one.session, sealer.seal(next, sessionOwnerOf(one.session)), now())
        if (settings.groupsClaim === undefined || !claims) return 'same'
        const groups = providedGroups(claims[settings.groupsClaim] ?? [], name)
        return (await setGroups(tx, one.account, name, groups)) ? 'groups' : 'same'
      })
    } catch (error) {
      const why = refusal(error)
      if (why === undefined) throw error
      await end(name, one, why)
      return 'ended'
    }
  }

  /** All that are due, some at a time, until one cannot be asked. */
  async function askAll(provider: Registered<'oidc'>, due: AskedSession[]) {
    const counts = { same: 0, groups: 0, ended: 0 }
    let failure: unknown
    const left = due.values()
    const worker = async () => {
      for (const one of left) {
        if (failure !== undefined) return
        try {
          counts[await ask(provider, one)]++
        } catch (error) {
          failure ??= error
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    if (counts.groups + counts.ended > 0) await changed()
    return { ...counts, failure }
  }

  /** Seconds until somebody is to be asked about again; undefined while there is nobody. */
  return async (name: string): Promise<number | undefined> => {
    const provider = await registrations.oidc(name)
    const everyMs = provider.settings.askAgainMinutes * 60_000
    const due = await listDue(db, name, new Date(Date.parse(now()) - everyMs).toISOString(), MOST)
    if (due.length > 0) {
      const { groups, ended, failure } = await askAll(provider, due)
      const counts = `${due.length} sessions asked about: ${groups} with other groups, ${ended} ended`
      await saveSync(
        db,
        name,
        now(),
        failure === undefined ? counts : `It could not be asked: ${connectionFailure(failure).detail}`,
      )
      if (failure !== undefined) return LATER_SECONDS
      if (due.length === MOST) return 0
    }
    const oldest = await findOldestAsk(db, name)
    return oldest === undefined ? undefined : Math.max(1, (Date.parse(oldest) + everyMs - Date.parse(now())) / 1_000)
  }
}

/** Why a session may not go on; undefined when that was not the answer. */
function refusal(error: unknown): string | undefined {
  if (error instanceof AnotherPerson) return error.message
  // RFC 6749 §5.2: the token is expired, revoked, or somebody else's; every other answer is about us or the provider.
  return (error as { error?: unknown } | null)?.error === 'invalid_grant' ? 'invalid_grant' : undefined
}
