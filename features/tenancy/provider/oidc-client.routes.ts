import {
  createRemoteJWKSet,
  type FetchImplementation,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
  customFetch as keyFetch,
} from 'jose'
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
  refreshTokenGrant,
  type ServerMetadata,
  setJwksCache,
  type TokenEndpointResponse,
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
  /** What the provider calls its own session. */
  sid: string | undefined
  refreshToken: string | undefined
}

/** What a provider answers to whether somebody may go on. */
export interface OidcRenewal {
  /** The one to ask with next time. */
  refreshToken: string
  /** Undefined: it says nothing new of the person. */
  claims: Record<string, unknown> | undefined
}

type JwksCache = NonNullable<ReturnType<typeof getJwksCache>>
interface Known {
  revision: string
  metadata: ServerMetadata
  readMs: number
  /** Keys as last read: kept for five minutes; a key that is not among them has them read again, once a minute. */
  keys: JwksCache | undefined
  /** The same for logout tokens. */
  logoutKeys: JWTVerifyGetKey | undefined
}

// What a provider says of itself changes with its releases.
const KEPT_MS = 10 * 60_000
/** A sign-in ends within this time, whatever the provider does. */
const LIMIT_MS = 4_500
const MOST_AT_ONCE = 50

export class TooManySignIns extends Error {}
/** A refresh token turned out to be somebody else's. */
export class AnotherPerson extends Error {}

// Signatures that a public key proves; never one that whoever has read it could have made.
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
/** A logout token that was made longer ago is not accepted; clocks may differ by a minute. */
const LOGOUT_TOKEN_SECONDS = 600
const CLOCK_SECONDS = 60
/** How long the id of a logout token has to be remembered. */
export const LOGOUT_TOKEN_KEPT_SECONDS = LOGOUT_TOKEN_SECONDS + 2 * CLOCK_SECONDS

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
      current = {
        revision,
        metadata: discovered.serverMetadata(),
        readMs: performance.now(),
        keys,
        logoutKeys: undefined,
      }
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

  /** What a token and, where that leaves something out, the provider's own page say of somebody. */
  async function claimsOf(
    configuration: Configuration,
    { settings: { nameClaim, groupsClaim } }: OidcRegistration,
    { claims = {}, accessToken, sub }: { claims?: Record<string, unknown>; accessToken: string; sub: string },
  ): Promise<Record<string, unknown> | undefined> {
    const missing = [nameClaim, ...(groupsClaim === undefined ? [] : [groupsClaim])].some((one) => !(one in claims))
    if (!missing) return claims
    if (!configuration.serverMetadata().userinfo_endpoint) return 'sub' in claims ? claims : undefined
    return { ...(await fetchUserInfo(configuration, accessToken, sub)), ...claims }
  }

  return {
    /** Where the browser goes to sign in. */
    authorizationUrl: (
      registration: OidcRegistration,
      { state, nonce, codeVerifier }: { state: string; nonce: string; codeVerifier: string },
    ): Promise<string> =>
      ask(registration, async (configuration) => {
        const { scopes } = registration.settings
        const parameters = {
          redirect_uri: registration.redirectUri,
          scope: scopes.join(' '),
          // OpenID Connect Core 1.0 §11: without it a provider ignores the scope.
          ...(scopes.includes('offline_access') ? { prompt: 'consent' } : {}),
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
        const tokens = await authorizationCodeGrant(configuration, new URL(`${registration.redirectUri}?${query}`), {
          pkceCodeVerifier: expected.codeVerifier,
          expectedState: expected.state,
          expectedNonce: expected.nonce,
          idTokenExpected: true,
        })
        const claims = tokens.claims()
        if (!claims) throw new Error(`${registration.settings.issuer} gave no ID token`)
        const { iss: issuer, sub, sid } = claims
        const known = await claimsOf(configuration, registration, { claims, accessToken: tokens.access_token, sub })
        return {
          issuer,
          sub,
          claims: { ...known },
          sid: typeof sid === 'string' && sid.length <= 500 ? sid : undefined,
          refreshToken: tokens.refresh_token,
        }
      }),

    /** Whether somebody may go on, and what is said of them now. Throws AnotherPerson. */
    renew: (
      registration: OidcRegistration,
      { refreshToken, sub }: { refreshToken: string; sub: string },
    ): Promise<OidcRenewal> =>
      ask(registration, async (configuration) => {
        const tokens = await refreshTokenGrant(configuration, refreshToken)
        const claims = tokens.claims()
        if (claims && claims.sub !== sub) throw new AnotherPerson(`It answers for ${claims.sub}`)
        const { access_token: accessToken, refresh_token: next = refreshToken }: TokenEndpointResponse = tokens
        const known = await claimsOf(configuration, registration, { ...(claims ? { claims } : {}), accessToken, sub })
        return { refreshToken: next, claims: known }
      }),

    /** What a logout token says, when it is one of this provider for us; whether it was used before is not looked at. */
    logout: (registration: OidcRegistration, token: string): Promise<JWTPayload> =>
      ask(registration, async (configuration) => {
        const { issuer, jwks_uri } = configuration.serverMetadata()
        const { settings, name } = registration
        const read: FetchImplementation = (url, { headers, method }) =>
          boundedFetch(AbortSignal.timeout(LIMIT_MS), settings.authorities)(url, {
            method,
            headers: Object.fromEntries(headers),
          })
        const one = known.get(name)
        const keys =
          one?.logoutKeys ??
          createRemoteJWKSet(new URL(jwks_uri ?? ''), {
            [keyFetch]: read,
            timeoutDuration: LIMIT_MS,
            cooldownDuration: 60_000,
          })
        if (one) one.logoutKeys = keys
        const { payload, protectedHeader } = await jwtVerify(token, keys, {
          issuer,
          audience: settings.clientId,
          algorithms: ALGORITHMS,
          clockTolerance: CLOCK_SECONDS,
          maxTokenAge: LOGOUT_TOKEN_SECONDS,
        })
        requireLogout(payload, protectedHeader.typ)
        return payload
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

/** A logout token is not what it has to be; the message says in which way. */
export class NoLogoutToken extends Error {}

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/** OpenID Connect Back-Channel Logout 1.0 §2.6, what is beyond signature, issuer, audience and times. */
function requireLogout({ sub, sid, jti, events, nonce }: JWTPayload, type: string | undefined): void {
  const event = (events as Record<string, unknown> | null | undefined)?.[LOGOUT_EVENT]
  if (typeof event !== 'object' || event === null)
    throw new NoLogoutToken('events does not say that it is for logging out')
  if (nonce !== undefined) throw new NoLogoutToken('it has a nonce, as ID tokens have')
  if (type !== undefined && !/^(application\/)?(logout\+jwt|jwt)$/i.test(type))
    throw new NoLogoutToken('typ is another')
  if (typeof jti !== 'string' || jti === '') throw new NoLogoutToken('it has no jti')
  if (sub === undefined && typeof sid !== 'string') throw new NoLogoutToken('it has neither sub nor sid')
}
