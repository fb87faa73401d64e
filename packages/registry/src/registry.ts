import { baseUrl, type RegistryAddress } from './address.ts'
import { type Answer, exchange } from './exchange.ts'
import {
  ACCEPT,
  Configuration,
  chooseManifest,
  digestOf,
  type Platform,
  parseBody,
  parseManifest,
  requireImage,
} from './manifest.ts'
import { readPages } from './pages.ts'
import { RegistryError } from './registry-error.ts'
import { answerChallenge, createTokenCache, type TokenCache } from './token.ts'

/** An image as its registry describes it. */
export interface RegistryImage {
  /** Of what the reference names: the index where there is one. This is what pins the image. */
  digest: string
  configuration: Configuration
  /** Compressed layers and configuration: what a node pulls. */
  sizeBytes: number
}

/** A list that may have been cut at its limit. */
export interface Listing {
  items: string[]
  complete: boolean
}

/** One registry. Every function throws RegistryError; `signal` ends a request early. */
export interface Registry {
  readonly host: string
  /** Resolves when the registry answers as a registry does. */
  ping(signal?: AbortSignal): Promise<void>
  /** Names of repositories, at most `limit`. Many public registries refuse this. */
  repositories(limit: number, signal?: AbortSignal): Promise<Listing>
  /** Tags of a repository, at most `limit`, in the registry's order. */
  tags(repository: string, limit: number, signal?: AbortSignal): Promise<Listing>
  /** The digest that a tag or digest stands for now. */
  resolve(repository: string, reference: string, signal?: AbortSignal): Promise<string>
  /** The image behind a tag or digest; every part is checked against its digest. */
  image(repository: string, reference: string, platform: Platform, signal?: AbortSignal): Promise<RegistryImage>
}

export interface RegistryOptions {
  /** For one request with its redirects. Default 10 000. */
  timeoutMs?: number
  /** For one manifest, configuration or page of a list. Default 4 MiB. */
  limitBytes?: number
}

/** Opens no connection yet. Keeps its tokens in memory until they expire. */
export function openRegistry(
  address: RegistryAddress,
  { timeoutMs = 10_000, limitBytes = 4 * 2 ** 20 }: RegistryOptions = {},
): Registry {
  const { host } = address
  const ask = asking(address, createTokenCache(), { timeoutMs, limitBytes })
  const manifest = async (repository: string, reference: string, signal: AbortSignal | undefined) => {
    const what = `${host}/${repository}${reference.includes(':') ? '@' : ':'}${reference}`
    const answer = await ask(`v2/${repository}/manifests/${reference}`, pullScope(repository), {
      what,
      accept: ACCEPT,
      signal,
    })
    const digest = digestOf(answer.body)
    checkDigest(reference.includes(':') ? reference : answer.headers['docker-content-digest'], digest, host, what)
    return { digest, what, parsed: parseManifest(answer.body, host, what) }
  }
  const images = new Map<string, Omit<RegistryImage, 'digest'>>()
  return {
    host,
    async ping(signal) {
      await ask('v2/', '', { what: host, signal })
    },
    repositories: (limit, signal) =>
      readPages('v2/_catalog', 'repositories', limit, (path) =>
        ask(path, 'registry:catalog:*', { what: `the list of repositories of ${host}`, signal }),
      ),
    tags: (repository, limit, signal) =>
      readPages(`v2/${repository}/tags/list`, 'tags', limit, (path) =>
        ask(path, pullScope(repository), { what: `${host}/${repository}`, signal }),
      ),
    async resolve(repository, reference, signal) {
      const what = `${host}/${repository}:${reference}`
      const path = `v2/${repository}/manifests/${reference}`
      const answer = await ask(path, pullScope(repository), { what, accept: ACCEPT, method: 'HEAD', signal })
      const digest = answer.headers['docker-content-digest']
      if (typeof digest === 'string' && /^sha256:[0-9a-f]{64}$/.test(digest)) return digest
      return (await manifest(repository, reference, signal)).digest
    },
    async image(repository, reference, platform, signal) {
      const { digest, what, parsed } = await manifest(repository, reference, signal)
      // What a digest stands for never changes; whether we may read it was just asked.
      const key = `${repository}@${digest} ${platform.os}/${platform.architecture}`
      const known = images.get(key)
      if (known) return { digest, ...known }
      const chosen =
        'manifests' in parsed
          ? (await manifest(repository, chooseManifest(parsed, platform, host, what).digest, signal)).parsed
          : parsed
      if ('manifests' in chosen) throw new RegistryError('Unsound', host, `${what} is an index of indexes`)
      requireImage(chosen, host, what)
      const blob = await ask(`v2/${repository}/blobs/${chosen.config.digest}`, pullScope(repository), { what, signal })
      checkDigest(chosen.config.digest, digestOf(blob.body), host, `the configuration of ${what}`)
      const configuration = parseBody(Configuration, blob.body, host, `a configuration of ${what}`)
      const sizeBytes = chosen.layers.reduce((sum, { size }) => sum + size, chosen.config.size)
      remember(images, key, { configuration, sizeBytes })
      return { digest, configuration, sizeBytes }
    },
  }
}

const REMEMBERED = 100

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > REMEMBERED && oldest !== undefined) map.delete(oldest)
}

const pullScope = (repository: string) => `repository:${repository}:pull`

function checkDigest(expected: unknown, actual: string, host: string, what: string): void {
  if (typeof expected !== 'string' || !expected.startsWith('sha256:') || expected === actual) return
  throw new RegistryError(
    'Unsound',
    host,
    `${what} should have the digest ${expected}, but what ${host} sends has ${actual}`,
  )
}

interface Question {
  /** What is asked for, for errors. */
  what: string
  accept?: string
  method?: 'GET' | 'HEAD'
  signal?: AbortSignal | undefined
}

/** A request that answers one challenge and turns every answer but 200 into a RegistryError. */
function asking(address: RegistryAddress, tokens: TokenCache, limits: { timeoutMs: number; limitBytes: number }) {
  const { host } = address
  const base = baseUrl(address)
  return async (path: string, scope: string, { what, accept, method = 'GET', signal }: Question): Promise<Answer> => {
    const send = (authorization: string | undefined) =>
      exchange(new URL(path, base), {
        ...limits,
        host,
        base,
        method,
        signal,
        headers: { accept: accept ?? 'application/json, */*', ...(authorization ? { authorization } : {}) },
      })
    const known = tokens.get(scope)
    let answer = await send(known)
    if (answer.status === 401) {
      tokens.delete(scope)
      const challenge = answer.headers['www-authenticate']
      const header = Array.isArray(challenge) ? challenge.join(', ') : (challenge ?? '')
      const given = await answerChallenge(address, header, scope, { timeoutMs: limits.timeoutMs, signal })
      if (given) {
        tokens.set(scope, given.authorization, given.seconds)
        answer = await send(given.authorization)
      }
    }
    if (answer.status !== 200) throw refusal(answer, address, what)
    return answer
  }
}

function refusal({ status }: Answer, { host, credentials }: RegistryAddress, what: string): RegistryError {
  if (status === 404) return new RegistryError('Absent', host, `${host} has no ${what.replace(`${host}/`, '')}`)
  if (status === 401 || status === 403) {
    const who = credentials ? `${credentials.username} to read` : 'anybody without a sign-in to read'
    return new RegistryError('Refused', host, `${host} does not allow ${who} ${what}, or it is not there`)
  }
  if (status === 429)
    return new RegistryError('Refused', host, `${host} has had too many requests from here; try again later`)
  if (status >= 500) return new RegistryError('Unreachable', host, `${host} answers ${status} for ${what}`)
  return new RegistryError('Unsound', host, `${host} answers ${status} for ${what}`)
}
