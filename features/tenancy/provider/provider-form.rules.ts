import { Problem } from '@quarterdeck/kernel'
import type { z } from 'zod'
import { LdapSettings, OidcSettings, type ProviderSettings } from './provider.contract.ts'

const TEXTS = {
  issuer: '',
  clientId: '',
  nameClaim: '',
  groupsClaim: '',
  scopes: '',
  askAgainMinutes: '',
  url: '',
  bindDn: '',
  baseDn: '',
  userFilter: '',
  keyAttribute: '',
  nameAttribute: '',
  titleAttribute: '',
  emailAttribute: '',
  groupBaseDn: '',
  groupFilter: '',
  groupNameAttribute: '',
  authorities: '',
}
/** The settings as they are typed, of either kind. */
export type Typed = typeof TEXTS & { kind: ProviderSettings['kind'] }

const oidc = OidcSettings.parse({ kind: 'oidc', issuer: 'https://x', clientId: 'x', groupsClaim: 'groups' })
const openldap = LdapSettings.parse({ kind: 'ldap', url: 'ldaps://x', baseDn: 'x' })
/** What a provider of each sort begins with. */
const BEGINNINGS = {
  oidc: { ...oidc, issuer: '', clientId: '' },
  openldap: { ...openldap, url: '', baseDn: '' },
  'active-directory': {
    ...openldap,
    url: '',
    baseDn: '',
    userFilter:
      '(&(objectCategory=person)(objectClass=user)(sAMAccountName={user})(!(userAccountControl:1.2.840.113556.1.4.803:=2)))',
    keyAttribute: 'objectGUID',
    nameAttribute: 'sAMAccountName',
    groupFilter: '(&(objectClass=group)(member:1.2.840.113556.1.4.1941:={dn}))',
  },
}

/** Settings as texts; those that a new provider begins with when there are none. */
export function settingsText(settings: ProviderSettings | undefined, sort: keyof typeof BEGINNINGS = 'oidc'): Typed {
  const { kind, ...rest } = settings ?? BEGINNINGS[sort]
  const texts = Object.entries(rest).map(([key, value]) => [
    key,
    Array.isArray(value) ? value.join(' ') : String(value ?? ''),
  ])
  return { ...TEXTS, ...Object.fromEntries(texts), kind }
}

/** The settings that were typed; what was left empty is left out. */
export function settingsFrom({ kind, scopes, askAgainMinutes, ...texts }: Typed): ProviderSettings {
  const known = Object.keys((kind === 'oidc' ? OidcSettings : LdapSettings).shape)
  const given = Object.entries(texts).filter(([key, text]) => known.includes(key) && text.trim() !== '')
  const list = scopes.split(/[\s,]+/).filter((one) => one !== '')
  return {
    kind,
    ...Object.fromEntries(given.map(([key, text]) => [key, text.trim()])),
    ...(kind === 'oidc' && list.length > 0 ? { scopes: list } : {}),
    ...(kind === 'oidc' && askAgainMinutes.trim() !== '' ? { askAgainMinutes: Number(askAgainMinutes) } : {}),
  } as ProviderSettings
}

/** What is wrong with one field, as the server or else the schema says; `path` as `settings/url`. */
export function faultAt(refused: unknown, unfit: z.ZodError | undefined, path: string): string | undefined {
  const said =
    refused instanceof Problem ? refused.body.errors?.find(({ pointer }) => pointer === `/body/${path}`) : undefined
  return said?.detail ?? unfit?.issues.find((issue) => issue.path.join('/') === path)?.message
}
