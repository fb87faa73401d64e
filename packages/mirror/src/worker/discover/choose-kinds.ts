import { resourceOf } from '../../kind.ts'
import type { ServedKind } from '../served-kind.ts'

/** One version of a group as discovery tells it. Versions of a group come with the preferred one first. */
export interface GroupVersion {
  group: string
  version: string
  resources: { plural: string; kind: string; namespaced: boolean; verbs: string[]; shortNames: string[] }[]
}

// The same objects under a second name: the first is read.
const SERVED_TWICE = [
  ['events', 'events.events.k8s.io'],
  ['ingresses.networking.k8s.io', 'ingresses.extensions'],
  ['deployments.apps', 'deployments.extensions'],
  ['daemonsets.apps', 'daemonsets.extensions'],
  ['replicasets.apps', 'replicasets.extensions'],
  ['networkpolicies.networking.k8s.io', 'networkpolicies.extensions'],
  ['podsecuritypolicies.policy', 'podsecuritypolicies.extensions'],
] as const

/** Groups of Kubernetes itself; all others are defined by CustomResourceDefinitions or aggregated API servers. */
const OWN_GROUPS = new Set([
  '',
  'apps',
  'autoscaling',
  'batch',
  'extensions',
  'policy',
  ...[
    'admissionregistration',
    'apiextensions',
    'apiregistration',
    'auditregistration',
    'authentication',
    'authorization',
    'certificates',
    'coordination',
    'discovery',
    'events',
    'flowcontrol.apiserver',
    'internal.apiserver',
    'networking',
    'node',
    'rbac.authorization',
    'resource',
    'scheduling',
    'settings',
    'storage',
    'storagemigration',
  ].map((name) => `${name}.k8s.io`),
])

/** What can be listed and watched: each resource in the first version that has it. */
export function kindsOf(versions: GroupVersion[]): Omit<ServedKind, 'printerColumns'>[] {
  const kinds = new Map<string, Omit<ServedKind, 'printerColumns'>>()
  for (const { group, version, resources } of versions) {
    for (const { plural, kind, namespaced, verbs, shortNames } of resources) {
      const name = resourceOf(plural, group)
      if (plural.includes('/') || kinds.has(name) || !verbs.includes('list') || !verbs.includes('watch')) continue
      kinds.set(name, { group, version, kind, plural, shortNames, namespaced, custom: !OWN_GROUPS.has(group) })
    }
  }
  for (const [first, second] of SERVED_TWICE) if (kinds.has(first)) kinds.delete(second)
  return [...kinds.values()]
}
