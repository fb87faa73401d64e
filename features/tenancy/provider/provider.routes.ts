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
import { ownerOf, type Registrations, redirectUriOf, type Sealer, unavailable } from './registration.routes.ts'

export interface ProviderOptions {
  db: Db
  sealer: Sealer
  registrations: Registrations
  clients: OidcClients
  /** Compares the users and groups of a directory; what came of it, as a sentence. */
  sync(provider: string): Promise<string>
  /** Writes to the audit trail, within the transaction of what it tells. */
  record(tx: Db, entry: AuditEntry): Promise<unknown>
  /** Where users reach the console. */
  baseUrl(): string
  now?: () => string
}

/** Connecting, trying and removing sign-in providers. */
export function providerRoutes(server: Server, options: ProviderOptions): void {
  const { db, sealer, registrations, clients, record, baseUrl } = options
  const now = options.now ?? (() => new Date().toISOString())

  const shown = ({ sealedSecret, revision: _, syncTime, ...row }: ProviderRow): SignInProvider => ({
    ...row,
    hasSecret: sealedSecret !== null,
    ...(row.settings.kind === 'oidc' ? { redirectUri: redirectUriOf(baseUrl(), row.name) } : {}),
    ...(syncTime === null ? {} : { syncTime }),
  })
  const noSuch = (name: string) => notFound({ detail: `There is no sign-in provider ${name}` })
  async function get(name: string): Promise<SignInProvider> {
    const row = await findProvider(db, name)
    if (row) return shown(row)
    throw noSuch(name)
  }
  const did = (tx: Db, endpoint: AnyEndpoint, { name: actor }: Subject, name: string, detail: string) =>
    record(tx, done(endpoint, actor, `sign-in provider ${name}`, detail))

  bind(server, listProviders, async () => ({ items: (await listProviderRows(db)).map(shown) }))
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
      await did(tx, updateProvider, subject, name, JSON.stringify({ enabled: written.enabled, ...written.settings }))
    })
    return get(name)
  })
  bind(server, deleteProvider, async ({ subject, params: { provider: name } }) => {
    await transaction(db, async (tx) => {
      if (!(await deleteProviderRow(tx, name))) throw noSuch(name)
      await did(tx, deleteProvider, subject, name, '')
    })
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
