import type { Permission, Scope, Subject } from '@quarterdeck/kernel'
import type { NamedObject, ObjectReader } from './access.contract.ts'
import type { Bindings, ListedKinds } from './bindings.rules.ts'
import { EVERY_KIND, KindSet, splitResource } from './kind-set.rules.ts'
import { EVERY_PERMISSION, isCarried, kindsCarried, LISTERS, openersOf } from './native-kinds.rules.ts'
import type { Asker } from './rbac.rules.ts'
import { type NamespaceRef, Rights, type RightsParts } from './rights.rules.ts'

/** What it has to know of who may do what on the platform. */
export interface PlatformGrants {
  readonly generation: number
  may(subject: Subject, permission: Permission, scope: Scope): boolean
  identityOf(subject: Subject): { user: string; groups: string[] } | undefined
  /** `undefined`: everywhere. */
  environmentsWith(subject: Subject, permission: Permission): ReadonlySet<string> | undefined
  environmentsIn(outer: Scope): string[]
  isWithin(scope: Scope, outer: Scope): boolean
  placeOf(environment: string): NamespaceRef | undefined
  environmentAt(place: NamespaceRef): string | undefined
  onChange(listener: () => void): () => void
}

/** What readers are worked out of, and where equal rights get their number. */
export interface AccessState {
  readonly grants: PlatformGrants
  readonly clusters: ReadonlyMap<string, { bindings: Bindings }>
  /** Another number after every change of a cluster's bindings. */
  readonly revision: number
  numbered(rights: Rights): NumberedRights
}
export interface NumberedRights {
  rights: Rights
  number: number
}

const GROUP_OF_ALL = 'system:authenticated'

/** One subject's rights, worked out anew when something they are made of has changed. */
export class SubjectReader implements ObjectReader {
  readonly key = 'rights'
  readonly #access: AccessState
  readonly #subject: Subject
  readonly #own = new Map<string, { bindings: Bindings; revision: number; who: string; kinds: ListedKinds }>()
  #parts: { text: string; own: ListedKinds[] } = { text: '', own: [] }
  #current: NumberedRights | undefined
  #generation = -1
  #revision = -1

  constructor(access: AccessState, subject: Subject) {
    this.#access = access
    this.#subject = subject
  }

  get generation(): number {
    return this.#now().number
  }

  get may(): ObjectReader['may'] {
    return this.#now().rights.may
  }

  get knows(): ObjectReader['knows'] {
    return this.#now().rights.knows
  }

  allows(verb: string, object: NamedObject): boolean {
    return this.#grantedTo(verb, object) || this.#ownRight(verb, object)
  }

  #now(): NumberedRights {
    const { grants, revision } = this.#access
    if (this.#current && this.#generation === grants.generation && this.#revision === revision) return this.#current
    this.#generation = grants.generation
    this.#revision = revision
    const granted = this.#granted()
    const carried = this.#carried()
    const own = this.#ownLists()
    // Most changes concern others: then it is enough to see that everything is as it was.
    const text = `${granted.text} ${carried.places?.map(placeText).join() ?? '*'} ${[...own.keys()].join()}`
    const lists = [...own.values()]
    const same = text === this.#parts.text && lists.every((list, at) => list === this.#parts.own[at])
    if (this.#current && same) return this.#current
    this.#parts = { text, own: lists }
    this.#current = this.#access.numbered(new Rights({ granted: granted.parts(), own, carried }))
    return this.#current
  }

  /** By the platform: what counts everywhere, and in which namespaces; `text` is the same for the same. */
  #granted(): { text: string; parts(): RightsParts['granted'] } {
    const { grants } = this.#access
    let wide = grants.may(this.#subject, EVERY_PERMISSION, {}) ? EVERYTHING : 0
    const byPlace = new Map<string, number>()
    for (const [at, { permission }] of LISTERS.entries()) {
      const environments = grants.environmentsWith(this.#subject, permission)
      if (!environments) wide |= 1 << at
      for (const name of environments ?? []) byPlace.set(name, (byPlace.get(name) ?? 0) | (1 << at))
    }
    const places = [...byPlace].flatMap(([name, lists]) => {
      const place = grants.placeOf(name)
      return place ? [{ cluster: place.cluster, namespace: place.namespace, lists }] : []
    })
    return {
      text: `${wide} ${places.map((place) => `${placeText(place)}:${place.lists}`).join()}`,
      parts: () => ({
        everywhere: kindsOf(wide),
        places: places.map(({ lists, ...place }) => ({ ...place, kinds: kindsOf(lists) })),
      }),
    }
  }

  /** By the bindings of each cluster. */
  #ownLists(): Map<string, ListedKinds> {
    const asker = this.#asker()
    const lists = new Map<string, ListedKinds>()
    if (!asker) return lists
    const who = JSON.stringify(asker)
    for (const [cluster, { bindings }] of this.#access.clusters) {
      const revision = bindings.revisionOf(asker)
      let known = this.#own.get(cluster)
      if (known?.bindings !== bindings || known.revision !== revision || known.who !== who) {
        known = { bindings, revision, who, kinds: bindings.listedBy(asker) }
        this.#own.set(cluster, known)
      }
      const { kinds } = known
      if (!kinds.everywhere.empty || kinds.namespaces.size > 0) lists.set(cluster, kinds)
    }
    return lists
  }

  #asker(): Asker | undefined {
    const identity = this.#access.grants.identityOf(this.#subject)
    return identity && { user: identity.user, groups: [...identity.groups, GROUP_OF_ALL] }
  }

  #carried() {
    const { permissions, within } = this.#subject
    const kinds = kindsCarried(permissions)
    if (!isLimited(within)) return { kinds }
    const { grants } = this.#access
    return { kinds, places: grants.environmentsIn(within).flatMap((name) => grants.placeOf(name) ?? []) }
  }

  #grantedTo(verb: string, object: NamedObject): boolean {
    const { grants } = this.#access
    const has = (permission: Permission, scope: Scope) => grants.may(this.#subject, permission, scope)
    if (has(EVERY_PERMISSION, {})) return true
    const openers = openersOf(verb, object.resource)
    if (openers.some((permission) => has(permission, {}))) return true
    // What an environment opens of its own namespace is a look.
    if (object.resource === 'namespaces' && verb !== 'get') return false
    const environment = grants.environmentAt(placeOf(object))
    return environment !== undefined && openers.some((permission) => has(permission, { environment }))
  }

  #ownRight(verb: string, object: NamedObject): boolean {
    const { grants, clusters } = this.#access
    const asker = this.#asker()
    const bindings = clusters.get(object.cluster)?.bindings
    const { permissions, within } = this.#subject
    if (!asker || !bindings || !isCarried(permissions, verb, object.resource)) return false
    const place = placeOf(object)
    if (isLimited(within)) {
      const environment = grants.environmentAt(place)
      if (environment === undefined || !grants.isWithin({ environment }, within)) return false
    }
    const { plural: resource, group } = splitResource(object.resource)
    return bindings.allows(asker, { verb, group, resource, namespace: place.namespace, name: object.name })
  }
}

/** The same for subjects who may the same at any time. */
export const subjectText = ({ id = '', permissions, within }: Subject): string =>
  within === undefined && permissions.length === 1 && permissions[0] === '*'
    ? id
    : JSON.stringify([id, permissions, within])

/** A credential that counts for the platform as a whole is not limited. */
const isLimited = (within: Scope | undefined): within is Scope =>
  within !== undefined && Object.values(within).some((name) => name !== undefined)

/** A namespace lies in itself, for the API server. */
const placeOf = ({ resource, cluster, namespace, name }: NamedObject): NamespaceRef => ({
  cluster,
  namespace: resource === 'namespaces' ? name : namespace,
})
const placeText = ({ cluster, namespace }: NamespaceRef) => `${cluster}/${namespace}`

/** Which of LISTERS count, a bit for each; the one above them stands for every kind there is. */
const EVERYTHING = 1 << LISTERS.length
const kindsByBits = new Map<number, KindSet>()
function kindsOf(bits: number): KindSet {
  const known = kindsByBits.get(bits)
  if (known) return known
  const sets = LISTERS.filter((_, at) => bits & (1 << at)).map(({ kinds }) => kinds)
  const kinds = (bits & EVERYTHING) === 0 ? new KindSet([]).with(sets) : EVERY_KIND
  kindsByBits.set(bits, kinds)
  return kinds
}
