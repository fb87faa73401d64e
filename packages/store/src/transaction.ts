import { setTimeout as sleep } from 'node:timers/promises'
import type { IsolationLevel } from 'kysely'
import type { Db } from './db.ts'
import { AmbiguousCommitError, isRetriable, isStatementError, unavailable } from './errors.ts'

export interface TransactionOptions {
  /** Absent: read committed. */
  isolation?: IsolationLevel
  /** How often a serialization failure or deadlock is tried again; 5 when absent. */
  retries?: number
}

/**
 * Runs `fn` in one transaction. After a serialization failure or deadlock it runs `fn` again, so `fn` must do nothing
 * but queries; the last such failure comes out as store-unavailable. Throws AmbiguousCommitError when the answer to COMMIT was lost. Within a transaction it joins that one.
 */
export async function transaction<T>(db: Db, fn: (tx: Db) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
  if (db.isTransaction) return fn(db)
  const retries = options.retries ?? 5
  for (let attempt = 0; ; attempt++) {
    let done = false
    let thrown: { error: unknown } | undefined
    const begin = options.isolation ? db.transaction().setIsolationLevel(options.isolation) : db.transaction()
    try {
      return await begin.execute(async (tx) => {
        try {
          const result = await fn(tx)
          done = true
          return result
        } catch (error) {
          thrown = { error }
          throw error
        }
      })
    } catch (caught) {
      // When the roll-back fails too, its error would hide what went wrong first.
      const error = thrown ? thrown.error : caught
      if (done && !isStatementError(error) && !isRolledBack(error)) throw new AmbiguousCommitError(error)
      if (!isRetriable(error)) throw error
      if (attempt >= retries) throw unavailable(error, 'Others change the same at this moment; try again')
      await sleep(Math.random() * 10 * 2 ** attempt)
    }
  }
}

/** COMMIT of a transaction in which a statement's error had been swallowed: PostgreSQL rolls it back and says so. */
const isRolledBack = (error: unknown) => error instanceof Error && error.name === 'AbortedTransactionError'
