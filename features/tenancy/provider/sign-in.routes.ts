import { bind, type Context, createRateLimit, hashSecret, newSecret, type Server } from '@quarterdeck/http'
import { type AnyEndpoint, type AuditEntry, isProblem, type Problem, tooManyRequests } from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import { AuthorizationResponseError, randomNonce, randomPKCECodeVerifier, randomState } from 'openid-client'
import type { SignIn } from '../session/session.contract.ts'
import { type Directory, type DirectoryPerson, nobody, withDirectory } from './ldap-directory.routes.ts'
import type { OidcClients, OidcPerson } from './oidc-client.routes.ts'
import {
  beginSignIn,
  finishSignIn,
  getSignOut,
  listSignInChoices,
  signInRefused,
  signInUnknown,
} from './provider.contract.ts'
import { accountName, keyOf, localPath, providedGroups, readable } from './provider.rules.ts'
import {
  createAttempt,
  holdProvider,
  listChoices,
  type ProvidedPerson,
  sourceOf,
  takeAttempt,
  takeOver,
} from './provider.store.ts'
import { createProviderSession } from './provider-session.store.ts'
import { type Registered, type Registrations, type Sealer, sessionOwnerOf, unavailable } from './registration.routes.ts'

export interface SignInOptions {
  db: Db
  registrations: Registrations
  clients: OidcClients
  /** Writes to the audit trail, within the transaction of what it tells. */
  record(tx: Db, entry: AuditEntry): Promise<unknown>
  sealer: Sealer
  /** Makes a session for an account and gives the browser its cookie; throws for one that is disabled. */
  signIn(
    context: Context<AnyEndpoint>,
    proof: {
      user: string
      by: string
      act: AnyEndpoint
      provider: string
      made: (tx: Db, session: string) => Promise<void>
    },
  ): Promise<SignIn>
  /** Where users reach the console. */
  baseUrl(): string
  /** Awaited when somebody has become known or has other groups, before they are let in. */
  changed(): Promise<void>
  now?: () => string
}

const COOKIE = 'sign-in'
const MINUTES = 10
const BROWSER = /^[A-Za-z0-9_-]{43}$/
const MOST_AT_ONCE = 50

/** Signing in by OIDC, and what signing in by LDAP takes: the password of somebody in a directory. */
export function signInRoutes(server: Server, options: SignInOptions) {
  const { db, registrations, clients, sealer, record, changed } = options
  const now = options.now ?? (() => new Date().toISOString())
  const limit = createRateLimit({ burst: 30, perSecond: 1 / 2 })
  const checkLimit = (peer: string) => {
    const retryAfterSeconds = limit.take(peer)
    if (retryAfterSeconds === 0) return
    const detail = `Too many attempts to sign in from your address; try again in ${retryAfterSeconds} s`
    throw tooManyRequests({ detail, retryAfterSeconds })
  }

  async function refused(act: AnyEndpoint, provider: string, why: string): Promise<Problem> {
    const detail = why
    await record(db, { actor: 'unknown', act: act.id, what: `sign-in provider ${provider}`, outcome: 'failed', detail })
    return signInRefused({ detail: `${why}. Sign in again, or ask an administrator` })
  }

  /** The name of the account that somebody is. */
  async function known(person: ProvidedPerson): Promise<string> {
    const { name } = await transaction(db, (tx) => takeOver(tx, person))
    await changed()
    return name
  }

  /** Throws when a provider was switched off meanwhile; keeps it from being so until `tx` ends. */
  async function hold(tx: Db, provider: string): Promise<void> {
    if (!(await holdProvider(tx, provider)))
      throw signInRefused({ detail: `${provider} was switched off. Sign in again` })
  }

  bind(server, listSignInChoices, async () => ({ items: await listChoices(db) }))

  bind(server, beginSignIn, async (context) => {
    checkLimit(context.peer)
    const provider = await registrations.oidc(context.params.provider)
    const held = context.cookie(COOKIE) ?? ''
    const browser = BROWSER.test(held) ? held : newSecret()
    const [state, nonce, codeVerifier] = [randomState(), randomNonce(), randomPKCECodeVerifier()]
    const url = await clients.authorizationUrl(provider, { state, nonce, codeVerifier }).catch((error: unknown) => {
      throw unavailable(provider, error)
    })
    const at = now()
    const attempt = {
      stateHash: hashSecret(state),
      browserHash: hashSecret(browser),
      provider: provider.name,
      nonce,
      codeVerifier,
      next: localPath(context.body.next),
      expireTime: new Date(Date.parse(at) + MINUTES * 60_000).toISOString(),
    }
    await createAttempt(db, attempt, at)
    context.setCookie(COOKIE, browser, MINUTES * 60)
    return { url }
  })

  bind(server, finishSignIn, async (context) => {
    const { peer, body } = context
    checkLimit(peer)
    const provider = await registrations.oidc(context.params.provider)
    const states = new URLSearchParams(body.query).getAll('state')
    const [state = ''] = states
    const attempt =
      states.length === 1
        ? await takeAttempt(
            db,
            {
              stateHash: hashSecret(state),
              browserHash: hashSecret(context.cookie(COOKIE) ?? ''),
              provider: provider.name,
            },
            now(),
          )
        : undefined
    if (!attempt) {
      const detail = 'It was begun in another browser, more than ten minutes ago, or has been used. Sign in again.'
      throw signInUnknown({ detail })
    }
    const found = await clients
      .person(provider, { query: body.query, state, ...attempt })
      .catch(async (error: unknown) => {
        throw isRefusal(error)
          ? await refused(finishSignIn, provider.name, refusalOf(error))
          : unavailable(provider, error)
      })
    const person = personOf(provider, found)
    if ('refusal' in person) throw await refused(finishSignIn, provider.name, person.refusal)
    const user = await known(person)
    const signedIn = await options.signIn(context as unknown as Context<AnyEndpoint>, {
      user,
      by: `by the provider ${provider.name}`,
      act: finishSignIn,
      provider: provider.name,
      async made(tx, session) {
        await hold(tx, provider.name)
        const { issuer, sub, sid = null, refreshToken } = found
        const sealedToken = refreshToken === undefined ? null : sealer.seal(refreshToken, sessionOwnerOf(session))
        const row = { session, provider: provider.name, key: keyOf(issuer, sub), sid, sealedToken, askTime: now() }
        await createProviderSession(tx, row)
      },
    })
    // Begun and finished: an office behind one address signs in at nine.
    limit.giveBack(peer, 2)
    return { ...signedIn, next: attempt.next }
  })

  bind(server, getSignOut, async ({ subject: { id } }) => {
    const source = id === undefined ? undefined : await sourceOf(db, id)
    if (source === undefined) return {}
    try {
      const url = await clients.signOutUrl(await registrations.oidc(source), `${options.baseUrl()}/sign-in`)
      return url === undefined ? {} : { url }
    } catch {
      // Whoever signs out here is signed out here, whatever the provider does.
      return {}
    }
  })

  const underWay = new Map<string, number>()
  return {
    /**
     * The name of the account whose password in a directory this is; undefined when it is not. Throws notFound for a
     * provider that there is not, providerUnavailable, and signInRefused for a name that cannot be used here.
     */
    async bySource(name: string, user: string, password: string): Promise<string | undefined> {
      const provider = await registrations.ldap(name)
      const others = underWay.get(name) ?? 0
      if (others >= MOST_AT_ONCE) throw unavailable(provider, new Error('too many sign-ins wait for it'))
      underWay.set(name, others + 1)
      try {
        const found = await withDirectory(provider, (directory) => proven(directory, provider, user, password)).catch(
          (error: unknown) => {
            throw isProblem(error) ? error : unavailable(provider, error)
          },
        )
        if (!found) return undefined
        const person = personOfDirectory(provider.name, found)
        if ('refusal' in person) throw await refused(finishSignIn, provider.name, person.refusal)
        return await known(person)
      } finally {
        underWay.set(name, (underWay.get(name) ?? 1) - 1)
      }
    },
    hold,
    /** Whether anybody can sign in with something else than a password of this platform. */
    anyEnabled: async (): Promise<boolean> => (await listChoices(db)).length > 0,
  }
}

/** Somebody of a directory with the groups that it has them in. */
export type FoundPerson = DirectoryPerson & { groups: ProvidedPerson['groups'] }

async function proven(
  directory: Directory,
  { settings }: Registered<'ldap'>,
  user: string,
  password: string,
): Promise<FoundPerson | undefined> {
  const found = await directory.person(user)
  // Somebody unknown is asked for as long as somebody known.
  const right = await directory.proves(found?.dn ?? nobody(settings), password)
  if (!found || !right) return undefined
  await directory.rebind()
  return {
    ...found,
    groups: settings.groupBaseDn === undefined ? undefined : await directory.groups(found, found.name),
  }
}

/** Somebody as the store takes them, or why not. */
export function personOfDirectory(
  source: string,
  { key, name, title, email, groups }: FoundPerson,
): ProvidedPerson | { refusal: string } {
  if (key === '') return { refusal: 'The directory gave no attribute that stays with this person; set keyAttribute' }
  const account = accountName(name)
  if ('refusal' in account) return account
  return { source, key, ...account, title: readable(title, 100), email: readable(email, 254), groups }
}

function personOf(
  { name: source, settings }: Registered<'oidc'>,
  { issuer, sub, claims }: OidcPerson,
): ProvidedPerson | { refusal: string } {
  // Everybody whom it does not tell apart would be one person here.
  if (sub.trim() === '') return { refusal: 'It gave no sub, which tells people apart' }
  const account = accountName(claims[settings.nameClaim])
  if ('refusal' in account) return account
  const { groupsClaim } = settings
  return {
    source,
    key: keyOf(issuer, sub),
    ...account,
    title: readable(claims.name, 100),
    email: readable(claims.email, 254),
    groups: groupsClaim === undefined ? undefined : providedGroups(claims[groupsClaim] ?? [], source),
  }
}

// What openid-client finds wrong with what was sent, as opposed to a provider that cannot be asked.
const REFUSALS =
  /^(OAUTH_(INVALID_RESPONSE|JWT_CLAIM_COMPARISON_FAILED|JWT_TIMESTAMP_CHECK_FAILED|INVALID_SIGNATURE|KEY_SELECTION_FAILED|ATTRIBUTE_COMPARISON|RESPONSE_BODY_ERROR|AUTHORIZATION_RESPONSE_ERROR|UNSUPPORTED_OPERATION))/

const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '')
const isRefusal = (error: unknown): boolean => REFUSALS.test(codeOf(error))

function refusalOf(error: unknown): string {
  const { error: said } = error as { error?: unknown }
  const word = typeof said === 'string' && /^[a-z_]{1,60}$/.test(said) ? said : codeOf(error)
  return error instanceof AuthorizationResponseError
    ? `The provider did not sign anybody in (${word})`
    : `What the provider sent is not in order (${word})`
}
