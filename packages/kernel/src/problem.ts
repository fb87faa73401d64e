import { z } from 'zod'

/** RFC 9457 body. `type` is a stable URI reference; `detail` is for this occurrence; members beyond the RFC are ours. */
export const ProblemBody = z.looseObject({
  type: z.string().describe('Stable URI reference of the problem type; /problems/<slug>'),
  title: z.string().describe('What this type of problem is; never varies'),
  status: z.int().min(400).max(599),
  detail: z.string().optional().describe('What happened this time and what to do about it'),
  instance: z.string().optional().describe('/requests/<request id>, as the server log carries it'),
  errors: z
    .array(z.object({ pointer: z.string().describe('JSON pointer into params, query or body'), detail: z.string() }))
    .optional(),
  permission: z.string().optional().describe('The permission that is missing'),
  scope: z
    .record(z.string(), z.string())
    .optional()
    .describe('Where: environment, project or tenant; empty: the platform'),
  grantedBy: z.array(z.string()).optional().describe('Users who could grant it'),
  retryAfterSeconds: z.number().optional(),
})
export type ProblemBody = z.infer<typeof ProblemBody>

/** A failure that the contract declares, the same class on both sides of the wire. */
export class Problem extends Error {
  readonly body: ProblemBody
  constructor(body: ProblemBody) {
    super(body.detail ?? body.title)
    this.name = 'Problem'
    this.body = body
  }
}

/** What one occurrence may add to its type. */
export type ProblemOccurrence = Partial<Omit<ProblemBody, 'type' | 'title' | 'status'>> & { detail: string }

/** Makes the problem for one occurrence; `slug`, `status` and `title` describe the type. */
export interface ProblemType {
  (occurrence: ProblemOccurrence): Problem
  readonly slug: string
  readonly status: number
  readonly title: string
}

/** Declares a type of problem once; endpoints list it, handlers throw it, clients compare `body.type`. */
export function problemType(slug: string, status: number, title: string): ProblemType {
  const create = (occurrence: ProblemOccurrence) =>
    new Problem({ type: `/problems/${slug}`, title, status, ...occurrence })
  return Object.assign(create, { slug, status, title })
}

/** True when `error` is an occurrence of `type`, whichever side of the wire made it. */
export const isProblem = (error: unknown, type?: ProblemType): error is Problem =>
  error instanceof Problem && (type === undefined || error.body.type === `/problems/${type.slug}`)

/** Any endpoint may answer with these without listing them. */
export const invalidInput = problemType('invalid-input', 400, 'The request does not have the shape that is asked for')
export const signInRequired = problemType('sign-in-required', 401, 'Sign in first')
export const permissionMissing = problemType('permission-missing', 403, 'A permission is missing')
export const codeRequired = problemType('code-required', 403, 'This asks for a one-time password')
export const notFound = problemType('not-found', 404, 'There is no such thing')
export const conflict = problemType('conflict', 409, 'This does not fit the present state')
export const tooLarge = problemType('too-large', 413, 'The request is larger than is accepted')
export const tooManyRequests = problemType('too-many-requests', 429, 'Too many requests')
export const storeUnavailable = problemType('store-unavailable', 503, 'The database does not answer')
export const clusterForbidden = problemType('cluster-forbidden', 403, 'The cluster does not allow this')
export const rejectedByCluster = problemType('rejected-by-cluster', 422, 'The cluster does not accept this')
export const clusterConflict = problemType('cluster-conflict', 409, 'Somebody else manages these fields')
export const clusterUnreachable = problemType('cluster-unreachable', 504, 'The cluster does not answer')

/** The problems every endpoint may answer with. */
export const commonProblems: readonly ProblemType[] = [
  invalidInput,
  signInRequired,
  permissionMissing,
  codeRequired,
  notFound,
  conflict,
  tooLarge,
  tooManyRequests,
  storeUnavailable,
]
