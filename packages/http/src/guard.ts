import {
  type AnyEndpoint,
  type Authority,
  notFound,
  type Permission,
  permissionMissing,
  problemType,
  type Scope,
  type Subject,
  signInRequired,
  tooManyRequests,
} from '@quarterdeck/kernel'
import type { FastifyRequest } from 'fastify'
import type { RateLimit } from './rate-limit.ts'

export const foreignOrigin = problemType('foreign-origin', 403, 'The request comes from another site')
export const unknownHost = problemType('unknown-host', 421, 'This server does not go by that name')

/** What an anonymous endpoint's handler sees; has no permission at all. */
export const ANONYMOUS: Subject = Object.freeze({ name: 'anonymous', kind: 'user', permissions: [] })

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]', '::1'])
const hostOf = (authority: string | undefined) => (authority ?? '').toLowerCase().replace(/:\d+$/, '')

/** True for the names under which only this machine reaches itself. */
export const isLoopback = (host: string) => LOOPBACK.has(host)

/**
 * Against DNS rebinding: while listening on loopback only loopback names and the configured one are answered, so a
 * foreign name that resolves to 127.0.0.1 gets nothing.
 */
export function checkHost(request: FastifyRequest, listenHost: string, publicUrl: URL | undefined): void {
  if (!isLoopback(listenHost)) return
  const host = hostOf(request.headers.host)
  if (LOOPBACK.has(host) || (publicUrl && host === publicUrl.hostname)) return
  throw unknownHost({
    detail: 'Use 127.0.0.1 or localhost, or start the server with QUARTERDECK_URL set to the name you use',
  })
}

/** True when the browser says that the page which sent this came from here, false when from elsewhere. */
function sameOrigin(request: FastifyRequest, publicUrl: URL | undefined): boolean | undefined {
  const site = request.headers['sec-fetch-site']
  if (typeof site === 'string' && site !== 'same-origin') return false
  const origin = request.headers.origin
  if (origin !== undefined) {
    if (!URL.canParse(origin)) return false
    return origin === publicUrl?.origin || new URL(origin).host === request.headers.host?.toLowerCase()
  }
  return site === 'same-origin' ? true : undefined
}

/**
 * Against cross-site requests: whatever changes something, and every WebSocket, must not come from another site; with
 * a cookie the browser must say that it comes from here. `reads`: so must whatever only reads.
 */
export function checkOrigin(
  request: FastifyRequest,
  withCookie: boolean,
  publicUrl: URL | undefined,
  { reads = false }: { reads?: boolean } = {},
): void {
  if (request.method === 'GET' && !request.ws && !reads) return
  const same = sameOrigin(request, publicUrl)
  if (same === true || (same === undefined && !withCookie)) return
  throw foreignOrigin({
    detail: 'A signed-in browser may do this only from a page of this server; scripts use a token (qd token create)',
  })
}

/** Throws signInRequired, permissionMissing or, for a place that the subject may not even see, notFound. */
export function checkPermission(
  authority: Authority,
  { permission, reach }: AnyEndpoint,
  subject: Subject | undefined,
  scope: Scope,
): Subject {
  if (permission === 'anonymous') return subject ?? ANONYMOUS
  if (!subject) throw signInRequired({ detail: 'Sign in, or send a token as Authorization: Bearer' })
  if (permission === 'self') return subject
  if (reach === 'anywhere' ? authority.somewhere(subject, permission) : authority.may(subject, permission, scope)) {
    return subject
  }
  // Where it is needed only the handler knows.
  throw denied(authority, subject, permission, reach === 'anywhere' ? {} : scope)
}

/** Throws permissionMissing or, for a place that the subject may not even see, notFound. */
export function requirePermission(authority: Authority, subject: Subject, permission: Permission, scope: Scope): void {
  if (!authority.may(subject, permission, scope)) throw denied(authority, subject, permission, scope)
}

/** What to see a place takes. */
const SEEN_WITH = { environment: 'environment.list', project: 'project.list', tenant: 'tenant.list' } as const

/**
 * The problem for a permission that is missing. Whoever may not see the place learns only that there is none for them:
 * the same words as for a place that does not exist.
 */
export function denied(authority: Authority, subject: Subject, permission: Permission, scope: Scope) {
  for (const place of ['environment', 'project', 'tenant'] as const) {
    const name = scope[place]
    if (name === undefined) continue
    // Whose token this is may see more than it carries.
    if (authority.may({ ...subject, permissions: ['*'] }, SEEN_WITH[place], scope)) break
    return notFound({ detail: noSuchPlace(place, name) })
  }
  return permissionMissing({ permission, scope, ...authority.denial(subject, permission, scope) })
}

/** The words for a place that is not there, or not for who asks. */
export const noSuchPlace = (place: 'environment' | 'project' | 'tenant', name: string): string =>
  `There is no ${place} ${name}, or you may not see it`

/** Throws tooManyRequests when the peer has used up its share. */
export function checkRate(limit: RateLimit, key: string, cost: number): void {
  const retryAfterSeconds = limit.take(key, cost)
  if (retryAfterSeconds > 0) {
    throw tooManyRequests({ detail: `Too many requests; try again in ${retryAfterSeconds} s`, retryAfterSeconds })
  }
}
