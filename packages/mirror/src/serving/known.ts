import type { KindSpec } from '../kind.ts'
import type { Reader } from '../mirror.ts'

/** Whether the reader may list the kind at one place of the cluster at least; what has no namespace is in one place. */
export const isKnown = (reader: Reader, { resource, namespaced }: KindSpec, cluster: string): boolean =>
  namespaced ? reader.knows(cluster, resource) : reader.may(resource, cluster, '')
