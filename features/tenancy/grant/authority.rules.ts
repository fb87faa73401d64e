import { type Authority, type Permission, permits, type Scope, type Subject } from '@quarterdeck/kernel'
import { Facts } from './fact.rules.ts'

/** How a user is known to every API server: sent as Impersonate-User, -Uid and -Group, and named in role bindings. */
export interface ClusterIdentity {
  /** `quarterdeck:user:NAME`; another for whoever gets the name later. */
  user: string
  uid: string
  /** `quarterdeck:group:NAME`. The API server adds system:authenticated. */
  groups: string[]
}

/** Who may do what, as the platform has it in memory. */
export interface GrantAuthority extends Authority {
  /** Another number after every change of users, groups, roles, grants and places, and when a grant has run out. */
  readonly generation: number
  /** Undefined for the platform itself and for who is not known (any more), who may nothing at any cluster. */
  identityOf(subject: Subject): ClusterIdentity | undefined
  /** Permissions that count in a namespace: those of its environment, or the platform-wide ones where there is none. */
  permissionsAt(subject: Subject, place: { cluster: string; namespace: string }): ReadonlySet<Permission>
  /** The environments where a permission counts; `undefined`: it counts for the whole platform, so everywhere. */
  environmentsWith(subject: Subject, permission: Permission): ReadonlySet<string> | undefined
  /** Whether a place is another one or lies within it. */
  isWithin(scope: Scope, outer: Scope): boolean
  /** The environments that lie within a place. */
  environmentsIn(outer: Scope): string[]
  /** Where an environment is. */
  placeOf(environment: string): { cluster: string; namespace: string } | undefined
  /** The environment of a namespace. */
  environmentAt(place: { cluster: string; namespace: string }): string | undefined
  /**
   * A permission that the account or group with this id has been granted and that the subject may not use there, in
   * words: `application.deploy in project shop`. Undefined: the subject may all of it.
   */
  exceeds(subject: Subject, holder: string): string | undefined
  /** Called after each change, once the new state counts. Ends with what it answers. */
  onChange(listener: () => void): () => void
}

/** What of one or more grants counts until one instant. */
interface Held {
  permissions: ReadonlySet<string>
  all: boolean
  /** Infinite: without an end. */
  expireMs: number
}
type HeldByPlace = ReadonlyMap<string, readonly Held[]>

/** Where a permission counts for an account, until the next of its grants runs out. */
interface Known {
  environments: ReadonlySet<string> | undefined
  untilMs: number
}

/** Stands for a place that is not there. */
export const UNKNOWN = '?'
const PLATFORM: readonly string[] = ['']
const NOWHERE: readonly string[] = [UNKNOWN, '']
const NONE: readonly string[] = []

/** How many members of groups are asked at most whether they could grant something. */
const ASKED = 500

/** Decides by facts. Times are milliseconds since 1970, of the store. */
export class Decisions {
  readonly facts = new Facts()
  readonly #all: readonly Permission[]
  readonly #held = new Map<string, HeldByPlace>()
  /** By account and permission. */
  readonly #known = new Map<string, Known>()
  readonly #grantors = new Map<string, readonly string[]>()

  /** `all`: every permission there is, which `*` stands for. */
  constructor(all: readonly Permission[]) {
    this.#all = all
  }

  /** Forgets what was worked out of facts as they were, or of a time before a grant ran out. */
  forget(): void {
    this.#held.clear()
    this.#known.clear()
    this.#grantors.clear()
  }

  /** `*`: every permission there is and will be. */
  may(subject: Subject, permission: Permission | '*', scope: Scope, nowMs: number): boolean {
    if (!this.#carries(subject, permission, scope)) return false
    const held = this.#heldBy(subject.id)
    return held !== undefined && countsAt(held, this.chainOf(scope), permission, nowMs)
  }

  somewhere(subject: Subject, permission: Permission, nowMs: number): boolean {
    if (!permits(subject, permission)) return false
    const held = this.#heldBy(subject.id)
    if (!held) return false
    if (subject.within) {
      const { within } = subject
      if (this.may(subject, permission, within, nowMs)) return true
      for (const place of held.keys()) {
        const scope = this.facts.scopeOf(place)
        if (scope && this.isWithin(scope, within) && countsAt(held, [place], permission, nowMs)) return true
      }
      return false
    }
    for (const some of held.values()) if (counts(some, permission, nowMs)) return true
    return false
  }

  permissionsAt(subject: Subject, { cluster, namespace }: { cluster: string; namespace: string }, nowMs: number) {
    const environment = this.facts.environmentAt(cluster, namespace)
    const scope = environment === undefined ? {} : { environment }
    return new Set(this.#all.filter((permission) => this.may(subject, permission, scope, nowMs)))
  }

  environmentsWith(subject: Subject, permission: Permission, nowMs: number): ReadonlySet<string> | undefined {
    const held = this.#heldBy(subject.id)
    if (subject.id === undefined || !held || !permits(subject, permission)) return new Set()
    const key = `${subject.id} ${permission}`
    let known = this.#known.get(key)
    if (!known || nowMs >= known.untilMs) {
      known = { environments: this.#environments(held, permission, nowMs), untilMs: firstExpiry(held, nowMs) }
      this.#known.set(key, known)
    }
    const { within } = subject
    if (!within) return known.environments
    const names = known.environments ?? [...this.facts.environments()].map(({ name }) => name)
    return new Set([...names].filter((environment) => this.isWithin({ environment }, within)))
  }

  /** Ids of tenants, projects and environments where a permission counts; undefined: for the whole platform. */
  placesWith(subject: Subject, permission: Permission, nowMs: number): ReadonlySet<string> | undefined {
    if (this.may(subject, permission, {}, nowMs)) return undefined
    const found = [...this.facts.places].filter(([, { kind, name }]) =>
      this.may(subject, permission, { [kind]: name }, nowMs),
    )
    return new Set(found.map(([id]) => id))
  }

  identityOf(subject: Subject): ClusterIdentity | undefined {
    const account = subject.id === undefined ? undefined : this.facts.accounts.get(subject.id)
    if (!account || account.disabled || subject.id === undefined) return undefined
    const groups = account.groups.flatMap((id) => this.facts.groups.get(id)?.name ?? [])
    return { user: account.identity, uid: subject.id, groups: groups.map((name) => `quarterdeck:group:${name}`) }
  }

  isWithin(scope: Scope, outer: Scope): boolean {
    const wanted = this.chainOf(outer)[0]
    return wanted !== undefined && wanted !== UNKNOWN && this.chainOf(scope).includes(wanted)
  }

  placeOf(environment: string): { cluster: string; namespace: string } | undefined {
    const { cluster, namespace } = this.facts.places.get(this.facts.idOf('environment', environment) ?? '') ?? {}
    return cluster === undefined || namespace === undefined ? undefined : { cluster, namespace }
  }

  environmentAt({ cluster, namespace }: { cluster: string; namespace: string }): string | undefined {
    return this.facts.environmentAt(cluster, namespace)
  }

  /** Of what a holder, and its groups, have been granted the first that a subject may not do there. */
  exceeds(subject: Subject, holder: string, nowMs: number): { permission: string; place: string } | undefined {
    const groups = this.facts.accounts.get(holder)?.groups ?? []
    for (const { role, place, expireMs } of [holder, ...groups].flatMap((id) => [...this.facts.grantsOf(id)])) {
      const scope = this.facts.scopeOf(place)
      if (!scope || (expireMs !== null && expireMs <= nowMs)) continue
      const permission = this.missingOf(subject, this.facts.roles.get(role)?.permissions ?? [], scope, nowMs)
      if (permission !== undefined) return { permission, place }
    }
    return undefined
  }

  /** The first of these permissions that the subject may not use there. */
  missingOf(subject: Subject, permissions: readonly string[], scope: Scope, nowMs: number): string | undefined {
    return permissions.find((permission) => !this.may(subject, permission as Permission, scope, nowMs))
  }

  /** Until when an account has a permission at a place: infinite without an end, undefined when it does not have it. */
  heldUntil(account: string, permission: Permission | '*', scope: Scope, nowMs: number): number | undefined {
    const held = this.#heldBy(account)
    const some = this.chainOf(scope).flatMap((place) => held?.get(place) ?? [])
    const ends = some.flatMap((one) => (counts([one], permission, nowMs) ? [one.expireMs] : []))
    return ends.length === 0 ? undefined : Math.max(...ends)
  }

  /** Whether an account of its own, whatever its credential carries, has a permission there. */
  accountMay(account: string, permission: Permission | '*', scope: Scope, nowMs: number): boolean {
    const held = this.#heldBy(account)
    return held !== undefined && countsAt(held, this.chainOf(scope), permission, nowMs)
  }

  environmentsIn(outer: Scope): string[] {
    const id = this.idOf(outer)
    return id === undefined ? [] : [...this.facts.environmentsWithin(id)]
  }

  /** Names of users who could grant a permission there: those who may grant and have it themselves, the nearest first. */
  grantors(permission: Permission | '*', scope: Scope, nowMs: number, most: number): readonly string[] {
    const chain = this.chainOf(scope)
    const key = `${permission} ${chain[0]} ${most}`
    const known = this.#grantors.get(key)
    if (known) return known
    const found = new Set<string>()
    let asked = 0
    for (const account of this.#grantHolders(chain, nowMs)) {
      if (found.size === most || asked++ === ASKED) break
      const fact = this.facts.accounts.get(account)
      if (fact?.kind !== 'user' || fact.disabled || found.has(fact.name)) continue
      const may = (wanted: Permission | '*') => this.accountMay(account, wanted, scope, nowMs)
      if (may('grant.create') && may(permission)) found.add(fact.name)
    }
    this.#grantors.set(key, [...found])
    return [...found]
  }

  /** The next instant at which a grant runs out; infinite when none does. */
  nextExpiry(nowMs: number): number {
    let next = Number.POSITIVE_INFINITY
    for (const { expireMs } of this.facts.grants.values()) {
      if (expireMs !== null && expireMs > nowMs && expireMs < next) next = expireMs
    }
    return next
  }

  /** Id of a place, '' for the platform; undefined when there is no such place. */
  idOf(scope: Scope): string | undefined {
    const [id] = this.chainOf(scope)
    return id === UNKNOWN ? undefined : id
  }

  /** Ids of a place and of those that it lies in, the platform ('') last; of an unknown place only the platform. */
  chainOf(scope: Scope): readonly string[] {
    for (const kind of ['environment', 'project', 'tenant'] as const) {
      const name = scope[kind]
      if (name !== undefined) return this.facts.chainOf(kind, name) ?? NOWHERE
    }
    return PLATFORM
  }

  /** Accounts that hold a grant with grant.create at one of the places, the nearest first. */
  *#grantHolders(chain: readonly string[], nowMs: number): Generator<string> {
    for (const place of chain) {
      for (const grant of this.facts.grantsAt(place)) {
        const role = this.facts.roles.get(grant.role)
        const grants = role?.permissions.includes('grant.create') || role?.permissions.includes('*')
        if (grants && (grant.expireMs === null || nowMs < grant.expireMs)) yield* this.facts.accountsOf(grant.holder)
      }
    }
  }

  #environments(held: HeldByPlace, permission: Permission, nowMs: number): ReadonlySet<string> | undefined {
    if (counts(held.get(''), permission, nowMs)) return undefined
    const found = new Set<string>()
    for (const [place, some] of held) {
      if (!counts(some, permission, nowMs)) continue
      for (const name of this.facts.environmentsWithin(place)) found.add(name)
    }
    return found
  }

  #carries(subject: Subject, permission: Permission | '*', scope: Scope): boolean {
    const carried = permission === '*' ? subject.permissions.includes('*') : permits(subject, permission)
    return carried && (subject.within === undefined || this.isWithin(scope, subject.within))
  }

  /** What an account holds itself and through its groups, by place. */
  #heldBy(id: string | undefined): HeldByPlace | undefined {
    const account = id === undefined ? undefined : this.facts.accounts.get(id)
    if (!account || account.disabled || id === undefined) return undefined
    let held = this.#held.get(id)
    if (!held) {
      held = together(this.facts, [id, ...account.groups])
      this.#held.set(id, held)
    }
    return held
  }
}

/** One set for all who have the role. */
const sets = new WeakMap<readonly string[], ReadonlySet<string>>()
function setOf(permissions: readonly string[]): ReadonlySet<string> {
  const known = sets.get(permissions) ?? new Set(permissions)
  sets.set(permissions, known)
  return known
}

/** Grants of all holders, those of one place with one end as one. */
function together(facts: Facts, holders: readonly string[]): HeldByPlace {
  const found = new Map<string, Map<number, Held>>()
  for (const { place, role, expireMs } of holders.flatMap((holder) => [...facts.grantsOf(holder)])) {
    const permissions = facts.roles.get(role)?.permissions ?? NONE
    const here = found.get(place) ?? new Map<number, Held>()
    found.set(place, here)
    const until = expireMs ?? Number.POSITIVE_INFINITY
    const before = here.get(until)
    here.set(until, {
      permissions: before ? new Set([...before.permissions, ...permissions]) : setOf(permissions),
      all: before?.all === true || permissions.includes('*'),
      expireMs: until,
    })
  }
  return new Map([...found].map(([place, here]) => [place, [...here.values()]]))
}

function firstExpiry(held: HeldByPlace, nowMs: number): number {
  let first = Number.POSITIVE_INFINITY
  for (const some of held.values()) {
    for (const { expireMs } of some) if (expireMs > nowMs && expireMs < first) first = expireMs
  }
  return first
}

const countsAt = (held: HeldByPlace, chain: readonly string[], permission: string, nowMs: number): boolean => {
  for (const place of chain) if (counts(held.get(place), permission, nowMs)) return true
  return false
}

const counts = (held: readonly Held[] | undefined, permission: string, nowMs: number): boolean => {
  if (held === undefined) return false
  for (const { all, permissions, expireMs } of held) {
    if ((all || permissions.has(permission)) && nowMs < expireMs) return true
  }
  return false
}
