/** One rule of a role, as Kubernetes has it. */
export interface PolicyRule {
  verbs: readonly string[]
  apiGroups?: readonly string[]
  resources?: readonly string[]
  resourceNames?: readonly string[]
  nonResourceURLs?: readonly string[]
}

/** Whom a binding names. */
export interface BoundSubject {
  kind: string
  name: string
  /** Of a ServiceAccount; absent: the binding's own. */
  namespace?: string
}

/** Who asks an API server. */
export interface Asker {
  user: string
  groups: readonly string[]
}

/** What is asked: something with objects, or a path that belongs to none. */
export type Act = ObjectAct | { verb: string; path: string }
export interface ObjectAct {
  verb: string
  /** '' for the core group. */
  group: string
  resource: string
  /** '' for the object itself. */
  subresource?: string
  /** '' across all namespaces, or for what has none. */
  namespace?: string
  /** '' for a list. */
  name?: string
}

/** The group that no role binding keeps out: the API server lets it do everything. */
export const MASTERS = 'system:masters'

const ALL = '*'

/** As the API server says it (RuleAllows): a star stands for all, also before the slash of a subresource. */
export function ruleAllows(rule: PolicyRule, act: Act): boolean {
  if (!matches(rule.verbs, act.verb)) return false
  if ('path' in act) return (rule.nonResourceURLs ?? []).some((url) => urlMatches(url, act.path))
  return (
    matches(rule.apiGroups, act.group) &&
    resourceMatches(rule.resources, act.resource, act.subresource ?? '') &&
    nameMatches(rule.resourceNames, act.name ?? '')
  )
}

const matches = (allowed: readonly string[] | undefined, wanted: string): boolean =>
  allowed !== undefined && (allowed.includes(ALL) || allowed.includes(wanted))

function resourceMatches(allowed: readonly string[] | undefined, resource: string, subresource: string): boolean {
  if (allowed === undefined) return false
  if (allowed.includes(ALL)) return true
  if (subresource === '') return allowed.includes(resource)
  return allowed.includes(`${resource}/${subresource}`) || allowed.includes(`${ALL}/${subresource}`)
}

const nameMatches = (allowed: readonly string[] | undefined, name: string): boolean =>
  allowed === undefined || allowed.length === 0 || allowed.includes(name)

function urlMatches(allowed: string, path: string): boolean {
  if (allowed === ALL || allowed === path) return true
  return allowed.endsWith(ALL) && path.startsWith(allowed.replace(/\*+$/, ''))
}

/**
 * Whom a subject of a binding stands for, as `User/NAME` or `Group/NAME`; undefined when it can be nobody. A service
 * account is the user `system:serviceaccount:NAMESPACE:NAME`.
 */
export function holderOf({ kind, name, namespace = '' }: BoundSubject, bindingNamespace: string): string | undefined {
  if (kind === 'User' || kind === 'Group') return `${kind}/${name}`
  const home = namespace === '' ? bindingNamespace : namespace
  return kind === 'ServiceAccount' && home !== '' ? `User/system:serviceaccount:${home}:${name}` : undefined
}

/** The same for who asks: each of these may have bindings. */
export const holdersOf = ({ user, groups }: Asker): string[] => [
  `User/${user}`,
  ...groups.map((group) => `Group/${group}`),
]
