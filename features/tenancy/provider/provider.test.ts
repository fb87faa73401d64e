import { expect, test } from 'vitest'
import { createProvider, LdapSettings, OidcSettings } from './provider.contract.ts'
import {
  accountName,
  asksForSecret,
  connectionFailure,
  escapedForFilter,
  everybody,
  filledFilter,
  isPlausible,
  localPath,
  providedGroups,
  readable,
} from './provider.rules.ts'

const ldap = (some: object = {}) =>
  LdapSettings.parse({ kind: 'ldap', url: 'ldaps://ad.example.com', baseDn: 'dc=example,dc=com', ...some })
const oidc = (some: object = {}) =>
  OidcSettings.parse({ kind: 'oidc', issuer: 'https://login.example.com', clientId: 'quarterdeck', ...some })

test('[A38] nothing that is typed is taken for a part of the filter', () => {
  expect(escapedForFilter('*)(uid=*))(|(uid=*')).toBe('\\2a\\29\\28uid=\\2a\\29\\29\\28|\\28uid=\\2a')
  expect(escapedForFilter('\\2a\0é')).toBe('\\5c2a\\00\\c3\\a9')
  expect(filledFilter('(&(a={user})(m={dn}))', { user: '{dn}', dn: 'cn=x' })).toBe('(&(a={dn})(m=cn=x))')
  expect(everybody(ldap())).toBe('(&(objectClass=person)(uid=*))')
})

test('[A36] where one goes after signing in is a path of this console', () => {
  for (const path of ['/', '/applications?filter=a%20b', '/explore/pods#x']) expect(localPath(path)).toBe(path)
  for (const away of [
    '//evil',
    '\\\\evil',
    '/\\evil',
    'https:evil',
    'https://evil',
    'javascript:alert(1)',
    '/\t/evil',
    '/\r\nLocation: evil',
    'user@evil',
    '',
  ]) {
    expect([away, localPath(away)]).toEqual([away, '/'])
  }
})

test('[A03] a name that cannot be told from another, or is none, is refused; case is not told apart', () => {
  for (const [given, name] of [
    ['li', 'li'],
    ['Li.Na@Example.com', 'li.na@example.com'],
    ['x'.repeat(63), 'x'.repeat(63)],
  ]) {
    expect(accountName(given)).toEqual({ name })
  }
  for (const given of [
    '',
    ' li',
    'li\n',
    'lі' /* Cyrillic */,
    'ａdmin',
    'x'.repeat(64),
    '../li',
    'a:b',
    7,
    null,
    undefined,
    'operator',
    'system',
    'li\u200b',
  ])
    expect([given, accountName(given)]).toEqual([given, { refusal: expect.any(String) }])
})

test('groups are texts, each once, at most a thousand', () => {
  expect(providedGroups(['Ops Team', 'Ops Team', 7, '', '运维组', 'a\0b'], 'corp')).toEqual([
    { key: 'Ops Team', name: 'ops-team' },
    { key: '运维组', name: 'corp-group' },
  ])
  expect(providedGroups('one', 'corp')).toEqual([{ key: 'one', name: 'one' }])
  expect(providedGroups({ a: 1 }, 'corp')).toEqual([])
  expect(
    providedGroups(
      Array.from({ length: 5_000 }, (_, at) => `g${at}`),
      'corp',
    ),
  ).toHaveLength(1_000)
  expect(readable(' 李娜 ', 100)).toBe('李娜')
  expect(readable('a\u202eb', 100)).toBeUndefined()
})

test('a secret goes only where it was meant to go', () => {
  expect(asksForSecret(ldap(), ldap({ userFilter: '(uid={user})' }))).toBe(false)
  expect(asksForSecret(ldap(), ldap({ url: 'ldaps://elsewhere' }))).toBe(true)
  expect(asksForSecret(ldap(), ldap({ bindDn: 'cn=other' }))).toBe(true)
  expect(asksForSecret(oidc(), oidc({ issuer: 'https://elsewhere' }))).toBe(true)
  expect(asksForSecret(oidc(), oidc({ nameClaim: 'email' }))).toBe(false)
})

test('what cannot be kept secret on its way is not accepted', () => {
  const settings = (some: object) => createProvider.body.safeParse({ name: 'x', title: 'X', settings: some })
  expect(settings({ kind: 'oidc', issuer: 'http://login.example.com', clientId: 'q' }).success).toBe(false)
  expect(settings({ kind: 'oidc', issuer: 'http://127.0.0.1:3000', clientId: 'q' }).success).toBe(true)
  expect(settings({ kind: 'oidc', issuer: 'https://a@b', clientId: 'q' }).success).toBe(false)
  expect(settings({ kind: 'ldap', url: 'http://ad', baseDn: 'dc=x' }).success).toBe(false)
  expect(settings({ kind: 'ldap', url: 'ldap://ad/dc=x', baseDn: 'dc=x' }).success).toBe(false)
  expect(settings({ kind: 'ldap', url: 'ldap://ad', baseDn: 'dc=x', userFilter: '(uid=li)' }).success).toBe(false)
})

test('a failed connection says which step it was and what to do', () => {
  const of = (code: string, message = code) =>
    connectionFailure(new Error('fetch failed', { cause: Object.assign(new Error(message), { code }) }))
  expect(of('ENOTFOUND')).toMatchObject({ step: 'address' })
  expect(of('ECONNREFUSED')).toMatchObject({ step: 'connection', detail: expect.stringContaining('port') })
  expect(of('ETIMEDOUT').detail).toContain('firewall')
  expect(of('DEPTH_ZERO_SELF_SIGNED_CERT').detail).toContain('authority')
  expect(of('ERR_TLS_CERT_ALTNAME_INVALID').detail).toContain('another name')
})

test('[A46] a directory that has lost nearly everybody is taken for a mistake', () => {
  expect(isPlausible(20, 10)).toBe(true)
  expect(isPlausible(100, 50)).toBe(true)
  expect(isPlausible(100, 51)).toBe(false)
})
