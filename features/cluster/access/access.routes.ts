import type { Permission, Scope, Subject } from '@quarterdeck/kernel'
import type { Clusters } from '@quarterdeck/kube'
import type { Log } from '@quarterdeck/store'
import type { NamedObject, ObjectReader } from './access.contract.ts'
import { Bindings, type ListedKinds } from './bindings.rules.ts'
import { BindingsFollower } from './follow-bindings.routes.ts'
import { EVERY_KIND, KindSet, splitResource } from './kind-set.rules.ts'
import { EVERY_PERMISSION, isCarried, kindsCarried, LISTERS, openersOf } from './native-kinds.rules.ts'
import type { Asker } from './rbac.rules.ts'
import { type NamespaceRef, Rights } from './rights.rules.ts'

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

export interface AccessOptions {
  grants: PlatformGrants
  clusterOf: Clusters['get']
  /** Called soon after rights may have changed: who looks has to be told. */
  changed(): void
  log: Pick<Log, 'warn'>
}

/** What everybody may see of the objects of all clusters. */
export interface Access {
  readonly readerOf: (subject: Subject) => ObjectReader
  /** Follows the bindings of this cluster from now on. */
  watch(cluster: string): void
  /** Nobody has rights of their own there any more. */
  forget(cluster: string): void
  /** Whether all bindings of a cluster have been read. */
  isRead(cluster: string): boolean
  close(): void
}

/** Bindings with this label are the platform's own grants, which count without them. */
export const GRANT_LABEL = 'quarterdeck.dev/grant'

/** Readers and rights that are kept although nobody may be asking. */
const MOST_KEPT = 10_000
const GROUP_OF_ALL = 'system:authenticated'

export function openAccess(options: AccessOptions): Access {
  return new OpenAccess(options)
}

class OpenAccess implements Access {
  readonly #options: AccessOptions
  readonly clusters = new Map<string, { bindings: Bindings; follower: BindingsFollower }>()
  readonly #readers = new Map<string, SubjectReader>()
  readonly #bySubject = new WeakMap<Subject, SubjectReader>()
  readonly #numbers = new Map<string, { rights: Rights; number: number }>()
  readonly #stop: () => void
  #told: NodeJS.Immediate | undefined
  #lastNumber = 0
  /** Another number after every change of a cluster's bindings. */
  revision = 0

  constructor(options: AccessOptions) {
    this.#options = options
    this.#stop = options.grants.onChange(() => this.#tell())
  }

  get grants(): PlatformGrants {
    return this.#options.grants
  }

  readonly readerOf = (subject: Subject): ObjectReader => {
    const known = this.#bySubject.get(subject)
    if (known) return known
    const { id = '', permissions, within } = subject
    const text = JSON.stringify([id, permissions, within])
    let reader = this.#readers.get(text)
    if (!reader) {
      if (this.#readers.size >= MOST_KEPT) this.#readers.clear()
      reader = new SubjectReader(this, subject)
      this.#readers.set(text, reader)
    }
    this.#bySubject.set(subject, reader)
    return reader
  }

  /** Equal rights get the same number, whoever has them. */
  numbered(rights: Rights): { rights: Rights; number: number } {
    const known = this.#numbers.get(rights.text)
    if (known) return known
    if (this.#numbers.size >= MOST_KEPT) this.#numbers.clear()
    this.#lastNumber += 1
    const numbered = { rights, number: this.#lastNumber }
    this.#numbers.set(rights.text, numbered)
    return numbered
  }

  watch(cluster: string): void {
    if (this.clusters.has(cluster)) return
    const bindings = new Bindings()
    const follower = new BindingsFollower({
      cluster: () => this.#options.clusterOf(cluster),
      bindings,
      except: ({ metadata }) => metadata.labels?.[GRANT_LABEL] !== undefined,
      changed: () => this.#changed(),
      warn: (error, message) => this.#options.log.warn({ err: error, cluster }, message),
    })
    this.clusters.set(cluster, { bindings, follower })
    this.#changed()
  }

  forget(cluster: string): void {
    this.clusters.get(cluster)?.follower.end()
    if (this.clusters.delete(cluster)) this.#changed()
  }

  isRead(cluster: string): boolean {
    return this.clusters.get(cluster)?.follower.read ?? false
  }

  close(): void {
    this.#stop()
    clearImmediate(this.#told)
    for (const { follower } of this.clusters.values()) follower.end()
  }

  #changed(): void {
    this.revision += 1
    this.#tell()
  }

  /** What comes in one turn is told once. */
  #tell(): void {
    this.#told ??= setImmediate(() => {
      this.#told = undefined
      this.#options.changed()
    })
  }
}

/** One subject's rights, worked out anew when something they are made of has changed. */
class SubjectReader implements ObjectReader {
  readonly key = 'rights'
  readonly #access: OpenAccess
  readonly #subject: Subject
  readonly #own = new Map<string, { bindings: Bindings; revision: number; who: string; kinds: ListedKinds }>()
  #current: { rights: Rights; number: number } | undefined
  #generation = -1
  #revision = -1

  constructor(access: OpenAccess, subject: Subject) {
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

  #now(): { rights: Rights; number: number } {
    const { grants, revision } = this.#access
    if (this.#current && this.#generation === grants.generation && this.#revision === revision) return this.#current
    this.#generation = grants.generation
    this.#revision = revision
    const rights = new Rights({ granted: this.#granted(), own: this.#ownLists(), carried: this.#carried() })
    this.#current = this.#access.numbered(rights)
    return this.#current
  }

  /** By the platform: what counts everywhere, and in which namespaces. */
  #granted() {
    const { grants } = this.#access
    const all = grants.may(this.#subject, EVERY_PERMISSION, {})
    const everywhere: KindSet[] = all ? [EVERY_KIND] : []
    const byPlace = new Map<string, KindSet[]>()
    for (const { permission, kinds } of LISTERS) {
      const environments = grants.environmentsWith(this.#subject, permission)
      if (!environments) everywhere.push(kinds)
      for (const name of environments ?? []) byPlace.set(name, [...(byPlace.get(name) ?? []), kinds])
    }
    const places = [...byPlace].flatMap(([name, sets]) => {
      const place = grants.placeOf(name)
      return place ? [{ cluster: place.cluster, namespace: place.namespace, kinds: joined(sets) }] : []
    })
    return { everywhere: joined(everywhere), places }
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

/** A credential that counts for the platform as a whole is not limited. */
const isLimited = (within: Scope | undefined): within is Scope =>
  within !== undefined && Object.values(within).some((name) => name !== undefined)

/** A namespace lies in itself, for the API server. */
const placeOf = ({ resource, cluster, namespace, name }: NamedObject): NamespaceRef => ({
  cluster,
  namespace: resource === 'namespaces' ? name : namespace,
})

const NO_KIND = new KindSet([])
const joined = ([first = NO_KIND, ...others]: readonly KindSet[]): KindSet =>
  others.length === 0 ? first : first.with(others)
