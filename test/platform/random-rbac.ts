import type { KubeObject } from '@quarterdeck/kernel'
import type { Act, Asker, PolicyRule } from '../../features/cluster/access/rbac.rules.ts'

/** Whole numbers from 0 up to, not including, the bound. */
export type Dice = (bound: number) => number

/** The same numbers for the same seed. */
export function dice(seed: number): Dice {
  let state = Math.imul(seed, 2_654_435_761) >>> 0
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound
  }
}

const one = <T>(next: Dice, of: readonly T[]): T => of[next(of.length)] as T
const some = <T>(next: Dice, of: readonly T[], most: number): T[] => [
  ...new Set(Array.from({ length: 1 + next(most) }, () => one(next, of))),
]

export const NAMESPACES = ['n0', 'n1', 'n2', 'n3']
const USERS = ['quarterdeck:user:u0', 'quarterdeck:user:u1', 'quarterdeck:user:u2', 'quarterdeck:user:u3']
const GROUPS = ['quarterdeck:group:g0', 'quarterdeck:group:g1', 'quarterdeck:group:g2']
const ACCOUNTS = ['sa0', 'sa1']
const RESOURCES: readonly [group: string, resource: string][] = [
  ['', 'pods'],
  ['', 'configmaps'],
  ['', 'secrets'],
  ['', 'services'],
  ['', 'nodes'],
  ['', 'namespaces'],
  ['apps', 'deployments'],
  ['apps', 'replicasets'],
  ['batch', 'jobs'],
  ['rbac.authorization.k8s.io', 'roles'],
  ['rbac.authorization.k8s.io', 'clusterroles'],
]
const SUBRESOURCES = ['log', 'exec', 'scale', 'status']
const VERBS = ['get', 'list', 'watch', 'create', 'delete', 'impersonate']
const NAMES = ['web', 'db', 'n0', 'n1']
const PATHS = ['/healthz', '/logs/a', '/logs', '/metrics', '/apis']

export interface WorldOptions {
  namespaces?: readonly string[]
  /** Begins the names of what belongs to no namespace. */
  prefix?: string
  /** Whom bindings name besides the users and groups of `randomAsker`. */
  users?: readonly string[]
  groups?: readonly string[]
}

function randomRule(next: Dice, inNamespace: boolean): PolicyRule {
  const verbs = next(8) === 0 ? ['*'] : some(next, VERBS, 4)
  if (!inNamespace && next(10) === 0) {
    return { verbs, nonResourceURLs: [one(next, ['*', '/logs/*', '/healthz', '/apis*', '/metrics'])] }
  }
  const kinds = some(next, RESOURCES, 3)
  const resources = kinds.flatMap(([, resource]) => {
    const kind = next(12) === 0 ? '*' : resource
    return next(5) === 0 ? [`${kind}/${one(next, SUBRESOURCES)}`] : next(14) === 0 ? ['*'] : [resource]
  })
  const apiGroups = next(8) === 0 ? ['*'] : kinds.map(([group]) => group)
  return {
    verbs,
    apiGroups: [...new Set(apiGroups)],
    resources: [...new Set(resources)],
    ...(next(7) === 0 ? { resourceNames: some(next, NAMES, 2) } : {}),
  }
}

const API = 'rbac.authorization.k8s.io'

/** Roles and bindings as an API server accepts them; some bindings name roles that are not there. */
export function randomWorld(next: Dice, options: WorldOptions = {}): KubeObject[] {
  const { namespaces = NAMESPACES, prefix = 'w' } = options
  const users = options.users ?? USERS
  const groups = [...(options.groups ?? GROUPS), 'system:authenticated']
  const made = (kind: string, name: string, namespace: string, rest: object): KubeObject => ({
    apiVersion: `${API}/v1`,
    kind,
    metadata: { name, ...(namespace === '' ? {} : { namespace }) },
    ...rest,
  })
  const clusterRoles = Array.from({ length: 2 + next(3) }, (_, index) => `${prefix}-wide-${index}`)
  const roles = Array.from({ length: 2 + next(4) }, (_, index) => ({
    name: `${prefix}-role-${index}`,
    namespace: one(next, namespaces),
  }))
  const subjects = () =>
    Array.from({ length: 1 + next(2) }, () => {
      const kind = next(10)
      if (kind < 4) return { kind: 'User', apiGroup: API, name: one(next, users) }
      if (kind < 8) return { kind: 'Group', apiGroup: API, name: one(next, groups) }
      return { kind: 'ServiceAccount', name: one(next, ACCOUNTS), namespace: one(next, namespaces) }
    })
  const ref = (kind: string, name: string) => ({ roleRef: { apiGroup: API, kind, name } })
  return [
    ...clusterRoles.map((name) =>
      made('ClusterRole', name, '', { rules: Array.from({ length: next(3) + 1 }, () => randomRule(next, false)) }),
    ),
    ...roles.map(({ name, namespace }) =>
      made('Role', name, namespace, { rules: Array.from({ length: next(3) + 1 }, () => randomRule(next, true)) }),
    ),
    ...Array.from({ length: next(3) }, (_, index) =>
      made('ClusterRoleBinding', `${prefix}-all-${index}`, '', {
        ...ref('ClusterRole', one(next, [...clusterRoles, `${prefix}-missing`])),
        subjects: subjects(),
      }),
    ),
    ...Array.from({ length: 2 + next(5) }, (_, index) => {
      const role = one(next, roles)
      const bound = next(2) === 0 ? ref('Role', role.name) : ref('ClusterRole', one(next, clusterRoles))
      const namespace = next(3) > 0 ? role.namespace : one(next, namespaces)
      return made('RoleBinding', `${prefix}-some-${index}`, namespace, { ...bound, subjects: subjects() })
    }),
  ]
}

/** A user, a service account, or nobody in particular. */
export function randomAsker(next: Dice, namespaces: readonly string[] = NAMESPACES): Asker {
  const user =
    next(4) === 0 ? `system:serviceaccount:${one(next, namespaces)}:${one(next, ACCOUNTS)}` : one(next, USERS)
  const groups = next(3) === 0 ? [] : some(next, GROUPS, 2)
  return { user, groups: [...groups, 'system:authenticated', ...(next(60) === 0 ? ['system:masters'] : [])] }
}

export function randomAct(next: Dice, namespaces: readonly string[] = NAMESPACES): Act {
  const verb = one(next, VERBS)
  if (next(12) === 0) return { verb, path: one(next, PATHS) }
  const [group, resource] = one(next, RESOURCES)
  return {
    verb,
    group: next(20) === 0 ? 'other.example' : group,
    resource,
    ...(next(4) === 0 ? { subresource: one(next, SUBRESOURCES) } : {}),
    ...(next(5) === 0 ? {} : { namespace: one(next, namespaces) }),
    ...(verb === 'list' || next(2) === 0 ? {} : { name: one(next, NAMES) }),
  }
}
