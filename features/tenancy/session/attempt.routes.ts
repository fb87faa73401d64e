import { randomUUID } from 'node:crypto'
import { createRateLimit } from '@quarterdeck/http'
import { tooManyRequests } from '@quarterdeck/kernel'
import { type Db, notify, type Store } from '@quarterdeck/store'

/** Wrong passwords are told on it, so that all processes count them; the payload is a Failure. */
const channel = 'quarterdeck_attempt'

interface Failure {
  /** The process that has counted it already. */
  process: string
  user: string
  peer: string
}

function failureOf(payload: string): Failure | undefined {
  try {
    return JSON.parse(payload) as Failure
  } catch {
    return undefined
  }
}

/** Attempts to prove who somebody is. */
export interface Attempts {
  /** Throws tooManyRequests. */
  take(user: string, peer: string): void
  /** Whoever knew the password was not guessing: a whole office behind one address signs in at nine. */
  clear(user: string, peer: string): void
  /** Tells the other processes that an attempt failed; what was right costs nothing there. */
  failed(db: Db, user: string, peer: string): Promise<void>
}

/**
 * Five at once for a user from one address, then one every 12 s; others are not held up. Each process counts in memory
 * and hears of what failed at the others.
 */
export function countAttempts(listen?: Store['listen']): Attempts {
  const ofUser = createRateLimit({ burst: 5, perSecond: 1 / 12 })
  const ofPeer = createRateLimit({ burst: 30, perSecond: 1 / 2 })
  const count = (user: string, peer: string) =>
    Math.max(user === '' ? 0 : ofUser.take(`${user}|${peer}`), ofPeer.take(peer))
  const process = randomUUID()
  listen?.(channel, (payload) => {
    const failure = payload === undefined ? undefined : failureOf(payload)
    if (failure && failure.process !== process) count(failure.user, failure.peer)
  })
  return {
    take(user, peer) {
      const retryAfterSeconds = count(user, peer)
      if (retryAfterSeconds === 0) return
      throw tooManyRequests({
        detail: `Too many attempts to sign in from your address; try again in ${retryAfterSeconds} s`,
        retryAfterSeconds,
      })
    },
    clear(user, peer) {
      ofUser.clear(`${user}|${peer}`)
      ofPeer.giveBack(peer)
    },
    failed: (db, user, peer) => notify(db, channel, JSON.stringify({ process, user, peer } satisfies Failure)),
  }
}
