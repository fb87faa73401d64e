import type { KubeObject } from '@quarterdeck/kernel'
import { KindSet, patternsOf } from './kind-set.rules.ts'
import {
  type Act,
  type Asker,
  type BoundSubject,
  holderOf,
  holdersOf,
  MASTERS,
  type PolicyRule,
  ruleAllows,
} from './rbac.rules.ts'

export const RBAC_KINDS = ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'] as const
export type RbacKind = (typeof RBAC_KINDS)[number]

interface Binding {
  /** '' for one of the whole cluster. */
  namespace: string
  role: string
  holders: readonly string[]
  text: string
}

/** Kinds of which somebody may list all objects: in all of the cluster, and in single namespaces besides. */
export interface ListedKinds {
  everywhere: KindSet
  namespaces: ReadonlyMap<string, KindSet>
}

const NO_RULES: readonly PolicyRule[] = []
const NOBODY: ReadonlySet<Binding> = new Set()
const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

/** Roles and bindings of one cluster, and what follows from them: what the API server's own authorizer would say. */
export class Bindings {
  readonly #roles = new Map<string, { rules: readonly PolicyRule[]; text: string }>()
  readonly #bindings = new Map<string, Binding>()
  readonly #byHolder = new Map<string, Set<Binding>>()
  readonly #byRole = new Map<string, Set<Binding>>()
  readonly #touched = new Map<string, number>()
  #revision = 0

  /** Another number after every change of a decision. */
  get revision(): number {
    return this.#revision
  }

  /** Another number whenever a decision about this one may have changed. */
  revisionOf(asker: Asker): number {
    return Math.max(0, ...holdersOf(asker).map((holder) => this.#touched.get(holder) ?? 0))
  }

  put(kind: RbacKind, object: KubeObject): void {
    if (kind === 'Role' || kind === 'ClusterRole') this.#putRole(keyOf(kind, object.metadata), rulesOf(object))
    else this.#putBinding(keyOf(kind, object.metadata), bindingOf(object))
  }

  remove(kind: RbacKind, name: { namespace?: string; name: string }): void {
    this.#remove(keyOf(kind, name))
  }

  /** These are all there are of a kind. */
  replace(kind: RbacKind, objects: readonly KubeObject[]): void {
    const present = new Set(objects.map(({ metadata }) => keyOf(kind, metadata)))
    for (const key of [...this.#roles.keys(), ...this.#bindings.keys()]) {
      if (key.startsWith(`${kind}/`) && !present.has(key)) this.#remove(key)
    }
    for (const object of objects) this.put(kind, object)
  }

  allows(asker: Asker, act: Act): boolean {
    if (asker.groups.includes(MASTERS)) return true
    const namespace = 'path' in act ? '' : (act.namespace ?? '')
    for (const binding of this.#bindingsOf(asker)) {
      if (binding.namespace !== '' && binding.namespace !== namespace) continue
      if (this.#rules(binding).some((rule) => ruleAllows(rule, act))) return true
    }
    return false
  }

  /** What they may list. A namespace names only what is not listed everywhere. */
  listedBy(asker: Asker): ListedKinds {
    const patterns = new Map<string, Set<string>>([['', new Set()]])
    const add = (namespace: string, rules: readonly PolicyRule[]) => {
      const set = patterns.get(namespace) ?? new Set<string>()
      patterns.set(namespace, set)
      for (const pattern of patternsOf(rules, 'list')) set.add(pattern)
    }
    if (asker.groups.includes(MASTERS)) add('', EVERYTHING)
    for (const binding of this.#bindingsOf(asker)) add(binding.namespace, this.#rules(binding))
    const everywhere = new KindSet(patterns.get('') ?? [])
    const wide = new Set(everywhere.patterns)
    patterns.delete('')
    const namespaces = new Map<string, KindSet>()
    for (const [namespace, some] of [...patterns].sort(byFirst)) {
      const kinds = new KindSet([...some].filter((pattern) => !wide.has(pattern) && !wide.has('*/*')))
      if (!kinds.empty) namespaces.set(namespace, kinds)
    }
    return { everywhere, namespaces }
  }

  *#bindingsOf(asker: Asker): Generator<Binding> {
    for (const holder of holdersOf(asker)) yield* this.#byHolder.get(holder) ?? NOBODY
  }

  #rules({ role }: Binding): readonly PolicyRule[] {
    return this.#roles.get(role)?.rules ?? NO_RULES
  }

  #putRole(key: string, rules: readonly PolicyRule[]): void {
    const text = JSON.stringify(rules)
    if (this.#roles.get(key)?.text === text) return
    this.#roles.set(key, { rules, text })
    this.#touchHoldersOf(key)
  }

  #putBinding(key: string, binding: Binding): void {
    if (this.#bindings.get(key)?.text === binding.text) return
    this.#remove(key)
    this.#bindings.set(key, binding)
    addTo(this.#byRole, binding.role, binding)
    for (const holder of binding.holders) addTo(this.#byHolder, holder, binding)
    this.#touch(binding.holders)
  }

  #remove(key: string): void {
    if (this.#roles.delete(key)) this.#touchHoldersOf(key)
    const binding = this.#bindings.get(key)
    if (!binding) return
    this.#bindings.delete(key)
    removeFrom(this.#byRole, binding.role, binding)
    for (const holder of binding.holders) removeFrom(this.#byHolder, holder, binding)
    this.#touch(binding.holders)
  }

  #touchHoldersOf(role: string): void {
    for (const { holders } of this.#byRole.get(role) ?? NOBODY) this.#touch(holders)
  }

  #touch(holders: readonly string[]): void {
    this.#revision++
    for (const holder of holders) this.#touched.set(holder, this.#revision)
  }
}

const keyOf = (kind: string, { namespace = '', name }: { namespace?: string | undefined; name: string }) =>
  `${kind}/${namespace}/${name}`

const rulesOf = ({ rules }: KubeObject): PolicyRule[] =>
  ((rules ?? []) as Partial<PolicyRule>[]).map(
    ({ verbs = [], apiGroups, resources, resourceNames, nonResourceURLs }) => ({
      verbs,
      ...(apiGroups ? { apiGroups } : {}),
      ...(resources ? { resources } : {}),
      ...(resourceNames ? { resourceNames } : {}),
      ...(nonResourceURLs ? { nonResourceURLs } : {}),
    }),
  )

function bindingOf({ metadata: { namespace = '' }, roleRef, subjects }: KubeObject): Binding {
  const { kind, name } = roleRef as { kind: string; name: string }
  const role = keyOf(kind, { name, ...(kind === 'Role' ? { namespace } : {}) })
  const named = (subjects ?? []) as BoundSubject[]
  const holders = [...new Set(named.flatMap((subject) => holderOf(subject, namespace) ?? []))].sort()
  return { namespace, role, holders, text: JSON.stringify([role, holders]) }
}

const byFirst = (a: readonly [string, unknown], b: readonly [string, unknown]) => (a[0] < b[0] ? -1 : 1)

function addTo<T>(index: Map<string, Set<T>>, key: string, value: T): void {
  const set = index.get(key) ?? new Set<T>()
  set.add(value)
  index.set(key, set)
}

function removeFrom<T>(index: Map<string, Set<T>>, key: string, value: T): void {
  const set = index.get(key)
  set?.delete(value)
  if (set?.size === 0) index.delete(key)
}
