import type { ObjectKind } from '../object/object.contract.ts'

/** What kinds are grouped by, in the order in which groups are shown. */
export const GROUPS = ['workloads', 'network', 'configuration', 'storage', 'access', 'cluster', 'custom'] as const
export type KindGroup = (typeof GROUPS)[number]

/** Kinds that most people look for, in this order, at the head of their group. */
const KNOWN: Record<KindGroup, readonly string[]> = {
  workloads: [
    'pods',
    'deployments.apps',
    'statefulsets.apps',
    'daemonsets.apps',
    'jobs.batch',
    'cronjobs.batch',
    'replicasets.apps',
    'replicationcontrollers',
    'horizontalpodautoscalers.autoscaling',
    'poddisruptionbudgets.policy',
    'controllerrevisions.apps',
  ],
  network: [
    'services',
    'ingresses.networking.k8s.io',
    'gateways.gateway.networking.k8s.io',
    'httproutes.gateway.networking.k8s.io',
    'networkpolicies.networking.k8s.io',
    'endpointslices.discovery.k8s.io',
    'endpoints',
  ],
  configuration: ['configmaps', 'secrets', 'resourcequotas', 'limitranges', 'podtemplates'],
  storage: ['persistentvolumeclaims', 'persistentvolumes', 'storageclasses.storage.k8s.io'],
  access: ['serviceaccounts'],
  cluster: ['nodes', 'namespaces', 'events', 'leases.coordination.k8s.io'],
  custom: [],
}
const BY_API_GROUP: Record<string, KindGroup> = {
  apps: 'workloads',
  batch: 'workloads',
  autoscaling: 'workloads',
  policy: 'workloads',
  'networking.k8s.io': 'network',
  'discovery.k8s.io': 'network',
  'gateway.networking.k8s.io': 'network',
  'storage.k8s.io': 'storage',
  'snapshot.storage.k8s.io': 'storage',
  'rbac.authorization.k8s.io': 'access',
  'certificates.k8s.io': 'access',
}

/** The group that a kind is shown in. */
export function groupOf({ resource, group, custom }: Pick<ObjectKind, 'resource' | 'group' | 'custom'>): KindGroup {
  const known = GROUPS.find((one) => KNOWN[one].includes(resource))
  return known ?? BY_API_GROUP[group] ?? (custom ? 'custom' : 'cluster')
}

/** How many objects of a kind there are, over all clusters. */
export const objectsOf = (kind: Pick<ObjectKind, 'clusters'>): number =>
  kind.clusters.reduce((sum, { objects }) => sum + objects, 0)

/** Kinds that hold every word of the text in their name, short names or API group, by groups. */
export function groupedKinds(kinds: readonly ObjectKind[], text: string): { group: KindGroup; kinds: ObjectKind[] }[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const found = kinds.filter((kind) => {
    const all = [kind.kind, kind.resource, ...kind.shortNames].join(' ').toLowerCase()
    return words.every((word) => all.includes(word))
  })
  return GROUPS.map((group) => {
    const place = ({ resource }: ObjectKind) => {
      const at = KNOWN[group].indexOf(resource)
      return at < 0 ? KNOWN[group].length : at
    }
    const inGroup = found.filter((kind) => groupOf(kind) === group)
    inGroup.sort((one, other) => place(one) - place(other) || one.kind.localeCompare(other.kind))
    return { group, kinds: inGroup }
  }).filter((one) => one.kinds.length > 0)
}

/** The kind that is meant most likely by a text: its name or short name, else the first that holds it. */
export function likeliest(kinds: readonly ObjectKind[], text: string): ObjectKind | undefined {
  const word = text.trim().toLowerCase()
  const exact = kinds.find(
    (kind) => [kind.resource, kind.plural, kind.kind.toLowerCase()].includes(word) || kind.shortNames.includes(word),
  )
  return exact ?? groupedKinds(kinds, text)[0]?.kinds[0]
}
