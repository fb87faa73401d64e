/** What one run of a reconciler asks for. */
export interface Outcome {
  /** Look again after this long even if nothing hints at it. Absent: nothing to wait for. */
  requeueAfterSeconds?: number
}

/**
 * Makes the world match what is wanted, key by key. `reconcile` reads all it needs, is safe to repeat and to run late,
 * and throws when it could not finish: it runs again after a growing pause. `keys` finds work whose hint was lost, on
 * both sides: what should be there and what is there.
 */
export interface Reconciler {
  /** Every key there may be work for. */
  keys(): Promise<string[]>
  /**
   * One key is never reconciled twice at once, in all processes that share the store. `signal` aborts when that can no
   * longer be promised: stop acting.
   */
  reconcile(key: string, context: { signal: AbortSignal }): Promise<Outcome>
}
