import {
  type AnyEndpoint,
  isProblem,
  notFound,
  type Permission,
  type Problem,
  permissionMissing,
  type Scope,
  type Subject,
  scopeOf,
  signInRequired,
  storeUnavailable,
} from '@quarterdeck/kernel'
import type { FastifyRequest } from 'fastify'
import { readCookie } from './cookie.ts'
import { checkOrigin, checkPermission, checkRate, requirePermission } from './guard.ts'
import type { Credential, Server } from './server.ts'

/** A request after `admit`. */
export type Admitted = FastifyRequest & {
  subject: Subject
  /** What its handler has required besides; as long as a stream is open, all of it has to hold. */
  required?: { permission: Permission; scope: Scope }[]
}

// Whoever loses a permission loses what is open within 5 s (reliability.md A17).
const ASK_AGAIN_MS = 4_000

const BEARER = /^Bearer +([\x21-\x7e]{1,500})$/i
const BASIC = /^Basic +([A-Za-z0-9+/]{1,1000}={0,2})$/i

/** What only some endpoints do. */
export interface Admission {
  /** True: reading, too, only from a page of ours or with a token. */
  reads?: boolean
  /** True: a token may also come as the password of HTTP Basic. */
  basic?: boolean
  /** What the request takes of its peer's rate; 1 when absent. */
  cost?: number
}

/** The password of HTTP Basic, whatever the user's name is. */
const passwordOf = (authorization: string): string | undefined => {
  const encoded = BASIC.exec(authorization)?.[1]
  return encoded && /^[^:]*:([\x21-\x7e]{1,500})$/.exec(Buffer.from(encoded, 'base64').toString('latin1'))?.[1]
}

function credentialOf(server: Server, request: FastifyRequest, { basic = false }: Admission): Credential | undefined {
  const { authorization } = request.headers
  if (authorization !== undefined) {
    const token = BEARER.exec(authorization)?.[1] ?? (basic ? passwordOf(authorization) : undefined)
    if (token === undefined) throw signInRequired({ detail: 'Send a token as Authorization: Bearer <token>' })
    return { token }
  }
  const session = readCookie(request, 'session', server.publicUrl)
  return session === undefined || session === '' ? undefined : { session }
}

/**
 * Lets a request in or throws: rate, origin, sign-in, permission, in this order and before the body is read. The
 * subject is kept on the request.
 */
export async function admit(
  server: Server,
  endpoint: AnyEndpoint,
  request: FastifyRequest,
  admission: Admission = {},
): Promise<void> {
  const { cost = 1 } = admission
  checkRate(server.rateLimit, request.ip, cost)
  try {
    const credential = credentialOf(server, request, admission)
    checkOrigin(request, credential?.session !== undefined, server.publicUrl, admission)
    const subject = credential && (await subjectOf(server, endpoint, credential, request.ip))
    if (credential && !subject && endpoint.permission !== 'anonymous') throw notSignedIn(credential)
    const scope = scopeOf(request.params as Record<string, unknown>)
    const admitted = checkPermission(server.authority, endpoint, subject, scope)
    checkStepUp(server, admitted, endpoint, scope)
    ;(request as Admitted).subject = admitted
  } catch (error) {
    // What is cheap to answer is not cheap to refuse, and nobody has a use for it but who guesses.
    if (cost < 1) server.rateLimit.take(request.ip, 1 - cost)
    throw error
  }
}

/** Throws the problem that asks for a one-time password. What is open already stays open when its code grows old. */
export function checkStepUp(
  { options }: Server,
  subject: Subject,
  endpoint: AnyEndpoint,
  scope: Scope,
  permission: Permission = endpoint.permission,
): void {
  if (endpoint.permission === 'anonymous') return
  const problem = options.stepUp?.(subject, endpoint, scope, permission)
  if (problem) throw problem
}

const notSignedIn = ({ token }: Credential) =>
  signInRequired({
    detail: token
      ? 'This token is unknown, revoked or expired, or does not count from your address; make a new one with qd login or qd token create'
      : 'Your session has ended; sign in again',
  })

/** Anonymous endpoints answer without the store: the set-up page has to show while it starts. */
async function subjectOf(
  server: Server,
  endpoint: AnyEndpoint,
  credential: Credential,
  peer: string,
): Promise<Subject | undefined> {
  try {
    return await server.options.authenticate(credential, { passive: false, peer })
  } catch (error) {
    if (endpoint.permission === 'anonymous' && isProblem(error, storeUnavailable)) return undefined
    throw error
  }
}

/** Sensitive reads are written down before they are answered. */
export async function recordRead(server: Server, endpoint: AnyEndpoint, request: FastifyRequest): Promise<void> {
  if (endpoint.recorded === 'no') return
  const { subject } = request as Admitted
  await withinOrigin(server, request, () =>
    server.options.recordRead?.(subject, endpoint, request.params as Record<string, unknown>),
  )
}

/** What the client calls itself, at most 200 characters; nothing to rely on. */
export const clientOf = (headers: FastifyRequest['headers']): string => (headers['user-agent'] ?? '').slice(0, 200)

/** Runs what a request asks for, so that whoever writes it down knows where it came from. */
export function withinOrigin<T>(server: Server, request: FastifyRequest, fn: () => T): T {
  const { within } = server.options
  if (!within) return fn()
  const credential = (request as Admitted).subject.credentialId
  const origin = { peer: request.ip, client: clientOf(request.headers), request: request.id }
  return within(credential ? { ...origin, credential } : origin, fn)
}

/** Asks again every 4 s while a stream or socket is open and calls `lost` once it is no longer allowed. */
export function stillAdmitted(
  server: Server,
  endpoint: AnyEndpoint,
  request: FastifyRequest,
  lost: (problem: Problem) => void,
  admission: Admission = {},
): () => void {
  const credential = endpoint.permission === 'anonymous' ? undefined : credentialOf(server, request, admission)
  if (!credential) return () => undefined
  const timer = setInterval(async () => {
    try {
      const subject = await server.options.authenticate(credential, { passive: true, peer: request.ip })
      if (!subject) return lost(signInRequired({ detail: 'The sign-in has ended; sign in again' }))
      checkPermission(server.authority, endpoint, subject, scopeOf(request.params as Record<string, unknown>))
      for (const { permission, scope } of (request as Admitted).required ?? []) {
        requirePermission(server.authority, subject, permission, scope)
      }
    } catch (error) {
      // While the store is away what is open stays open: it was allowed, and nothing says that it no longer is.
      if (isProblem(error, permissionMissing) || isProblem(error, notFound)) lost(error)
      else if (!isProblem(error, storeUnavailable))
        request.log.error({ err: error }, 'asking again who is signed in failed')
    }
  }, ASK_AGAIN_MS)
  timer.unref()
  return () => clearInterval(timer)
}
