import { notFound, type Problem } from '@quarterdeck/kernel'
import type { Db } from '@quarterdeck/store'
import type { LdapSettings, OidcSettings } from './provider.contract.ts'
import { providerUnavailable } from './provider.contract.ts'
import { connectionFailure } from './provider.rules.ts'
import { findProvider, type ProviderRow } from './provider.store.ts'

/** Seals and opens secrets; packages/kube's key file is one. */
export interface Sealer {
  seal(text: string, owner: string): string
  open(sealed: string, owner: string): string
}

/** A provider with its secret. */
export interface Registered<Kind extends 'oidc' | 'ldap'> {
  name: string
  title: string
  revision: string
  settings: Kind extends 'oidc' ? OidcSettings : LdapSettings
  secret: string | undefined
  redirectUri: string
}

/** Owner of the sealed text: a provider's secret cannot be moved to another. */
export const ownerOf = (name: string): string => `sign-in-provider/${name}`

/** The same for the refresh token of a session. */
export const sessionOwnerOf = (session: string): string => `sign-in-session/${session}`

/** Where an OIDC provider tells that sessions have ended. */
export const logoutUriOf = (baseUrl: string, name: string): string =>
  `${baseUrl.replace(/\/+$/, '')}/api/v1/sign-in/${name}/back-channel-logout`

/** What is registered at an OIDC provider: a page of the console, one for each provider. */
export const redirectUriOf = (baseUrl: string, name: string): string =>
  `${baseUrl.replace(/\/+$/, '')}/sign-in/${name}/callback`

/** Providers with their secrets. Each throws notFound when there is none, or one of another kind. */
export interface Registrations {
  oidc(name: string): Promise<Registered<'oidc'>>
  ldap(name: string): Promise<Registered<'ldap'>>
  /** Of either kind, switched on or not. */
  any(name: string): Promise<Registered<'oidc'> | Registered<'ldap'>>
}

export function registrationsOf(db: Db, sealer: Sealer, baseUrl: () => string): Registrations {
  const opened = ({ name, title, revision, settings, sealedSecret }: ProviderRow) =>
    ({
      name,
      title,
      revision,
      settings,
      secret: sealedSecret === null ? undefined : sealer.open(sealedSecret, ownerOf(name)),
      redirectUri: redirectUriOf(baseUrl(), name),
    }) as Registered<'oidc'> | Registered<'ldap'>

  async function enabled<Kind extends 'oidc' | 'ldap'>(name: string, kind: Kind): Promise<Registered<Kind>> {
    const row = await findProvider(db, name)
    if (row?.enabled && row.settings.kind === kind) return opened(row) as Registered<Kind>
    throw notFound({ detail: `There is no sign-in provider ${name} that is switched on` })
  }
  return {
    oidc: (name) => enabled(name, 'oidc'),
    ldap: (name) => enabled(name, 'ldap'),
    async any(name) {
      const row = await findProvider(db, name)
      if (row) return opened(row)
      throw notFound({ detail: `There is no sign-in provider ${name}` })
    },
  }
}

/** What to say of a provider that could not be asked. */
export const unavailable = ({ title }: Pick<Registered<'oidc'>, 'title'>, error: unknown): Problem =>
  providerUnavailable({
    detail: `${title} cannot be asked. ${connectionFailure(error).detail}. Whoever has a password of this platform can sign in with that.`,
  })
