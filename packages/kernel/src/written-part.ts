import type { KubeObject } from './object.ts'

// What the API server keeps for itself: of no use to whoever reads a change, or different in each dry run.
const NOISE = ['managedFields', 'resourceVersion', 'uid', 'generation', 'creationTimestamp', 'selfLink']
const NOISY_ANNOTATIONS = ['kubectl.kubernetes.io/last-applied-configuration', 'deployment.kubernetes.io/revision']

/** The object without status and without what the API server keeps for itself; Secret values are left as they are. */
export function writtenPart(object: KubeObject): KubeObject {
  const { status: _, ...rest } = object
  const metadata = Object.fromEntries(Object.entries(object.metadata).filter(([key]) => !NOISE.includes(key)))
  const annotations = Object.fromEntries(
    Object.entries(object.metadata.annotations ?? {}).filter(([key]) => !NOISY_ANNOTATIONS.includes(key)),
  )
  delete metadata.annotations
  return {
    ...rest,
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      ...metadata,
      name: object.metadata.name,
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
  }
}
