import { lookup } from 'node:dns/promises'
import { LIMIT_MS, tryTls, withDirectory } from './ldap-directory.routes.ts'
import type { OidcClients } from './oidc-client.routes.ts'
import type { TestStep } from './provider.contract.ts'
import { accountName, connectionFailure } from './provider.rules.ts'
import type { Registered } from './registration.routes.ts'

type Step = TestStep['step']

/** Tries a provider step by step; the last of the steps is the one that failed, if any did. */
export async function runTest(
  provider: Registered<'oidc'> | Registered<'ldap'>,
  clients: OidcClients,
  user: string | undefined,
): Promise<TestStep[]> {
  const steps: TestStep[] = []
  const done = (step: Step, detail: string) => void steps.push({ step, succeeded: true, detail })
  let step: Step = 'address'
  const begin = (next: Step) => {
    step = next
  }
  try {
    const { settings } = provider
    const { hostname } = new URL(settings.kind === 'oidc' ? settings.issuer : settings.url.replace(/^ldap/, 'http'))
    const host = hostname.replace(/^\[|\]$/g, '')
    const { address } = await within(lookup(host))
    done('address', `${host} is ${address}`)
    begin('connection')
    if (isOidc(provider)) await tryOidc(provider, clients, begin, done)
    else await tryLdap(provider as Registered<'ldap'>, user, begin, done)
  } catch (error) {
    steps.push({ ...failureAt(step, error), succeeded: false })
  }
  return steps
}

const isOidc = (provider: Registered<'oidc'> | Registered<'ldap'>): provider is Registered<'oidc'> =>
  provider.settings.kind === 'oidc'

const within = <T>(promise: Promise<T>): Promise<T> =>
  Promise.race([
    promise,
    new Promise<never>((_, reject) => {
      setTimeout(() => reject(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' })), LIMIT_MS).unref()
    }),
  ])

async function tryOidc(
  provider: Registered<'oidc'>,
  clients: OidcClients,
  begin: (step: Step) => void,
  done: (step: Step, detail: string) => void,
): Promise<void> {
  const { metadata, keys } = await clients.look(provider).catch((error: unknown) => {
    // The provider was reached, and what it said is no discovery document of this issuer.
    if (String((error as { code?: unknown }).code).startsWith('OAUTH_')) {
      done('connection', 'Connected')
      begin('discovery')
      const { issuer } = provider.settings
      throw new Error(
        `${issuer}/.well-known/openid-configuration is not in order: ${(error as Error).message}. Check the issuer`,
      )
    }
    throw error
  })
  done('connection', 'Connected')
  begin('discovery')
  for (const place of ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const) {
    if (typeof metadata[place] !== 'string') throw new Error(`Its discovery document has no ${place}`)
  }
  const methods = metadata.code_challenge_methods_supported
  if (methods && !methods.includes('S256')) throw new Error('It does not take PKCE with S256, which is needed')
  done('discovery', `It is ${metadata.issuer}`)
  begin('keys')
  done('keys', `It has ${await keys()} keys`)
}

async function tryLdap(
  provider: Registered<'ldap'>,
  user: string | undefined,
  begin: (step: Step) => void,
  done: (step: Step, detail: string) => void,
): Promise<void> {
  const { settings } = provider
  if (settings.url.startsWith('ldaps:')) await tryTls(settings)
  const connected = () => {
    done('connection', settings.url.startsWith('ldaps:') ? 'Connected over TLS' : 'Connected, and raised to TLS')
    begin('bind')
  }
  await withDirectory(
    provider,
    async (directory) => {
      done('bind', settings.bindDn === undefined ? 'Anybody may look people up' : `Signed in as ${settings.bindDn}`)
      begin('search')
      const person = user === undefined ? await anybody(directory) : await directory.person(user)
      if (!person) {
        throw new Error(
          user === undefined
            ? `Nobody was found below ${settings.baseDn}; check baseDn and userFilter`
            : `Not exactly one entry was found for ${user} below ${settings.baseDn}; check baseDn and userFilter`,
        )
      }
      if (person.key === '')
        throw new Error(`${person.dn} has no ${settings.keyAttribute}; choose another keyAttribute`)
      const account = accountName(person.name)
      if ('refusal' in account) throw new Error(`${person.dn}: ${account.refusal}; choose another nameAttribute`)
      done('search', `${person.dn} would be ${account.name}`)
      if (settings.groupBaseDn === undefined) return
      begin('groups')
      const groups = await directory.groups(person, user ?? person.name)
      done('groups', groups.length === 0 ? 'In no group' : `In ${groups.map(({ key }) => key).join(', ')}`)
    },
    { connected },
  )
}

async function anybody(directory: Parameters<Parameters<typeof withDirectory>[1]>[0]) {
  for await (const person of directory.people()) return person
  return undefined
}

function failureAt(step: Step, error: unknown): Omit<TestStep, 'succeeded'> {
  const message = error instanceof Error ? error.message : String(error)
  // ResultCode of RFC 4511: the directory has answered, and said no.
  const said = typeof (error as { code?: unknown } | null)?.code === 'number'
  if (step === 'address') return connectionFailure(error)
  if (step === 'connection') {
    const detail = said
      ? `It does not raise the connection to TLS: ${message}. Use ldaps://`
      : connectionFailure(error).detail
    return { step, detail }
  }
  if (step === 'bind') {
    const why = said
      ? `It does not let us in: ${message}. Check bindDn and the secret`
      : connectionFailure(error).detail
    return { step, detail: why }
  }
  return { step, detail: message }
}
