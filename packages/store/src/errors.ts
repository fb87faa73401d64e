import { isProblem, Problem, storeUnavailable } from '@quarterdeck/kernel'

/** Why the store cannot be had; each has its own cure. */
export type StoreFailure =
  | 'in-use'
  | 'disk-full'
  | 'not-writable'
  | 'not-reachable'
  | 'no-account'
  | 'no-binaries'
  | 'wrong-version'
  | 'newer-database'
  | 'bad-url'
  | 'failed'

/** The store cannot be opened or kept. `message` says what is wrong, `cure` what the reader can do about it. */
export class StoreError extends Error {
  readonly reason: StoreFailure
  readonly cure: string
  /** Process id of the other owner; only with reason `in-use`, and only when it is known. */
  readonly pid: number | undefined
  constructor(reason: StoreFailure, message: string, cure: string, options: { cause?: unknown; pid?: number } = {}) {
    super(message, { cause: options.cause })
    this.name = 'StoreError'
    this.reason = reason
    this.cure = cure
    this.pid = options.pid
  }
}

/** The problem that a door answers with while the store cannot answer; `cause` is what happened. */
export function unavailable(cause: unknown, detail = 'The database does not answer; it is tried again'): Problem {
  return Object.assign(storeUnavailable({ detail, retryAfterSeconds: 2 }), { cause })
}

/**
 * COMMIT was sent and its answer was lost: the transaction is either wholly there or wholly absent, and only a look-up
 * (by idempotency key) tells which. Never retried here. A door that lets it pass answers 503.
 */
export class AmbiguousCommitError extends Problem {
  constructor(cause: unknown) {
    super(
      storeUnavailable({
        detail: 'The database was lost while committing. Repeat the request with the same Idempotency-Key',
        retryAfterSeconds: 2,
      }).body,
    )
    this.name = 'AmbiguousCommitError'
    this.cause = cause
  }
}

const field = (error: unknown, name: string): unknown =>
  typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[name] : undefined

/** The five-character SQLSTATE of the error or its cause, or undefined when the server did not send it. */
export function sqlState(error: unknown): string | undefined {
  if (error instanceof Problem) return sqlState(error.cause)
  const code = field(error, 'code')
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && field(error, 'severity') !== undefined
    ? code
    : undefined
}

/** True when the server rolled back and the same transaction may well succeed now: serialization failure or deadlock. */
export function isRetriable(error: unknown): boolean {
  const state = sqlState(error)
  return state === '40001' || state === '40P01'
}

/** True when the server itself refused the statement; the session is still good and nothing is in doubt. */
export const isStatementError = (error: unknown): boolean =>
  error instanceof Problem
    ? isStatementError(error.cause)
    : sqlState(error) !== undefined && field(error, 'severity') === 'ERROR'

const connectionCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EACCES',
])
const connectionMessages =
  /^(Connection terminated|Client has encountered a connection error|Query read timeout|timeout exceeded when trying to connect|timeout expired|Cannot use a pool after calling end|The database connection is lost|Client was closed|Postgres connection has been discarded)/

/** True when the session is gone or hung, whatever the statement was. */
export function isConnectionFailure(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined)
    return state.startsWith('08') || state.startsWith('57P') || field(error, 'severity') !== 'ERROR'
  const code = field(error, 'code')
  if (typeof code === 'string' && connectionCodes.has(code)) {
    const call = field(error, 'syscall')
    return call === 'connect' || call === 'read' || call === 'write' || call === 'getaddrinfo'
  }
  return error instanceof Error && connectionMessages.test(error.message)
}

/**
 * True when the store cannot answer now and may soon: the door answers 503 with Retry-After. Also true for
 * {@link AmbiguousCommitError}; whoever has an idempotency key looks it up first.
 */
export function isUnavailable(error: unknown): boolean {
  if (isProblem(error, storeUnavailable) || error instanceof StoreError) return true
  if (isConnectionFailure(error) || isRetriable(error)) return true
  const state = sqlState(error)
  // 53: out of connections, memory or disk · 57014: statement timeout · 25006: read-only (a standby) · 25P03: idle too long
  return state !== undefined && (state.startsWith('53') || ['57014', '25006', '25P03', '58030'].includes(state))
}
