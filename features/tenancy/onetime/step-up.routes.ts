import {
  type AnyEndpoint,
  type Permission,
  type Problem,
  type Scope,
  type Subject,
  storeUnavailable,
} from '@quarterdeck/kernel'
import { coalesced, type Log, type Store } from '@quarterdeck/store'
import { type OneTimeFacts, stepUp } from './onetime.rules.ts'
import { oneTimeChannel, readFacts } from './onetime.store.ts'

/** When codes are asked for, kept in memory. Until it is opened whatever is not exempt has to wait. */
export interface Codes {
  /** Reads what decides for the first time; from then on it follows. */
  open(): Promise<void>
  /** Reads it again: for whoever has changed it and answers only once that counts. */
  refresh(): Promise<void>
  /** For createServer, and for who decides about permissions himself: the problem that asks for a code, or undefined. */
  stepUp(subject: Subject, endpoint: AnyEndpoint, scope: Scope, permission?: Permission): Problem | undefined
  close(): void
}

export interface CodesOptions extends Pick<Store, 'db' | 'listen'> {
  log: Log
  /** Calls when users, groups, grants or environments have changed. */
  onAuthorityChange(listener: () => void): () => void
  /** What is needed to give a code, to enrol and to sign out. */
  exempt: readonly AnyEndpoint[]
  /** Milliseconds since 1970; for tests. */
  now?: () => number
}

const AGAIN_MS = 1_000

/** Follows enrolments, rules, roles and stages. */
export function openCodes({ db, listen, log, onAuthorityChange, exempt, now = Date.now }: CodesOptions): Codes {
  const exemptIds = new Set(exempt.map(({ id }) => id))
  let facts: OneTimeFacts | undefined
  let closed = false

  /** What has been committed when this is called counts when it resolves. */
  const refresh = coalesced(async () => {
    facts = await readFacts(db)
  })

  function follow(): void {
    if (closed || !facts) return
    refresh().catch((error: unknown) => {
      if (closed) return
      log.warn({ err: error }, 'rules for one-time passwords could not be read; it is tried again')
      setTimeout(follow, AGAIN_MS).unref()
    })
  }
  const stops = [listen(oneTimeChannel, follow), onAuthorityChange(follow)]

  return {
    open: refresh,
    refresh,
    stepUp(subject, endpoint, scope, permission = endpoint.permission) {
      if (endpoint.permission === 'anonymous' || exemptIds.has(endpoint.id)) return undefined
      if (!facts)
        return storeUnavailable({ detail: 'Quarterdeck is starting; try again in a moment', retryAfterSeconds: 2 })
      return stepUp(facts, subject, { endpoint, permission, scope }, now())
    },
    close() {
      closed = true
      for (const stop of stops) stop()
    },
  }
}
