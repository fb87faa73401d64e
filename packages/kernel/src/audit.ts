/** One line of the audit trail: who did what, and how it ended. The trail adds the time; nothing in it is a secret. */
export interface AuditEntry {
  /** Name of the user; whoever was named, where signing in failed. */
  actor: string
  /** Id of the endpoint, as `cluster.register`. */
  act: string
  /** What it was done to: `cluster prod`, `token build of admin`. */
  what: string
  /** `intent`: written before it was done. */
  outcome: 'intent' | 'succeeded' | 'failed'
  /** A sentence; empty when there is nothing to add. */
  detail: string
  /** Where it was done; absent: it concerns the platform as a whole. */
  environment?: string | undefined
}

/** The entry for what has been done, by the endpoint's id. */
export const done = (
  { id: act }: { readonly id: string },
  actor: string,
  what: string,
  detail = '',
  environment?: string,
): AuditEntry => ({
  actor,
  act,
  what,
  outcome: 'succeeded',
  detail,
  ...(environment === undefined ? {} : { environment }),
})
