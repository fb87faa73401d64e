import type { ObjectVersion } from './version.contract.ts'

/** Somebody who had the object changed in a span of time. */
export interface Authorship {
  user: string
  /** Absent: through the cluster's own API. */
  operation?: string
  act: 'write' | 'create' | 'delete'
  since: string
  until: string
}

/** Clocks of the cluster and of the database differ by so much, and the cluster tells whole seconds only. */
const SLACK_MS = 2_000
/** A deletion is dated when it was seen. */
const SEEN_MS = 10_000
/** How operations call themselves as field managers. */
const OURS = /^quarterdeck/

export type Written = Pick<ObjectVersion, 'number' | 'change' | 'manager' | 'time' | 'managedTime'>
export type Author = Pick<Authorship, 'user' | 'operation'>

/**
 * Who made which version, by number; of versions in a row, the newest first. An operation may have made several, a request
 * through the cluster's own API one: the last that it can have been. A version that several people may have made is left
 * out.
 */
export function authorsOf(versions: readonly Written[], authorships: readonly Authorship[]): Map<number, Author> {
  const found = new Map<number, Author[]>()
  for (const authorship of authorships) {
    const fitting = versions.filter((version) => fits(version, authorship))
    for (const { number } of authorship.operation === undefined ? fitting.slice(0, 1) : fitting) {
      const { user, operation } = authorship
      const author = operation === undefined ? { user } : { user, operation }
      found.set(number, [...(found.get(number) ?? []), author])
    }
  }
  return new Map(
    [...found].flatMap(([number, [first, ...others]]) =>
      first && others.every(({ user }) => user === first.user) ? [[number, first] as const] : [],
    ),
  )
}

function fits({ change, manager, time, managedTime }: Written, { act, operation, since, until }: Authorship): boolean {
  const deleted = change === 'deleted'
  // What was merely found may be of any time.
  if (change === 'listed' || (!deleted && managedTime === undefined)) return false
  if (deleted !== (act === 'delete')) return false
  if (act === 'create' && change !== 'added') return false
  if (!deleted && (operation !== undefined) !== OURS.test(manager)) return false
  const at = Date.parse(deleted ? time : (managedTime ?? time))
  return at >= Date.parse(since) - SLACK_MS && at <= Date.parse(until) + (deleted ? SEEN_MS : SLACK_MS)
}
