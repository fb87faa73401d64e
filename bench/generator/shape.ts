/** How large a cluster is, and of what kind. */
export interface ClusterShape {
  pods: number
  nodes: number
  namespaces: number
  /** Pods of 3 to 5 containers (6 to 12 KB each) instead of 1 or 2 (3 to 5 KB). */
  heavy: boolean
  seed: number
}

export interface ShapeOptions {
  heavy?: boolean
  seed?: number
}

/** A cluster with so many pods, everything else in proportion: 150,000 pods come with 5,000 nodes and 300 namespaces. */
export const shapeOf = (pods: number, { heavy = false, seed = 20261121 }: ShapeOptions = {}): ClusterShape => ({
  pods,
  nodes: Math.max(5, Math.round(pods / 30)),
  namespaces: Math.min(300, Math.max(12, Math.round(pods / 500))),
  heavy,
  seed,
})

/** What is said about a generated object when it is written. */
export interface Generated {
  /** In etcd. */
  key: string
  object: KubernetesObject
}

export interface Metadata {
  name: string
  namespace?: string
  uid: string
  creationTimestamp: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  deletionTimestamp?: string
  ownerReferences?: OwnerReference[]
  [field: string]: unknown
}

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller: true
  blockOwnerDeletion: true
}

export interface KubernetesObject {
  apiVersion: string
  kind: string
  metadata: Metadata
  [field: string]: unknown
}

/** The moment at which all generated clusters stand still. */
export const NOW = Date.parse('2026-11-21T06:00:00Z')

/** RFC 3339, in whole seconds, so many seconds before NOW. */
export const before = (seconds: number): string => `${new Date(NOW - seconds * 1000).toISOString().slice(0, 19)}Z`

/** The owner reference to a controller. */
export const ownedBy = ({ apiVersion, kind, metadata }: KubernetesObject): OwnerReference => ({
  apiVersion,
  kind,
  name: metadata.name,
  uid: metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
})
