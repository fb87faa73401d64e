import { nameFrom } from '@quarterdeck/kernel'
import { UserName } from '../user/user.contract.ts'
import type { LdapSettings, ProviderSettings } from './provider.contract.ts'

/** RFC 4515 §3: everything that a filter would take for its own, and everything beyond ASCII, as bytes of UTF-8. */
export const escapedForFilter = (text: string): string =>
  encodeURIComponent(text.toWellFormed())
    .replace(/%([0-9A-F]{2})/g, (_, hex: string) => asByte(Number.parseInt(hex, 16)))
    .replace(/[*()]/g, (character) => `\\${character.charCodeAt(0).toString(16)}`)

const asByte = (byte: number): string =>
  byte > 0x1f && byte < 0x7f && !'*()\\'.includes(String.fromCharCode(byte))
    ? String.fromCharCode(byte)
    : `\\${byte.toString(16).padStart(2, '0')}`

/** Puts values into the places of a filter; each is escaped, and what is put in is not looked at again. */
export const filledFilter = (filter: string, values: Record<string, string>): string =>
  filter.replace(/\{(\w+)\}/g, (place, name: string) =>
    values[name] === undefined ? place : escapedForFilter(values[name]),
  )

/** The filter that finds everybody whom `userFilter` could find. */
export const everybody = ({ userFilter }: LdapSettings): string => userFilter.replaceAll('{user}', '*')

const PROVIDED_NAME = /^[a-z0-9]([-._@+a-z0-9]*[a-z0-9])?$/

/** The name that somebody gets, from what a provider calls them; a refusal as a sentence otherwise. */
export function accountName(given: unknown): { name: string } | { refusal: string } {
  if (typeof given !== 'string' || given === '') return { refusal: 'It gave no user name' }
  if (given.length > 63) return { refusal: 'The user name that it gave is longer than 63 characters' }
  const name = given.toLowerCase()
  if (!PROVIDED_NAME.test(name)) {
    return {
      refusal: 'The user name that it gave has other characters than Latin letters, digits, dots, hyphens, _, @ and +',
    }
  }
  const plain = UserName.safeParse(name.replace(/[@+]/g, '-'))
  return plain.success ? { name } : { refusal: `The user name ${name} is one that the platform uses itself` }
}

const MOST_GROUPS = 1_000
const MOST_KEY = 500

/** A group as its provider calls it, and what it is called here. */
export interface ProvidedGroup {
  key: string
  name: string
}

/** Groups from what a provider gave: a list of texts, or one. Whatever else it is counts as none. */
export function providedGroups(given: unknown, provider: string): ProvidedGroup[] {
  const list = Array.isArray(given) ? given : [given]
  const keys = list.filter((one): one is string => typeof one === 'string' && one !== '' && one.length <= MOST_KEY)
  return [...new Set(keys)]
    .filter((key) => !/\p{Cc}/u.test(key))
    .slice(0, MOST_GROUPS)
    .map((key) => ({ key, name: nameFrom(key) ?? `${provider}-group` }))
}

/** What an account of an OIDC provider is found by: never an e-mail address or a name, which others may come to have. */
export const keyOf = (issuer: string, sub: string): string => JSON.stringify([issuer, sub])
/** Who that is at the provider. */
export const subOf = (key: string): string => String((JSON.parse(key) as unknown[])[1])

// A title or an address is for people to read; what does not fit is left out, not cut.
/** A text that somebody can read, or undefined. */
export const readable = (given: unknown, most: number): string | undefined => {
  const text = typeof given === 'string' ? given.trim() : ''
  return text !== '' && text.length <= most && !/[\p{Cc}\p{Cf}]/u.test(text) ? text : undefined
}

/** A path of this console and nothing else: never an address that somebody has put into a link. */
export const localPath = (next: string): string => (/^\/(?![/\\])[^\\\p{Cc}]*$/u.test(next) ? next : '/')

const addressOf = (settings: ProviderSettings): string => (settings.kind === 'oidc' ? settings.issuer : settings.url)

/** Whether a stored secret would go to somebody else than before, or prove another account. */
export const asksForSecret = (before: ProviderSettings, after: ProviderSettings): boolean =>
  before.kind !== after.kind ||
  addressOf(before) !== addressOf(after) ||
  before.authorities !== after.authorities ||
  (before.kind === 'ldap' && after.kind === 'ldap' && before.bindDn !== after.bindDn) ||
  (before.kind === 'oidc' && after.kind === 'oidc' && before.clientId !== after.clientId)

/** Which step a connection failed at, by the code of its error, and what to do about it. */
export function connectionFailure(error: unknown): { step: 'address' | 'connection'; detail: string } {
  const { code = '', message = String(error) } = deepest(error)
  if (['ENOTFOUND', 'EAI_AGAIN', 'ENODATA'].includes(code)) {
    return { step: 'address', detail: 'The name of the host is not known here; check the address and the name servers' }
  }
  if (code === 'ECONNREFUSED') {
    return { step: 'connection', detail: 'Nothing listens at this address and port; check the port' }
  }
  if (/TIMEDOUT|TIMEOUT|ABORT/i.test(code) || /timeout|timed out/i.test(message)) {
    return {
      step: 'connection',
      detail: 'There was no answer in time; check the address, and whether a firewall is between',
    }
  }
  if (/CERT|SELF_SIGNED|ISSUER|ALTNAME/.test(code)) {
    const why = code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? 'it is for another name' : message
    return { step: 'connection', detail: `Its certificate is not accepted: ${why}. Give the authority that signed it` }
  }
  return { step: 'connection', detail: `The connection failed: ${message}` }
}

function deepest(error: unknown): { code?: string; message?: string } {
  let found = error as { code?: string; message?: string; cause?: unknown; errors?: unknown[] }
  for (let depth = 0; depth < 5; depth++) {
    const next = found?.cause ?? found?.errors?.[0]
    if (typeof next !== 'object' || next === null) break
    found = next
  }
  return found ?? {}
}

/** More than this share of a directory's users gone at once is taken for a mistake in the settings. */
export const isPlausible = (known: number, gone: number): boolean => gone <= 10 || gone * 2 <= known
