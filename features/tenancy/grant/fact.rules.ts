import type { Scope } from '@quarterdeck/kernel'

export interface AccountFact {
  name: string
  identity: string
  kind: 'user' | 'machine'
  disabled: boolean
  /** Ids. */
  groups: readonly string[]
}
export interface GroupFact {
  name: string
}
export interface RoleFact {
  name: string
  permissions: readonly string[]
}
export interface GrantFact {
  /** Id of the role. */
  role: string
  /** Id of an account or of a group. */
  holder: string
  /** Id of a tenant, project or environment; '' for the platform. */
  place: string
  /** Milliseconds since 1970; null: without an end. */
  expireMs: number | null
}
export interface TenantFact {
  name: string
}
export interface ProjectFact {
  name: string
  /** Id of the tenant. */
  parent: string
}
export interface EnvironmentFact {
  name: string
  /** Id of the project. */
  parent: string
  cluster: string
  namespace: string
}

/** A fact as it is now; absent: there is none under this id any more. */
export type FactChange =
  | { kind: 'account'; id: string; fact?: AccountFact }
  | { kind: 'group'; id: string; fact?: GroupFact }
  | { kind: 'role'; id: string; fact?: RoleFact }
  | { kind: 'grant'; id: string; fact?: GrantFact }
  | { kind: 'tenant'; id: string; fact?: TenantFact }
  | { kind: 'project'; id: string; fact?: ProjectFact }
  | { kind: 'environment'; id: string; fact?: EnvironmentFact }

export type PlaceKind = 'tenant' | 'project' | 'environment'
/** A tenant, project or environment. */
export interface PlaceFact {
  kind: PlaceKind
  name: string
  parent?: string
  cluster?: string
  namespace?: string
}

/** A grant with its id. */
export interface HeldGrant extends GrantFact {
  id: string
}

const NONE: ReadonlyMap<string, HeldGrant> = new Map()

/** Everything that decisions are made of, by id, and found by what it is asked for. */
export class Facts {
  readonly accounts = new Map<string, AccountFact>()
  readonly groups = new Map<string, GroupFact>()
  readonly roles = new Map<string, RoleFact>()
  readonly grants = new Map<string, HeldGrant>()
  readonly places = new Map<string, PlaceFact>()
  readonly #named = new Map<string, string>()
  readonly #members = new Map<string, Set<string>>()
  readonly #byHolder = new Map<string, Map<string, HeldGrant>>()
  readonly #byPlace = new Map<string, Map<string, HeldGrant>>()
  readonly #byNamespace = new Map<string, string>()
  readonly #environments = new Set<string>()
  /** Names of environments by the places that they lie in; worked out when it is asked for. */
  #within: Map<string, string[]> | undefined
  /** By kind and name of the place. */
  readonly #chains = new Map<string, readonly string[]>()

  /** Takes changes over; answers whether anything is different now. */
  take(changes: readonly FactChange[]): boolean {
    const real = changes.filter((change) => !same(this.#now(change), change.fact))
    // What has gone first, so that a name is free for whoever has it now.
    for (const change of real) this.#drop(change)
    for (const change of real) if (change.fact !== undefined) this.#put(change)
    if (real.some(({ kind }) => this.#isPlace(kind))) {
      this.#chains.clear()
      this.#within = undefined
    }
    return real.length > 0
  }

  idOf(kind: FactChange['kind'], name: string): string | undefined {
    return this.#named.get(`${kind} ${name}`)
  }

  *environments(): Generator<PlaceFact> {
    for (const id of this.#environments) {
      const place = this.places.get(id)
      if (place) yield place
    }
  }

  /** Names of the environments in a place that is no environment itself, or of that one. */
  environmentsWithin(place: string): readonly string[] {
    if (!this.#within) {
      this.#within = new Map()
      for (const { name } of this.environments()) {
        for (const outer of this.chainOf('environment', name) ?? []) {
          const names = this.#within.get(outer)
          if (names) names.push(name)
          else this.#within.set(outer, [name])
        }
      }
    }
    return this.#within.get(place) ?? []
  }

  environmentAt(cluster: string, namespace: string): string | undefined {
    const id = this.#byNamespace.get(`${cluster}/${namespace}`)
    return id === undefined ? undefined : this.places.get(id)?.name
  }

  grantsOf(holder: string): Iterable<HeldGrant> {
    return (this.#byHolder.get(holder) ?? NONE).values()
  }

  grantsAt(place: string): Iterable<HeldGrant> {
    return (this.#byPlace.get(place) ?? NONE).values()
  }

  /** Ids of the account itself, or of the members of the group. */
  accountsOf(holder: string): Iterable<string> {
    return this.accounts.has(holder) ? [holder] : (this.#members.get(holder) ?? [])
  }

  /** Undefined when there is no such place. `''` is the platform. */
  scopeOf(id: string): Scope | undefined {
    if (id === '') return {}
    const place = this.places.get(id)
    return place && { [place.kind]: place.name }
  }

  /** Ids of a place and of those it lies in, the platform ('') last; undefined when there is no such place. */
  chainOf(kind: PlaceKind, name: string): readonly string[] | undefined {
    const key = `${kind} ${name}`
    const known = this.#chains.get(key)
    if (known) return known
    const chain: string[] = []
    for (let id = this.#named.get(key); id !== undefined; id = this.places.get(id)?.parent) chain.push(id)
    if (chain.length === 0) return undefined
    chain.push('')
    this.#chains.set(key, chain)
    return chain
  }

  #isPlace(kind: FactChange['kind']): kind is PlaceKind {
    return kind === 'tenant' || kind === 'project' || kind === 'environment'
  }

  #now({ kind, id }: FactChange): unknown {
    if (kind === 'account') return this.accounts.get(id)
    if (kind === 'group') return this.groups.get(id)
    if (kind === 'role') return this.roles.get(id)
    if (kind === 'grant') {
      const { id: _, ...grant } = this.grants.get(id) ?? { id }
      return 'holder' in grant ? grant : undefined
    }
    const { kind: is, ...place } = this.places.get(id) ?? { kind: undefined }
    return is === undefined ? undefined : place
  }

  #drop({ kind, id }: FactChange): void {
    const named = this.#now({ kind, id } as FactChange) as { name?: string } | undefined
    if (named?.name !== undefined) this.#named.delete(`${kind} ${named.name}`)
    if (kind === 'account') {
      for (const group of this.accounts.get(id)?.groups ?? []) this.#members.get(group)?.delete(id)
      this.accounts.delete(id)
    } else if (kind === 'group') this.groups.delete(id)
    else if (kind === 'role') this.roles.delete(id)
    else if (kind === 'grant') {
      const grant = this.grants.get(id)
      if (!grant) return
      remove(this.#byHolder, grant.holder, id)
      remove(this.#byPlace, grant.place, id)
      this.grants.delete(id)
    } else {
      const { cluster, namespace } = this.places.get(id) ?? {}
      if (cluster !== undefined) this.#byNamespace.delete(`${cluster}/${namespace}`)
      this.#environments.delete(id)
      this.places.delete(id)
    }
  }

  #put(change: FactChange): void {
    const { kind, id } = change
    if (change.fact === undefined) return
    if (change.kind !== 'grant') this.#named.set(`${kind} ${change.fact.name}`, id)
    if (change.kind === 'account') {
      this.accounts.set(id, change.fact)
      for (const group of change.fact.groups) {
        const members = this.#members.get(group) ?? new Set()
        this.#members.set(group, members.add(id))
      }
    } else if (change.kind === 'group') this.groups.set(id, change.fact)
    else if (change.kind === 'role') this.roles.set(id, change.fact)
    else if (change.kind === 'grant') {
      const grant = { id, ...change.fact }
      this.grants.set(id, grant)
      add(this.#byHolder, grant.holder, grant)
      add(this.#byPlace, grant.place, grant)
    } else {
      this.places.set(id, { kind: change.kind, ...change.fact })
      if (change.kind !== 'environment') return
      this.#environments.add(id)
      this.#byNamespace.set(`${change.fact.cluster}/${change.fact.namespace}`, id)
    }
  }
}

function add(index: Map<string, Map<string, HeldGrant>>, key: string, grant: HeldGrant): void {
  const some = index.get(key) ?? new Map<string, HeldGrant>()
  index.set(key, some.set(grant.id, grant))
}

function remove(index: Map<string, Map<string, HeldGrant>>, key: string, id: string): void {
  const some = index.get(key)
  some?.delete(id)
  if (some?.size === 0) index.delete(key)
}

/** Facts are read with their members in one order. */
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
