import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  Configuration,
  type CustomFetch,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  getJwksCache,
  None,
  type ServerMetadata,
  setJwksCache,
} from 'openid-client'
import { boundedFetch } from './fetch.routes.ts'
import type { OidcSettings } from './provider.contract.ts'

/** An OIDC provider as it is registered. */
export interface OidcRegistration {
  name: string
  revision: string
  settings: OidcSettings
  secret: string | undefined
  redirectUri: string
}

/** Somebody who has signed in at a provider. */
export interface OidcPerson {
  issuer: string
  sub: string
  claims: Record<string, unknown>
}

type JwksCache = NonNullable<ReturnType<typeof getJwksCache>>
interface Known {
  revision: string
  metadata: ServerMetadata
  readMs: number
  /** Keys as last read: kept for five minutes; a key that is not among them has them read again, once a minute. */
  keys: JwksCache | undefined
}

// What a provider says of itself changes with its releases.
const KEPT_MS = 10 * 60_000
/** A sign-in ends within this time, whatever the provider does. */
const LIMIT_MS = 4_500
const MOST_AT_ONCE = 50

export class TooManySignIns extends Error {}

/** What is known of OIDC providers, and what is asked of them. Rejects with what openid-client and Node say. */
export function openOidcClients() {
  const known = new Map<string, Known>()
  const underWay = new Map<string, number>()

  function authenticationOf(
    { secret }: OidcRegistration,
    { token_endpoint_auth_methods_supported: ways }: ServerMetadata,
  ): ClientAuth {
    if (secret === undefined) return None()
    return ways && !ways.includes('client_secret_post') ? ClientSecretBasic(secret) : ClientSecretPost(secret)
  }

  async function configure(registration: OidcRegistration, signal: AbortSignal): Promise<Configuration> {
    const { name, revision, settings } = registration
    const { issuer, clientId, authorities } = settings
    const fetch = boundedFetch(signal, authorities) as CustomFetch
    // Only this machine itself may be asked without TLS: the contract sees to it.
    const insecure = issuer.startsWith('http:') ? [allowInsecureRequests] : []
    const found = known.get(name)
    let current = found && found.revision === revision && performance.now() - found.readMs < KEPT_MS ? found : undefined
    if (!current) {
      const discovered = await discovery(new URL(issuer), clientId, undefined, None(), {
        [customFetch]: fetch,
        execute: insecure,
        timeout: LIMIT_MS / 1_000,
      })
      const keys = found?.revision === revision ? found.keys : undefined
      current = { revision, metadata: discovered.serverMetadata(), readMs: performance.now(), keys }
      known.set(name, current)
    }
    const { metadata, keys } = current
    const configuration = new Configuration(
      { ...metadata },
      clientId,
      undefined,
      authenticationOf(registration, metadata),
    )
    configuration[customFetch] = fetch
    configuration.timeout = LIMIT_MS / 1_000
    for (const allow of insecure) allow(configuration)
    enableNonRepudiationChecks(configuration)
    if (keys) setJwksCache(configuration, keys)
    return configuration
  }

  /** Asks a provider something, within the time and not too often at once; keeps the keys that were read for it. */
  async function ask<T>(registration: OidcRegistration, fn: (configuration: Configuration) => Promise<T>): Promise<T> {
    const { name } = registration
    const others = underWay.get(name) ?? 0
    if (others >= MOST_AT_ONCE) throw new TooManySignIns(`${others} sign-ins wait for ${name}`)
    underWay.set(name, others + 1)
    try {
      const configuration = await configure(registration, AbortSignal.timeout(LIMIT_MS))
      try {
        return await fn(configuration)
      } finally {
        const one = known.get(name)
        const keys = getJwksCache(configuration)
        if (one && keys) one.keys = keys
      }
    } finally {
      underWay.set(name, (underWay.get(name) ?? 1) - 1)
    }
  }

  return {
    /** Where the browser goes to sign in. */
    authorizationUrl: (
      registration: OidcRegistration,
      { state, nonce, codeVerifier }: { state: string; nonce: string; codeVerifier: string },
    ): Promise<string> =>
      ask(registration, async (configuration) => {
        const parameters = {
          redirect_uri: registration.redirectUri,
          scope: registration.settings.scopes.join(' '),
          code_challenge: await calculatePKCECodeChallenge(codeVerifier),
          code_challenge_method: 'S256',
          state,
          nonce,
        }
        return buildAuthorizationUrl(configuration, parameters).href
      }),

    /** Who has signed in, from what the provider sent the browser back with. */
    person: (
      registration: OidcRegistration,
      { query, ...expected }: { query: string; state: string; nonce: string; codeVerifier: string },
    ): Promise<OidcPerson> =>
      ask(registration, async (configuration) => {
        const { nameClaim, groupsClaim, issuer } = registration.settings
        const tokens = await authorizationCodeGrant(configuration, new URL(`${registration.redirectUri}?${query}`), {
          pkceCodeVerifier: expected.codeVerifier,
          expectedState: expected.state,
          expectedNonce: expected.nonce,
          idTokenExpected: true,
        })
        const claims = tokens.claims()
        if (!claims) throw new Error(`${issuer} gave no ID token`)
        const missing = [nameClaim, ...(groupsClaim === undefined ? [] : [groupsClaim])].some((one) => !(one in claims))
        const more =
          missing && configuration.serverMetadata().userinfo_endpoint
            ? await fetchUserInfo(configuration, tokens.access_token, claims.sub)
            : {}
        return { issuer: claims.iss, sub: claims.sub, claims: { ...more, ...claims } }
      }),

    /** Where to sign out at the provider as well; undefined when it has no such place. */
    signOutUrl: (registration: OidcRegistration, backTo: string): Promise<string | undefined> =>
      ask(registration, async (configuration) => {
        if (!configuration.serverMetadata().end_session_endpoint) return undefined
        const { clientId } = registration.settings
        return buildEndSessionUrl(configuration, { client_id: clientId, post_logout_redirect_uri: backTo }).href
      }),

    /** Reads what the provider says of itself, and its keys. */
    look: (registration: OidcRegistration): Promise<{ metadata: ServerMetadata; keys: () => Promise<number> }> => {
      known.delete(registration.name)
      return ask(registration, async (configuration) => {
        const metadata = configuration.serverMetadata()
        const fetch = boundedFetch(AbortSignal.timeout(LIMIT_MS), registration.settings.authorities)
        const keys = async () => {
          const answer = await fetch(metadata.jwks_uri ?? '', {
            method: 'GET',
            headers: { accept: 'application/json' },
          })
          const { keys: list } = (await answer.json()) as { keys?: unknown[] }
          if (answer.status !== 200 || !Array.isArray(list))
            throw new Error(`${metadata.jwks_uri} answered ${answer.status}`)
          return list.length
        }
        return { metadata, keys }
      })
    },
  }
}

export type OidcClients = ReturnType<typeof openOidcClients>
