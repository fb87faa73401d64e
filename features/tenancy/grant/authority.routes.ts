import type { Permission, Scope, Subject } from '@quarterdeck/kernel'
import { coalesced, type Log, type Store } from '@quarterdeck/store'
import { knownPermissions } from '../role/permission.contract.ts'
import { Decisions, type GrantAuthority } from './authority.rules.ts'
import { authorityChannel, readChangedFacts, readFacts } from './authority.store.ts'

/** The authority as it runs. Until it is opened nobody may anything. */
export interface OpenAuthority extends GrantAuthority {
  /** What is decided by, for explaining it. */
  readonly decisions: Decisions
  /** The first of these permissions that the subject may not use there, and who could grant it. */
  missing(
    subject: Subject,
    permissions: readonly string[],
    scope: Scope,
  ): { permission: string; grantedBy: string[] } | undefined
  /** Milliseconds since 1970 by the store's clock. */
  now(): number
  /** Reads the grants for the first time; from then on it follows them. */
  open(): Promise<void>
  /** Reads what has changed: for whoever has changed it and answers only once that counts. */
  refresh(): Promise<void>
  close(): void
}

// setTimeout takes no more than 31 bits of milliseconds.
const LONGEST_MS = 2 ** 31 - 1
const AGAIN_MS = 1_000
/** So that nothing is missed for long, and what is kept of changes can be forgotten after an hour. */
const LOOK_MS = 300_000
const GRANTORS = 3

/** Who may do what, kept in memory; whatever PostgreSQL tells of is read anew. */
export function openAuthority({ db, listen, log }: Pick<Store, 'db' | 'listen'> & { log: Log }): OpenAuthority {
  const decisions = new Decisions(knownPermissions)
  let generation = 0
  /** The store's clock, carried on by one that nobody can set back. */
  let [storeMs, clockMs] = [Number.POSITIVE_INFINITY, 0]
  let since: string | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false
  const listeners = new Set<() => void>()
  const now = () => storeMs + (performance.now() - clockMs)

  function changed(): void {
    generation++
    decisions.forget()
    for (const listener of listeners) listener()
    waitForExpiry()
  }

  function waitForExpiry(): void {
    clearTimeout(timer)
    const wait = decisions.nextExpiry(now()) - now()
    if (wait !== Number.POSITIVE_INFINITY && !closed) {
      timer = setTimeout(changed, Math.min(Math.max(wait, 0) + 1, LONGEST_MS)).unref()
    }
  }

  async function read(): Promise<void> {
    const began = performance.now()
    const first = since === undefined
    const found = since === undefined ? await readFacts(db) : await readChangedFacts(db, since)
    since = found.since
    ;[storeMs, clockMs] = [found.nowMs, began]
    if (decisions.facts.take(found.changes) || first) changed()
    // The clock may have been set back by as long as a slow answer took.
    else waitForExpiry()
  }

  /** What has been committed when this is called counts when it resolves. */
  const refresh = coalesced(read)

  function follow(): void {
    refresh().catch((error: unknown) => {
      if (closed) return
      log.warn({ err: error }, 'grants could not be read; it is tried again')
      setTimeout(follow, AGAIN_MS).unref()
    })
  }

  const stop = listen(authorityChannel, follow)
  const looking = setInterval(follow, LOOK_MS).unref()
  return {
    decisions,
    now,
    missing(subject, permissions, scope) {
      const permission = decisions.missingOf(subject, permissions, scope, now())
      if (permission === undefined) return undefined
      // Whoever has everything can give everything.
      const grantedBy = decisions.grantors(permission as Permission, scope, now(), GRANTORS)
      return { permission, grantedBy: [...grantedBy] }
    },
    get generation() {
      return generation
    },
    may: (subject: Subject, permission: Permission, scope: Scope) => decisions.may(subject, permission, scope, now()),
    somewhere: (subject, permission) => decisions.somewhere(subject, permission, now()),
    denial(subject, permission, scope) {
      const { id, within } = subject
      if (within && id !== undefined && decisions.accountMay(id, permission, scope, now())) {
        return { detail: `This token counts only ${placeText(within)}. Use one that counts there.`, grantedBy: [] }
      }
      const grantedBy = [...decisions.grantors(permission, scope, now(), GRANTORS)]
      return { detail: denialText(subject, permission, scope, grantedBy), grantedBy }
    },
    identityOf: (subject) => decisions.identityOf(subject),
    permissionsAt: (subject, place) => decisions.permissionsAt(subject, place, now()),
    environmentsWith: (subject, permission) => decisions.environmentsWith(subject, permission, now()),
    isWithin: (scope, outer) => decisions.isWithin(scope, outer),
    environmentsIn: (outer) => decisions.environmentsIn(outer),
    placeOf: (environment) => decisions.placeOf(environment),
    environmentAt: (place) => decisions.environmentAt(place),
    exceeds(subject, holder) {
      const found = decisions.exceeds(subject, holder, now())
      return found && `${found.permission} ${placeText(decisions.facts.scopeOf(found.place) ?? {})}`
    },
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    open: refresh,
    refresh,
    close() {
      closed = true
      clearTimeout(timer)
      clearInterval(looking)
      stop()
    },
  }
}

/** `in environment shop-prod`, `in tenant retail`, `for the platform`. */
export function placeText({ environment, project, tenant }: Scope): string {
  if (environment !== undefined) return `in environment ${environment}`
  if (project !== undefined) return `in project ${project}`
  return tenant === undefined ? 'for the platform' : `in tenant ${tenant}`
}

function denialText(subject: Subject, permission: Permission, scope: Scope, grantedBy: string[]): string {
  const who = grantedBy.length > 0 ? `${grantedBy.join(' or ')} can grant it.` : 'Nobody who is there can grant it.'
  const token =
    subject.kind === 'token' && !subject.permissions.includes('*') && !subject.permissions.includes(permission)
  if (token) return `This token does not carry ${permission}. Use one that does.`
  return `You do not have ${permission} ${placeText(scope)}. ${who}`
}
