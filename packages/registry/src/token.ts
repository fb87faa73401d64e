import { z } from 'zod'
import { baseUrl, type RegistryAddress } from './address.ts'
import { exchange } from './exchange.ts'
import { RegistryError } from './registry-error.ts'

/** One challenge of a WWW-Authenticate header (RFC 9110 §11.6.1); scheme in lower case. */
export interface Challenge {
  scheme: string
  parameters: Record<string, string>
}

const TokenAnswer = z.object({
  token: z.string().max(16_384).optional(),
  access_token: z.string().max(16_384).optional(),
  expires_in: z.number().optional(),
})

// The token specification's own default, for registries that do not say.
const DEFAULT_SECONDS = 60
const TOKENS = 1_000

/** Tokens by registry and scope, until shortly before they expire. */
export interface TokenCache {
  get(key: string): string | undefined
  set(key: string, token: string, seconds: number): void
  delete(key: string): void
}

export function createTokenCache(now: () => number = () => performance.now()): TokenCache {
  const tokens = new Map<string, { token: string; untilMs: number }>()
  return {
    get(key) {
      const found = tokens.get(key)
      return found && found.untilMs > now() ? found.token : undefined
    },
    set(key, token, seconds) {
      tokens.delete(key)
      tokens.set(key, { token, untilMs: now() + Math.max(0, seconds - 10) * 1000 })
      for (const oldest of tokens.size > TOKENS ? tokens.keys() : []) {
        tokens.delete(oldest)
        break
      }
    },
    delete: (key) => void tokens.delete(key),
  }
}

/** The challenges in a header, in order; what cannot be read is left out. Linear in the header's length. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = []
  // A word, then either ="quoted" or =bare; a word without = begins a new scheme.
  const part = /([A-Za-z0-9!#$%&'*+.^_`|~-]{1,64})(?:\s{0,8}=\s{0,8}(?:"((?:[^"\\]|\\.){0,4096})"|([^\s,"]{0,1024})))?/g
  for (const [, word = '', quoted, bare] of header.slice(0, 8_192).matchAll(part)) {
    const value = quoted?.replace(/\\(.)/g, '$1') ?? bare
    if (value === undefined) challenges.push({ scheme: word.toLowerCase(), parameters: {} })
    else {
      const current = challenges.at(-1)
      if (current) current.parameters[word.toLowerCase()] = value
    }
  }
  return challenges
}

/**
 * The Authorization header that a challenge asks for, or undefined when there is none to give. `scope` is ours, never the
 * registry's, so that nothing beyond reading is ever asked for. A realm on another host is asked without credentials.
 */
export async function answerChallenge(
  address: RegistryAddress,
  header: string,
  scope: string,
  options: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<{ authorization: string; seconds: number } | undefined> {
  const challenges = parseChallenges(header)
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
  if (bearer) return fetchToken(address, bearer, scope, options)
  const { credentials } = address
  if (!credentials || !challenges.some(({ scheme }) => scheme === 'basic')) return undefined
  return { authorization: basic(credentials), seconds: 3_600 }
}

const basic = ({ username, password }: { username: string; password: string }) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

async function fetchToken(
  address: RegistryAddress,
  { parameters }: Challenge,
  scope: string,
  options: { timeoutMs: number; signal?: AbortSignal | undefined },
) {
  const { host, credentials } = address
  const base = baseUrl(address)
  const unsound = (what: string) => new RegistryError('Unsound', host, `${host} asks for a token, but ${what}`)
  if (!parameters.realm || !URL.canParse(parameters.realm)) throw unsound('does not say where to get one')
  const url = new URL(parameters.realm)
  if (parameters.service) url.searchParams.set('service', parameters.service)
  if (scope) url.searchParams.set('scope', scope)
  const own = url.origin === base.origin
  const answer = await exchange(url, {
    ...options,
    host,
    base,
    limitBytes: 65_536,
    headers: { accept: 'application/json', ...(own && credentials ? { authorization: basic(credentials) } : {}) },
  })
  if (answer.status === 401 || answer.status === 403) {
    throw new RegistryError('Refused', host, `${url.host} gives no token for ${host}: it answers ${answer.status}`)
  }
  if (answer.status !== 200) throw unsound(`${url.host} answers ${answer.status}`)
  const parsed = TokenAnswer.safeParse(jsonOf(answer.body))
  const token = parsed.data?.token ?? parsed.data?.access_token
  if (!token || !/^[\x21-\x7e]+$/.test(token)) throw unsound(`${url.host} gives none that can be used`)
  return { authorization: `Bearer ${token}`, seconds: parsed.data?.expires_in ?? DEFAULT_SECONDS }
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
