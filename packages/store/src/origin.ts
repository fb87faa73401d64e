import { AsyncLocalStorage } from 'node:async_hooks'

/** Where a request came from, for what is written down about it. */
export interface Origin {
  /** Network address. */
  peer: string
  /** What the client called itself; nothing to rely on. */
  client: string
  /** Id of the session or token; absent: none, as when signing in. */
  credential?: string | undefined
  /** Id of the request, as in the log. */
  request: string
}

const current = new AsyncLocalStorage<Origin>()

/** Runs `fn`; whatever it starts knows where it came from. */
export const withOrigin = <T>(origin: Origin, fn: () => T): T => current.run(origin, fn)

/** Where what is being done came from; undefined for what the platform does by itself. */
export const originOfThis = (): Origin | undefined => current.getStore()
