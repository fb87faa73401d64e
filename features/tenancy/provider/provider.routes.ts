import { bind, type Server } from '@quarterdeck/http'
import { type AnyEndpoint, type AuditEntry, done, invalidInput, notFound, type Subject } from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import { runTest } from './connection-test.routes.ts'
import type { OidcClients } from './oidc-client.routes.ts'
import {
  createProvider,
  deleteProvider,
  listProviders,
  type ProviderSettings,
  providerNameTaken,
  type SignInProvider,
  syncProvider,
  testProvider,
  updateProvider,
} from './provider.contract.ts'
import { asksForSecret } from './provider.rules.ts'
import {
  createProviderRow,
  deleteProviderRow,
  findProvider,
  listProviderRows,
  type ProviderRow,
  updateProviderRow,
} from './provider.store.ts'
import { forgetTokens } from './provider-session.store.ts'
import {
  logoutUriOf,
  ownerOf,
  type Registrations,
  redirectUriOf,
  type Sealer,
  unavailable,
} from './registration.routes.ts'

export interface ProviderOptions {
  db: Db
  sealer: Sealer
  registrations: Registrations
  clients: OidcClients
  /** Compares the users and groups of a directory; what came of it, as a sentence. */
  sync(provider: string): Promise<string>
  /** Writes to the audit trail, within the transaction of what it tells. */
  record(tx: Db, entry: AuditEntry): Promise<unknown>
  /** The sessions that came from providers. */
  sessions: {
    count(): Promise<ReadonlyMap<string, number>>
    /** Ends all of a provider; how many. */
    end(tx: Db, provider: string): Promise<number>
  }
  /** Told when sessions have ended, before the answer. */
  revoked(): void
  /** Where users reach the console. */
  baseUrl(): string
  now?: () => string
}

/** Connecting, trying and removing sign-in providers. */
export function providerRoutes(server: Server, options: ProviderOptions): void {
  const { db, sealer, registrations, clients, sessions, revoked, record, baseUrl } = options
  const now = options.now ?? (() => new Date().toISOString())

  const uris = (name: string) => ({
    redirectUri: redirectUriOf(baseUrl(), name),
    logoutUri: logoutUriOf(baseUrl(), name),
  })
  async function shown(rows: ProviderRow[]): Promise<SignInProvider[]> {
    const open = await sessions.count()
    return rows.map(({ sealedSecret, revision: _, syncTime, ...row }) => ({
      ...row,
      hasSecret: sealedSecret !== null,
      sessions: open.get(row.name) ?? 0,
      ...(row.settings.kind === 'oidc' ? uris(row.name) : {}),
      ...(syncTime === null ? {} : { syncTime }),
    }))
  }
  const noSuch = (name: string) => notFound({ detail: `There is no sign-in provider ${name}` })
  async function get(name: string): Promise<SignInProvider> {
    const row = await findProvider(db, name)
    const [found] = row ? await shown([row]) : []
    if (found) return found
    throw noSuch(name)
  }
  const did = (tx: Db, endpoint: AnyEndpoint, { name: actor }: Subject, name: string, detail: string) =>
    record(tx, done(endpoint, actor, `sign-in provider ${name}`, detail))

  bind(server, listProviders, async () => ({ items: await shown(await listProviderRows(db)) }))
  bind(server, createProvider, async ({ subject, body: { secret, ...written } }) => {
    checkSecret(written.settings, secret !== undefined)
    const sealedSecret = secret === undefined ? null : sealer.seal(secret, ownerOf(written.name))
    await transaction(db, async (tx) => {
      if (!(await createProviderRow(tx, { ...written, sealedSecret }, now()))) {
        throw providerNameTaken({ detail: `There is a sign-in provider ${written.name}; choose another name` })
      }
      await did(tx, createProvider, subject, written.name, JSON.stringify(written.settings))
    })
    return get(written.name)
  })
  bind(server, updateProvider, async ({ subject, params: { provider: name }, body: { secret, ...written } }) => {
    await transaction(db, async (tx) => {
      const before = await findProvider(tx, name)
      if (!before) throw noSuch(name)
      if (secret === undefined && before.sealedSecret !== null && asksForSecret(before.settings, written.settings)) {
        const detail = 'Give the secret again: it would go to another address, or prove another account'
        throw invalidInput({ detail, errors: [{ pointer: '/body/secret', detail }] })
      }
      checkSecret(written.settings, secret !== undefined || before.sealedSecret !== null)
      const sealedSecret = secret === undefined ? before.sealedSecret : sealer.seal(secret, ownerOf(name))
      await updateProviderRow(tx, { name, ...written, sealedSecret })
      if (asksForSecret(before.settings, written.settings)) await forgetTokens(tx, name)
      const ended = written.enabled ? {} : { endedSessions: await sessions.end(tx, name) }
      const detail = { enabled: written.enabled, ...ended, ...written.settings }
      await did(tx, updateProvider, subject, name, JSON.stringify(detail))
    })
    revoked()
    return get(name)
  })
  bind(server, deleteProvider, async ({ subject, params: { provider: name } }) => {
    await transaction(db, async (tx) => {
      if (!(await deleteProviderRow(tx, name))) throw noSuch(name)
      await did(tx, deleteProvider, subject, name, `Sessions ended: ${await sessions.end(tx, name)}`)
    })
    revoked()
    return null
  })
  bind(server, testProvider, async ({ params, body }) => ({
    steps: await runTest(await registrations.any(params.provider), clients, body.user),
  }))
  bind(server, syncProvider, async ({ subject, params: { provider: name } }) => {
    const provider = await registrations.ldap(name)
    const message = await options.sync(name).catch((error: unknown) => {
      throw unavailable(provider, error)
    })
    await did(db, syncProvider, subject, name, message)
    return { message }
  })
}

function checkSecret(settings: ProviderSettings, given: boolean): void {
  if (settings.kind !== 'ldap' || (settings.bindDn === undefined) === !given) return
  const detail = given
    ? 'A secret is the password of bindDn: give bindDn too, or leave the secret out'
    : 'Give the password of bindDn as secret'
  throw invalidInput({ detail, errors: [{ pointer: '/body/secret', detail }] })
}
