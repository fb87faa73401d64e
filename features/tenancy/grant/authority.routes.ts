import type { Permission, Scope, Subject } from '@quarterdeck/kernel'
import type { Log, Store } from '@quarterdeck/store'
import { knownPermissions } from '../role/permission.contract.ts'
import { Decisions, type GrantAuthority } from './authority.rules.ts'
import { authorityChannel, readAuthority } from './authority.store.ts'

/** The authority as it runs. Until it is opened nobody may anything. */
export interface OpenAuthority extends GrantAuthority {
  /** Reads the grants for the first time; from then on it follows them. */
  open(): Promise<void>
  /** Reads them again: for whoever has changed them and answers only once that counts. */
  refresh(): Promise<void>
  close(): void
}

// setTimeout takes no more than 31 bits of milliseconds.
const LONGEST_MS = 2 ** 31 - 1
const AGAIN_MS = 1_000
const GRANTORS = 3

const NOTHING = new Decisions(
  {
    accounts: new Map(),
    groups: new Map(),
    grants: [],
    tenants: new Map(),
    projects: new Map(),
    environments: new Map(),
  },
  [],
)

/** Who may do what, kept in memory and read anew whenever PostgreSQL tells of a change. */
export function openAuthority({ db, listen, log }: Pick<Store, 'db' | 'listen'> & { log: Log }): OpenAuthority {
  let decisions = NOTHING
  let generation = 0
  /** The store's clock, carried on by one that nobody can set back. */
  let [storeMs, clockMs] = [Number.POSITIVE_INFINITY, 0]
  let reading: Promise<void> | undefined
  let again: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false
  const listeners = new Set<() => void>()
  const now = () => storeMs + (performance.now() - clockMs)

  function changed(): void {
    generation++
    for (const listener of listeners) listener()
    clearTimeout(timer)
    const wait = decisions.nextExpiry(now()) - now()
    if (wait !== Number.POSITIVE_INFINITY && !closed) {
      timer = setTimeout(changed, Math.min(Math.max(wait, 0) + 1, LONGEST_MS)).unref()
    }
  }

  async function read(): Promise<void> {
    const began = performance.now()
    const { state, nowMs } = await readAuthority(db)
    decisions = new Decisions(state, knownPermissions)
    ;[storeMs, clockMs] = [nowMs, began]
    changed()
  }

  /** What has been committed when this is called counts when it resolves. */
  function refresh(): Promise<void> {
    if (!reading) {
      reading = read().finally(() => {
        reading = undefined
      })
      return reading
    }
    // What is being read may be from before the change.
    again ??= reading
      .catch(() => undefined)
      .then(() => {
        again = undefined
        return refresh()
      })
    return again
  }

  function follow(): void {
    refresh().catch((error: unknown) => {
      if (closed) return
      log.warn({ err: error }, 'grants could not be read; it is tried again')
      setTimeout(follow, AGAIN_MS).unref()
    })
  }

  const stop = listen(authorityChannel, follow)
  return {
    get generation() {
      return generation
    },
    may: (subject: Subject, permission: Permission, scope: Scope) => decisions.may(subject, permission, scope, now()),
    somewhere: (subject, permission) => decisions.somewhere(subject, permission, now()),
    denial(subject, permission, scope) {
      const grantedBy = decisions.grantors(permission, scope, now(), GRANTORS)
      return { detail: denialText(subject, permission, scope, grantedBy), grantedBy }
    },
    identityOf: (subject) => decisions.identityOf(subject),
    permissionsAt: (subject, place) => decisions.permissionsAt(subject, place, now()),
    environmentsWith: (subject, permission) => decisions.environmentsWith(subject, permission, now()),
    placeOf: (environment) => decisions.placeOf(environment),
    environmentAt: (place) => decisions.environmentAt(place),
    isWithin: (scope, outer) => decisions.isWithin(scope, outer),
    environmentsIn: (outer) => decisions.environmentsIn(outer),
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    open: refresh,
    refresh,
    close() {
      closed = true
      clearTimeout(timer)
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
