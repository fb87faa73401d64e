import type { KubeObject } from '@quarterdeck/kernel'
import { type NativeResource, nativeRules, opens } from '../../tenancy/role/permission.contract.ts'

/** What a cluster is to be told, as PostgreSQL has it. */
export interface Wanted {
  /** Id of this installation: it touches nothing that does not carry it. */
  installation: string
  cluster: string
  /** All that are registered. Two of them may be one and the same under two names. */
  clusters: string[]
  users: { name: string; uid: string }[]
  groups: string[]
  /** Of its environments. */
  namespaces: string[]
  grants: ProjectedGrant[]
}
export interface ProjectedGrant {
  id: string
  role: string
  roleName: string
  permissions: readonly string[]
  holder: { kind: 'User' | 'Group'; name: string }
  /** Of its environments on this cluster; undefined: it counts everywhere. */
  namespaces: string[] | undefined
}

/** Something that a cluster serves. */
export interface Served extends NativeResource {
  namespaced: boolean
  verbs: readonly string[]
}

/** A rule of RBAC. */
export interface Rule {
  apiGroups?: string[]
  resources?: string[]
  nonResourceURLs?: string[]
  resourceNames?: string[]
  verbs: string[]
}

/** The RoleBinding of whom operations of an environment run as; made with the environment. */
export const EXECUTOR = 'quarterdeck-executor'
/**
 * Whom operations of an environment run as. A name and no ServiceAccount: the token of one could be had by whoever may
 * make pods there.
 */
export const executorName = (namespace: string): string => `quarterdeck:executor:${namespace}`

export const INSTALLATION = 'quarterdeck.dev/installation'
/** Name that the cluster is registered with. */
export const CLUSTER = 'quarterdeck.dev/cluster'
const GRANT = 'quarterdeck.dev/grant'
const RBAC = 'rbac.authorization.k8s.io'
const PREFIX = 'quarterdeck:'

/** Names in one role of the impersonator: some hundred kilobytes, of at most a megabyte and a half. */
const MOST_NAMES = 4_000

/** Everything that is made in a cluster, in the order in which it has to be there. */
export interface Projection {
  /** The place, closed against whatever could run there and take the account's token. */
  place: KubeObject[]
  /** ClusterRoles and their bindings: whom the account may act as, and what grants open. */
  roles: KubeObject[]
  bindings: KubeObject[]
  /** Comes last: while it is missing nobody is let through. */
  account: KubeObject
}

export function projection(wanted: Wanted, served: readonly Served[], at: { namespace: string; name: string }) {
  const impersonators = impersonatorRoles(wanted)
  const executor = executorRole(wanted, served)
  const granted = grantedRoles(wanted, served)
  const inUse = wanted.grants.filter((grant) => granted.has(roleNameOf(grant, wanted.cluster)))
  return {
    place: placeOf(at.namespace),
    roles: [...impersonators, ...executor.roles, ...[...granted].map(([name, rules]) => clusterRole(name, rules))].map(
      (role) => labelled(role, wanted),
    ),
    bindings: [
      ...impersonators.map(({ metadata }) =>
        binding(undefined, metadata.name, metadata.name, { kind: 'ServiceAccount', ...at }),
      ),
      ...executor.bindings,
      ...inUse.flatMap((grant) => bindingsOf(grant, wanted.cluster)),
    ].map((one) => labelled(one, wanted)),
    account: {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { ...at, labels: MANAGED },
      automountServiceAccountToken: false,
    },
  } satisfies Projection
}

const MANAGED = { 'app.kubernetes.io/managed-by': 'quarterdeck' }

const labelled = (object: KubeObject, { installation, cluster }: Wanted): KubeObject => ({
  ...object,
  metadata: {
    ...object.metadata,
    labels: { ...MANAGED, ...object.metadata.labels, [INSTALLATION]: installation, [CLUSTER]: cluster },
  },
})

/** No pod that runs as the account, and no Secret with a token of it, comes to be there. */
const placeOf = (namespace: string): KubeObject[] => [
  {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels: { ...MANAGED, 'pod-security.kubernetes.io/enforce': 'restricted' } },
  },
  {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'quarterdeck-nothing-runs', namespace, labels: MANAGED },
    spec: { hard: { pods: '0', 'count/secrets': '0' } },
  },
]

/**
 * Whom the account may act as, by name: those who exist and nobody else. A rule without names would be one for all
 * names, so there is none for what there is none of.
 */
function impersonatorRoles({ users, groups, namespaces, installation, cluster }: Wanted): KubeObject[] {
  const name = `${PREFIX}impersonator:${cluster}:${installation.slice(0, 8)}`
  const names = [
    ...users.map((user) => ({ apiGroup: '', resource: 'users', name: user.name })),
    ...users.map((user) => ({ apiGroup: 'authentication.k8s.io', resource: 'uids', name: user.uid })),
    ...groups.map((group) => ({ apiGroup: '', resource: 'groups', name: group })),
    ...namespaces.map((namespace) => ({ apiGroup: '', resource: 'users', name: executorName(namespace) })),
  ]
  const chunks = Array.from({ length: Math.max(1, Math.ceil(names.length / MOST_NAMES)) }, (_, index) =>
    names.slice(index * MOST_NAMES, (index + 1) * MOST_NAMES),
  )
  return chunks.map((chunk, index) =>
    clusterRole(
      index === 0 ? name : `${name}:${index}`,
      [...Map.groupBy(chunk, ({ resource }) => resource)].map(([resource, all]) => ({
        apiGroups: [all[0]?.apiGroup ?? ''],
        resources: [resource],
        resourceNames: all.map((one) => one.name).toSorted(),
        verbs: ['impersonate'],
      })),
    ),
  )
}

/** Operations delete one object after the other. */
const withoutCollections = (kind: Served): Served => ({
  ...kind,
  verbs: kind.verbs.filter((verb) => verb !== 'deletecollection'),
})

/**
 * What operations may write besides what comes with their environment: every kind in namespaces that the cluster serves,
 * those of extensions too, as they come and go. Not what is withheld, nor what keeps environments apart.
 */
function executorRole({ installation, cluster, namespaces }: Wanted, served: readonly Served[]) {
  const name = `${PREFIX}executor:${cluster}:${installation.slice(0, 8)}`
  const kinds = served.filter(({ namespaced, resource, verbs }) => {
    return namespaced && !resource.includes('/') && verbs.includes('get')
  })
  const rules = rulesOf(['object.get', 'object.edit'], kinds.map(withoutCollections), { wide: false })
  if (rules.length === 0) return { roles: [], bindings: [] }
  const bindings = namespaces.map((namespace) =>
    binding(namespace, name, name, { kind: 'User', name: executorName(namespace) }),
  )
  return { roles: [clusterRole(name, rules)], bindings }
}

const roleNameOf = ({ role, namespaces }: ProjectedGrant, cluster: string) =>
  `${PREFIX}role:${cluster}:${role}${namespaces ? '' : ':wide'}`

/** Rules by name of the ClusterRole; roles that open nothing natively have none. */
function grantedRoles({ grants, cluster }: Wanted, served: readonly Served[]): Map<string, Rule[]> {
  const found = new Map<string, Rule[]>()
  for (const grant of grants) {
    const name = roleNameOf(grant, cluster)
    if (found.has(name)) continue
    const rules = rulesOf(grant.permissions, served, { wide: grant.namespaces === undefined })
    if (rules.length > 0) found.set(name, rules)
  }
  return found
}

/**
 * What permissions open, resource by resource and verb by verb as the cluster serves them. Within an environment only
 * what lies in a namespace, and of the namespace itself no more than a look: whoever changes its labels changes what may
 * run in it. `*` for the whole platform: everything there is.
 */
export function rulesOf(
  permissions: readonly string[],
  served: readonly Served[],
  { wide }: { wide: boolean },
): Rule[] {
  const everything = wide && permissions.includes('*')
  const rules = nativeRules(permissions)
  const opened = served.flatMap(({ group, resource, namespaced, verbs }) => {
    const may = everything
      ? [...verbs]
      : verbs.filter((verb) => rules.some((rule) => opens(rule, { group, resource }, verb)))
    const kept =
      namespaced || wide ? may : may.filter((verb) => verb === 'get' && group === '' && resource === 'namespaces')
    return kept.length > 0 ? [{ group, resource, verbs: kept.toSorted() }] : []
  })
  const merged = Map.groupBy(opened, ({ group, verbs }) => `${group} ${verbs.join()}`)
  return [
    ...[...merged.values()].map((some) => ({
      apiGroups: [some[0]?.group ?? ''],
      resources: some.map(({ resource }) => resource).toSorted(),
      verbs: some[0]?.verbs ?? [],
    })),
    ...(everything ? [{ nonResourceURLs: ['*'], verbs: ['get'] }] : []),
  ].toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1))
}

const bindingsOf = (grant: ProjectedGrant, cluster: string): KubeObject[] =>
  (grant.namespaces ?? [undefined]).map((namespace) => {
    const made = binding(namespace, `${PREFIX}grant:${cluster}:${grant.id}`, roleNameOf(grant, cluster), grant.holder)
    return { ...made, metadata: { ...made.metadata, labels: { [GRANT]: grant.id } } }
  })

const clusterRole = (name: string, rules: Rule[]): KubeObject => ({
  apiVersion: `${RBAC}/v1`,
  kind: 'ClusterRole',
  metadata: { name },
  rules,
})

type BoundTo = { kind: 'User' | 'Group'; name: string } | { kind: 'ServiceAccount'; name: string; namespace: string }

const binding = (namespace: string | undefined, name: string, role: string, to: BoundTo): KubeObject => ({
  apiVersion: `${RBAC}/v1`,
  kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
  subjects: [to.kind === 'ServiceAccount' ? to : { ...to, apiGroup: RBAC }],
})

/** Whether what is there says what is wanted, and no more than that. */
export const isAsWanted = (live: KubeObject, wanted: KubeObject): boolean =>
  Object.entries(wanted.metadata.labels ?? {}).every(([label, value]) => live.metadata.labels?.[label] === value) &&
  ['rules', 'aggregationRule', 'roleRef', 'subjects'].every(
    (field) => canonical(live[field]) === canonical(wanted[field]),
  )

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? ''
  const members = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return `{${members.map(([name, member]) => `${name}:${canonical(member)}`).join()}}`
}
