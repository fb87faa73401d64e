import { invalidInput, notFound, Problem, type ProblemBody, problemType, tooLarge } from '@quarterdeck/kernel'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

export const unsupportedMediaType = problemType('unsupported-media-type', 415, 'This content type is not accepted')

export const upgradeRequired = problemType('upgrade-required', 426, 'This endpoint is a WebSocket')
export const serverClosing = problemType('server-closing', 503, 'The server is closing')

const about = (status: number, title: string): Problem => new Problem({ type: 'about:blank', title, status })

/** What the client is told. Undefined: unexpected, to be logged and answered without detail. */
function problemOf(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error
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
  else if (problem.body.status >= 500) request.log.warn({ err: problem.cause ?? problem }, problem.message)
  return {
    ...(problem ?? about(500, 'Something went wrong on the server')).body,
    instance: `/requests/${request.id}`,
  }
}

// Whoever sends ten times too much by mistake is told; whoever sends without end is cut off.
const READ_TO_TELL_BYTES = 64 * 1024 * 1024

/**
 * Reads on and forgets what comes, so that the answer arrives: a connection closed in the middle of a body is reset,
 * and most clients then never see what was answered.
 */
function readOn({ raw }: FastifyRequest, reply: FastifyReply): void {
  void reply.removeHeader('connection')
  let bytes = 0
  raw.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > READ_TO_TELL_BYTES) raw.socket.destroy()
  })
}

/** Answers with a problem whatever was thrown. Unexpected errors are logged once and told without detail. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const body = problemBody(error, request)
  if (body.retryAfterSeconds !== undefined) void reply.header('retry-after', Math.ceil(body.retryAfterSeconds))
  if (body.status === 413) readOn(request, reply)
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
