/** Where a package writes what an operator should know; a pino logger fits as it is. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Says nothing. */
export const silentLog: Log = { info() {}, warn() {}, error() {} }
