import { type Authority, type Permission, permits, type Scope, type Subject } from '@quarterdeck/kernel'

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
  /** The namespace that an environment is; undefined when there is no such environment. */
  placeOf(environment: string): { cluster: string; namespace: string } | undefined
  /** The environment that a namespace is; undefined when it is none. */
  environmentAt(place: { cluster: string; namespace: string }): string | undefined
  /** Whether a place is another one or lies within it. */
  isWithin(scope: Scope, outer: Scope): boolean
  /** Called after each change, once the new state counts. Ends with what it answers. */
  onChange(listener: () => void): () => void
}

/** What is granted to whom, where, and how places lie in one another: everything that decisions are made of. */
export interface AuthorityState {
  accounts: ReadonlyMap<string, { name: string; identity: string; disabled: boolean; groups: readonly string[] }>
  groups: ReadonlyMap<string, { name: string }>
  grants: readonly GrantFact[]
  tenants: ReadonlyMap<string, { id: string }>
  projects: ReadonlyMap<string, { id: string; tenant: string }>
  environments: ReadonlyMap<string, EnvironmentFact>
}
export interface EnvironmentFact {
  id: string
  project: string
  tenant: string
  cluster: string
  namespace: string
}
export interface GrantFact {
  permissions: readonly string[]
  /** Id of an account or of a group. */
  holder: string
  /** Id of a tenant, project or environment; '' for the platform. */
  place: string
  /** Milliseconds since 1970. */
  expireMs?: number
}

interface Held {
  permissions: ReadonlySet<string>
  all: boolean
  expireMs: number
}

/** Stands for a place that is not there. */
const UNKNOWN = '?'

/** Decides by one state. Times are milliseconds since 1970, of the store. */
export class Decisions {
  readonly state: AuthorityState
  readonly #all: readonly Permission[]
  /** By holder, then by place. */
  readonly #grants = new Map<string, Map<string, Held[]>>()
  readonly #ofAccount = new Map<string, Map<string, Held[]>>()
  readonly #byNamespace = new Map<string, string>()

  /** `all`: every permission there is, which `*` stands for. */
  constructor(state: AuthorityState, all: readonly Permission[]) {
    this.state = state
    this.#all = all
    for (const { holder, place, permissions, expireMs = Number.POSITIVE_INFINITY } of state.grants) {
      const places = this.#grants.get(holder) ?? new Map<string, Held[]>()
      this.#grants.set(holder, places)
      const held = { permissions: new Set(permissions), all: permissions.includes('*'), expireMs }
      places.set(place, [...(places.get(place) ?? []), held])
    }
    for (const [name, { cluster, namespace }] of state.environments) {
      this.#byNamespace.set(`${cluster}/${namespace}`, name)
    }
  }

  may(subject: Subject, permission: Permission, scope: Scope, nowMs: number): boolean {
    if (!this.#carries(subject, permission, scope)) return false
    const held = this.#held(subject)
    return held !== undefined && this.#places(scope).some((place) => grants(held.get(place), permission, nowMs))
  }

  somewhere(subject: Subject, permission: Permission, nowMs: number): boolean {
    if (!permits(subject, permission)) return false
    const held = this.#held(subject)
    if (!held) return false
    if (subject.within) {
      const within = subject.within
      if (this.may(subject, permission, within, nowMs)) return true
      return [...this.state.environments.keys()].some(
        (environment) =>
          this.isWithin({ environment }, within) && this.may(subject, permission, { environment }, nowMs),
      )
    }
    for (const some of held.values()) if (grants(some, permission, nowMs)) return true
    return false
  }

  permissionsAt(subject: Subject, { cluster, namespace }: { cluster: string; namespace: string }, nowMs: number) {
    const environment = this.environmentAt({ cluster, namespace })
    const scope = environment === undefined ? {} : { environment }
    return new Set(this.#all.filter((permission) => this.may(subject, permission, scope, nowMs)))
  }

  placeOf(environment: string): { cluster: string; namespace: string } | undefined {
    return this.state.environments.get(environment)
  }

  environmentAt({ cluster, namespace }: { cluster: string; namespace: string }): string | undefined {
    return this.#byNamespace.get(`${cluster}/${namespace}`)
  }

  environmentsWith(subject: Subject, permission: Permission, nowMs: number): ReadonlySet<string> | undefined {
    if (this.may(subject, permission, {}, nowMs)) return undefined
    const names = [...this.state.environments.keys()]
    return new Set(names.filter((environment) => this.may(subject, permission, { environment }, nowMs)))
  }

  identityOf(subject: Subject): ClusterIdentity | undefined {
    const account = subject.id === undefined ? undefined : this.state.accounts.get(subject.id)
    if (!account || account.disabled || subject.id === undefined) return undefined
    const groups = account.groups.flatMap((id) => this.state.groups.get(id)?.name ?? [])
    return { user: account.identity, uid: subject.id, groups: groups.map((name) => `quarterdeck:group:${name}`) }
  }

  isWithin(scope: Scope, outer: Scope): boolean {
    const wanted = this.#places(outer)[0]
    return wanted !== undefined && wanted !== UNKNOWN && this.#places(scope).includes(wanted)
  }

  /** Names of users who could grant a permission there: those who may grant and have it themselves. */
  grantors(permission: Permission, scope: Scope, nowMs: number, most: number): string[] {
    const found: string[] = []
    for (const place of this.#places(scope)) {
      for (const [id, { name, disabled }] of this.state.accounts) {
        if (disabled || found.includes(name)) continue
        const here = this.#held({ id, name, kind: 'user', permissions: ['*'] })?.get(place)
        if (grants(here, 'grant.create', nowMs) && grants(here, permission, nowMs)) found.push(name)
        if (found.length === most) return found
      }
    }
    return found
  }

  /** The next instant at which a grant runs out; infinite when none does. */
  nextExpiry(nowMs: number): number {
    return this.state.grants.reduce(
      (next, { expireMs = Number.POSITIVE_INFINITY }) => (expireMs > nowMs && expireMs < next ? expireMs : next),
      Number.POSITIVE_INFINITY,
    )
  }

  #carries(subject: Subject, permission: Permission, scope: Scope): boolean {
    return permits(subject, permission) && (subject.within === undefined || this.isWithin(scope, subject.within))
  }

  /** What an account holds itself and through its groups, by place. */
  #held({ id }: Subject): Map<string, Held[]> | undefined {
    const account = id === undefined ? undefined : this.state.accounts.get(id)
    if (!account || account.disabled || id === undefined) return undefined
    const known = this.#ofAccount.get(id)
    if (known) return known
    const held = new Map<string, Held[]>()
    for (const holder of [id, ...account.groups]) {
      for (const [place, some] of this.#grants.get(holder) ?? []) {
        held.set(place, [...(held.get(place) ?? []), ...some])
      }
    }
    this.#ofAccount.set(id, held)
    return held
  }

  /** Ids of a place and of those that it lies in, the platform ('') last; of an unknown place only the platform. */
  #places({ environment, project, tenant }: Scope): string[] {
    if (environment !== undefined) {
      const found = this.state.environments.get(environment)
      return found ? [found.id, found.project, found.tenant, ''] : [UNKNOWN, '']
    }
    if (project !== undefined) {
      const found = this.state.projects.get(project)
      return found ? [found.id, found.tenant, ''] : [UNKNOWN, '']
    }
    if (tenant === undefined) return ['']
    const found = this.state.tenants.get(tenant)
    return found ? [found.id, ''] : [UNKNOWN, '']
  }
}

const grants = (held: readonly Held[] | undefined, permission: string, nowMs: number): boolean =>
  held?.some(({ all, permissions, expireMs }) => (all || permissions.has(permission)) && nowMs < expireMs) ?? false
