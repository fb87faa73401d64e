import { z } from 'zod'

/** Any value that JSON can carry. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/** Names one object of one cluster; `namespace` is absent for cluster-scoped kinds. */
export const KubeRef = z.object({
  apiVersion: z.string().max(320),
  kind: z.string().max(63),
  namespace: z.string().max(63).optional(),
  name: z.string().max(253),
})
export type KubeRef = z.infer<typeof KubeRef>

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
}

export interface ObjectMeta {
  name: string
  namespace?: string
  uid?: string
  generation?: number
  resourceVersion?: string
  creationTimestamp?: string
  deletionTimestamp?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: OwnerReference[]
  managedFields?: ManagedFields[]
  finalizers?: string[]
}

/** Who set which fields; `fieldsV1` is the API server's own notation. */
export interface ManagedFields {
  manager?: string
  operation?: 'Apply' | 'Update'
  time?: string
  subresource?: string
  fieldsV1?: Record<string, unknown>
}

/** A Kubernetes object as JSON. `spec`, `status` and the rest are checked by whoever reads them. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  // biome-ignore lint/suspicious/noExplicitAny: the shape depends on the kind; the API server has validated it
  [field: string]: any
}

/** The reference to an object. */
export const refOf = ({ apiVersion, kind, metadata }: KubeObject): KubeRef => ({
  apiVersion,
  kind,
  ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  name: metadata.name,
})

/** `Deployment dev/shop`, for sentences and keys. */
export const refText = ({ kind, namespace, name }: KubeRef): string =>
  namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`
