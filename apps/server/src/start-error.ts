import { StoreError } from '@quarterdeck/store'
import { portOwner } from './port-owner.ts'

/** Why the server does not start, with what to do about it. Exit status 1. */
export class StartError extends Error {
  readonly cure: string
  constructor(message: string, cure: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StartError'
    this.cure = cure
  }
}

/** Puts what listening on a port can fail with into words. */
export function listenFailure(error: unknown, host: string, port: number): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') {
    const owner = portOwner(port)
    return new StartError(
      `Port ${port} is in use${owner ? ` by ${owner}` : ''}`,
      'Stop that, or start Quarterdeck with another QUARTERDECK_PORT',
      { cause: error },
    )
  }
  if (code === 'EACCES') {
    const cure = 'Choose a QUARTERDECK_PORT above 1023, or start as a user that may take it'
    return new StartError(`Port ${port} may not be taken by this user`, cure, { cause: error })
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    const cure = 'Set QUARTERDECK_HOST to an address of this machine, such as 127.0.0.1 or 0.0.0.0'
    return new StartError(`${host} is not an address of this machine`, cure, { cause: error })
  }
  return error
}

/** The words for the terminal: what is wrong and what to do; undefined for an error that nobody foresaw. */
export function explain(error: unknown): string | undefined {
  if (error instanceof StartError || error instanceof StoreError) return `${error.message}\n${error.cure}`
  return undefined
}
