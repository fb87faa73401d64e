import {
  invalidInput,
  notFound,
  Problem,
  type ProblemBody,
  problemType,
  storeUnavailable,
  tooLarge,
} from '@quarterdeck/kernel'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

export const unsupportedMediaType = problemType('unsupported-media-type', 415, 'This content type is not accepted')

const CONNECTION_LOST = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  // PostgreSQL's own: admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections, disk_full
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '53100',
])
const LOST_IN_WORDS = /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connec)/

/**
 * True when the error says that PostgreSQL does not answer; see "Class 08" and "57P" of PostgreSQL's appendix A.
 * Socket errors count only when they come straight from the driver, which has no `cause` as fetch has.
 */
export function isStoreUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code, syscall, severity } = error as Error & { code?: unknown; syscall?: unknown; severity?: unknown }
  if (LOST_IN_WORDS.test(error.message)) return true
  if (typeof code !== 'string') return false
  if (code.startsWith('08')) return severity !== undefined
  if (!CONNECTION_LOST.has(code)) return false
  return severity !== undefined || syscall === 'connect' || syscall === 'read' || syscall === 'write'
}

const about = (status: number, title: string): Problem => new Problem({ type: 'about:blank', title, status })

/** What the client is told. Undefined: unexpected, to be logged and answered without detail. */
function problemOf(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error
  if (isStoreUnavailable(error)) {
    return storeUnavailable({ detail: 'PostgreSQL does not answer; try again shortly', retryAfterSeconds: 5 })
  }
  const { code, statusCode, message } = error as FastifyError
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return tooLarge({ detail: 'The body is larger than this endpoint accepts; send less at a time' })
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return unsupportedMediaType({ detail: 'Send the body as application/json' })
  }
  if (code === 'FST_ERR_ASYNC_CONSTRAINT' || code === 'FST_ERR_BAD_URL') {
    return invalidInput({ detail: 'The path is not a valid URL path' })
  }
  if (error instanceof SyntaxError || code === 'FST_ERR_CTP_INVALID_JSON_BODY') {
    return invalidInput({ detail: 'The body is not valid JSON', errors: [{ pointer: '/body', detail: message }] })
  }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) return invalidInput({ detail: message })
  return undefined
}

/** Body as it travels: the occurrence with the request it belongs to. */
export function problemBody(error: unknown, request: FastifyRequest): ProblemBody {
  const problem = problemOf(error)
  if (!problem) request.log.error({ err: error }, 'unexpected failure')
  return {
    ...(problem ?? about(500, 'Something went wrong on the server')).body,
    instance: `/requests/${request.id}`,
  }
}

/** Answers with a problem whatever was thrown. Unexpected errors are logged once and told without detail. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const body = problemBody(error, request)
  if (body.retryAfterSeconds !== undefined) void reply.header('retry-after', Math.ceil(body.retryAfterSeconds))
  if (body.status === 401) void reply.header('www-authenticate', 'Bearer realm="quarterdeck"')
  return reply
    .code(body.status)
    .header('cache-control', 'no-store')
    .header('content-type', 'application/problem+json; charset=utf-8')
    .serializer((text) => text as string)
    .send(JSON.stringify(body))
}

export const noSuchRoute = (request: FastifyRequest) =>
  notFound({ detail: `There is no ${request.method} ${request.url.split('?')[0]}; see /api/v1/openapi.json` })
