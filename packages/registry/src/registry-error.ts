/**
 * Why a registry gave no answer that can be used. Absent: no such repository, tag, digest or platform. Unreachable: no
 * connection, no answer in time, or a server error. Refused: it wants a sign-in, forbids, or asks to wait. Unsound: the
 * answer is too large, malformed, or not what its digest says.
 */
export type RegistryErrorReason = 'Absent' | 'Unreachable' | 'Refused' | 'Unsound'

/** What every function of this package throws when a registry is at fault; `message` is a sentence for people. */
export class RegistryError extends Error {
  readonly reason: RegistryErrorReason
  readonly host: string
  constructor(reason: RegistryErrorReason, host: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RegistryError'
    this.reason = reason
    this.host = host
  }
}
