import { endpoint, Name, problemType, Time } from '@quarterdeck/kernel'
import { z } from 'zod'
import { SignIn } from '../session/session.contract.ts'

const Text = z.string().trim().min(1, 'Give a value or leave it out').max(500, 'At most 500 characters')
const Authorities = z
  .string()
  .max(100_000)
  .regex(/-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/, 'One or more certificates as PEM')
  .describe('PEM of whoever signed the server certificate; absent: those that everybody trusts')

/** TLS, or a way that stays on this machine. */
const PRIVATE = /^(https:|http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(\/|$))/i
const Issuer = z
  .url({ protocol: /^https?$/, error: 'The address of the provider: https://login.example.com' })
  .max(500)
  .regex(PRIVATE, 'Use https; only on this machine itself http is accepted')
  .refine((text) => !/[?#@]/.test(text), 'Without ?, # and user names')
  .describe('As its discovery document has it')

export const OidcSettings = z.strictObject({
  kind: z.literal('oidc'),
  issuer: Issuer,
  clientId: Text,
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/, 'A scope without spaces'))
    .max(20)
    .default(['openid', 'profile', 'email'])
    .refine((scopes) => scopes.includes('openid'), 'openid is needed'),
  nameClaim: Text.default('preferred_username').describe('The claim that a new user is named by'),
  groupsClaim: Text.optional().describe('The claim that lists groups; absent: groups are not taken over'),
  askAgainMinutes: z
    .int('A whole number of minutes')
    .min(1, 'At least 1 minute')
    .max(720, 'At most 720 minutes')
    .default(15)
    .describe('How often it is asked whether a session may go on, where it has given a refresh token'),
  authorities: Authorities.optional(),
})
export type OidcSettings = z.infer<typeof OidcSettings>

const LdapUrl = z
  .string()
  .max(300)
  .regex(
    /^ldaps?:\/\/([A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(:\d{1,5})?$/,
    'ldaps://host or ldap://host, with a port if need be',
  )
  .describe('ldaps:// speaks TLS from the start; ldap:// is raised to TLS (StartTLS) before anything is said')
const Attribute = z.string().regex(/^[A-Za-z][A-Za-z0-9;.-]{0,99}$/, 'The name of an attribute')
const Filter = z
  .string()
  .min(3)
  .max(1_000)
  .regex(/^\([\s\S]+\)$/, 'A filter as RFC 4515 has it, in parentheses')

export const LdapSettings = z.strictObject({
  kind: z.literal('ldap'),
  url: LdapUrl,
  authorities: Authorities.optional(),
  bindDn: Text.optional().describe('Who looks people up, with the secret as password; absent: anybody may'),
  baseDn: Text.describe('Where people are: ou=people,dc=example,dc=com'),
  userFilter: Filter.default('(&(objectClass=person)(uid={user}))')
    .refine((filter) => filter.includes('{user}'), '{user} stands for the name that is typed')
    .describe('Finds one person; for Active Directory (&(objectClass=user)(sAMAccountName={user}))'),
  keyAttribute: Attribute.default('entryUUID').describe('Stays with a person for ever; Active Directory: objectGUID'),
  nameAttribute: Attribute.default('uid').describe('What a new user is named by; Active Directory: sAMAccountName'),
  titleAttribute: Attribute.default('cn'),
  emailAttribute: Attribute.default('mail'),
  groupBaseDn: Text.optional().describe('Where groups are; absent: groups are not taken over'),
  groupFilter: Filter.default('(&(objectClass=groupOfNames)(member={dn}))')
    .refine((filter) => /\{(dn|user)\}/.test(filter), '{dn} stands for the person found, {user} for the name')
    .describe('Active Directory, nested groups too: (member:1.2.840.113556.1.4.1941:={dn})'),
  groupNameAttribute: Attribute.default('cn'),
})
export type LdapSettings = z.infer<typeof LdapSettings>

export const ProviderSettings = z.discriminatedUnion('kind', [OidcSettings, LdapSettings])
export type ProviderSettings = z.infer<typeof ProviderSettings>

const Title = z.string().trim().min(1, 'Give a title').max(100, 'At most 100 characters')
const Secret = z
  .string()
  .min(1, 'Give a value or leave it out')
  .max(1_000)
  .describe('Secret of the client, or password of bindDn. Never told again')

/** Somebody else who says who people are. Source of truth: PostgreSQL. */
export const SignInProvider = z.object({
  name: Name,
  title: z.string(),
  enabled: z.boolean().describe('false: nobody signs in with it; its sessions have ended'),
  settings: ProviderSettings,
  hasSecret: z.boolean(),
  redirectUri: z.string().optional().describe('What to register at an OIDC provider'),
  logoutUri: z.string().optional().describe('What to register there as back-channel logout URI'),
  sessions: z.int().describe('How many sessions came from it and are open'),
  createTime: Time,
  syncTime: Time.optional().describe('When its users were last compared'),
  syncMessage: z.string().describe('What came of it; empty: not yet'),
})
export type SignInProvider = z.infer<typeof SignInProvider>

/** One step of a connection test, in the order in which they are tried; what comes after a failure is not tried. */
export const TestStep = z.object({
  step: z.enum(['address', 'connection', 'discovery', 'keys', 'bind', 'search', 'groups']),
  succeeded: z.boolean(),
  detail: z.string().describe('What was found, or why it failed and what to do'),
})
export type TestStep = z.infer<typeof TestStep>

export const providerNameTaken = problemType('provider-name-taken', 409, 'There is a provider of that name')
export const providerUnavailable = problemType(
  'provider-unavailable',
  502,
  'The sign-in provider does not answer as it should',
)
export const signInRefused = problemType('sign-in-refused', 403, 'The sign-in was not accepted')
export const logoutRefused = problemType('logout-refused', 400, 'The logout token was not accepted')
export const signInUnknown = problemType('sign-in-unknown', 410, 'This sign-in is not under way')

const one = { path: '/sign-in-providers/:provider', params: z.object({ provider: Name }) }
const Written = z.strictObject({
  title: Title,
  enabled: z.boolean().default(true),
  settings: ProviderSettings,
  secret: Secret.optional(),
})

export const listSignInChoices = endpoint({
  id: 'sign-in.list',
  method: 'GET',
  path: '/sign-in',
  permission: 'anonymous',
  summary: 'With what one can sign in, beside a password of this platform',
  response: z.object({
    items: z.array(z.object({ name: Name, title: z.string(), kind: z.enum(['oidc', 'ldap']) })),
  }),
})
export const beginSignIn = endpoint({
  id: 'sign-in.begin',
  method: 'POST',
  path: '/sign-in/:provider',
  permission: 'anonymous',
  summary: 'Begin to sign in with an OIDC provider; answers the address to go to',
  params: z.object({ provider: Name }),
  body: z.strictObject({
    next: z.string().max(2_000).default('/').describe('Path of this console to go to afterwards'),
  }),
  response: z.object({ url: z.string() }),
  problems: [providerUnavailable],
})
export const finishSignIn = endpoint({
  id: 'sign-in.finish',
  method: 'POST',
  path: '/sign-in/:provider/callback',
  permission: 'anonymous',
  summary: 'Finish it with what the provider has sent the browser back with',
  params: z.object({ provider: Name }),
  body: z.strictObject({ query: z.string().max(8_000).describe('code=…&state=…&iss=…, as it came') }),
  response: SignIn.extend({ next: z.string().describe('Path of this console') }),
  status: 201,
  problems: [providerUnavailable, signInRefused, signInUnknown],
})
export const backChannelLogout = endpoint({
  id: 'sign-in.log-out',
  method: 'POST',
  path: '/sign-in/:provider/back-channel-logout',
  permission: 'anonymous',
  summary: 'For OIDC providers: sessions have ended there, and end here (OpenID Connect Back-Channel Logout 1.0)',
  params: z.object({ provider: Name }),
  form: true,
  body: z.looseObject({ logout_token: z.string().min(1).max(8_000) }),
  response: z.null(),
  problems: [providerUnavailable, logoutRefused],
})
export const getSignOut = endpoint({
  id: 'sign-out.get',
  method: 'GET',
  path: '/session/sign-out',
  permission: 'self',
  summary: 'Where to sign out at the provider as well',
  response: z.object({ url: z.string().optional().describe('Absent: signing out here is all') }),
})
export const listProviders = endpoint({
  id: 'provider.list',
  method: 'GET',
  path: '/sign-in-providers',
  permission: 'provider.list',
  summary: 'Sign-in providers, by name',
  response: z.object({ items: z.array(SignInProvider) }),
})
export const createProvider = endpoint({
  id: 'provider.create',
  method: 'POST',
  path: '/sign-in-providers',
  permission: 'provider.update',
  summary: 'Connect a sign-in provider',
  body: Written.extend({ name: Name }),
  response: SignInProvider,
  status: 201,
  problems: [providerNameTaken],
})
export const updateProvider = endpoint({
  id: 'provider.update',
  method: 'PUT',
  ...one,
  permission: 'provider.update',
  summary:
    'Change a sign-in provider; a secret that is left out stays, unless the address changes. Disabling ends its sessions',
  body: Written,
  response: SignInProvider,
})
export const deleteProvider = endpoint({
  id: 'provider.delete',
  method: 'DELETE',
  ...one,
  permission: 'provider.update',
  summary: 'Remove a sign-in provider; its sessions end, its users stay and can no longer sign in with it',
  response: z.null(),
})
export const testProvider = endpoint({
  id: 'provider.test',
  method: 'POST',
  path: '/sign-in-providers/:provider/test',
  params: z.object({ provider: Name }),
  permission: 'provider.update',
  summary: 'Try a provider step by step, without signing anybody in',
  body: z.strictObject({ user: Text.optional().describe('LDAP: somebody to look up, with groups') }),
  response: z.object({ steps: z.array(TestStep) }),
})
export const syncProvider = endpoint({
  id: 'provider.sync',
  method: 'POST',
  path: '/sign-in-providers/:provider/sync',
  params: z.object({ provider: Name }),
  permission: 'provider.update',
  summary: 'Compare users and groups with the directory now; LDAP only',
  response: z.object({ message: z.string() }),
  problems: [providerUnavailable],
})
