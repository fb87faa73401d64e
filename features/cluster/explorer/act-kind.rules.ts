/** What can be done with objects of a kind besides deleting and editing them. */
export type ActName = 'scale' | 'restart' | 'move' | 'cordon' | 'uncordon' | 'drain'

const ACTS: Record<string, readonly ActName[]> = {
  'deployments.apps': ['scale', 'restart'],
  'statefulsets.apps': ['scale', 'restart'],
  'daemonsets.apps': ['restart'],
  'replicasets.apps': ['scale'],
  replicationcontrollers: ['scale'],
  pods: ['move'],
  nodes: ['cordon', 'uncordon', 'drain'],
}

export const actsOf = (resource: string): readonly ActName[] => ACTS[resource] ?? []

/** The key that does it, while something is picked or its details are shown. */
export const ACT_KEYS: Record<ActName, string> = {
  scale: 's',
  restart: 'r',
  move: 'm',
  cordon: 'c',
  uncordon: 'u',
  drain: 'd',
}

/** The key that opens the editor of the details. */
export const EDIT_KEY = 'e'

/** How many pods somebody has written; undefined for what is no number of pods. */
export function replicasOf(text: string): number | undefined {
  return /^\d{1,9}$/.test(text.trim()) ? Number(text) : undefined
}

/** What is asked of one place: the body of the request. */
export function bodyOf(
  act: ActName,
  {
    namespace,
    objects,
  }: { namespace: string; objects: readonly { resource: string; name: string; uid?: string | undefined }[] },
  { replicas, lost }: { replicas: number; lost: boolean },
): object {
  const named = objects.map(({ name, uid }) => ({ name, ...(uid ? { uid } : {}) }))
  const workloads = objects.map(({ resource, name, uid }) => ({ resource, name, ...(uid ? { uid } : {}) }))
  switch (act) {
    case 'scale':
      return { namespace, objects: workloads, replicas }
    case 'restart':
      return { namespace, objects: workloads }
    case 'move':
      return { namespace, pods: named, lost }
    case 'drain':
      return { nodes: named, lost }
    default:
      return { nodes: named }
  }
}
