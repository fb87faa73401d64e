import type { KubernetesObject } from '../generator/shape.ts'

interface Template {
  spec?: { containers?: { image: string }[] }
}

const imagesOf = ({ spec }: KubernetesObject) =>
  ((spec as { template?: Template } | undefined)?.template?.spec?.containers ?? []).map(({ image }) => image)

const at = (object: KubernetesObject, ...path: string[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], object)

/** What free text finds in an object besides namespace, name and labels, by kind. */
const SEARCHED: Record<string, (object: KubernetesObject) => unknown[]> = {
  pods: (object) => [
    at(object, 'spec', 'nodeName'),
    at(object, 'status', 'podIP'),
    ...(at(object, 'spec', 'containers') as { image: string }[]).map(({ image }) => image),
  ],
  'deployments.apps': imagesOf,
  'replicasets.apps': imagesOf,
  'statefulsets.apps': imagesOf,
  'daemonsets.apps': imagesOf,
  'jobs.batch': imagesOf,
  services: (object) => [at(object, 'spec', 'clusterIP')],
  events: (object) => [
    at(object, 'reason'),
    at(object, 'message'),
    `${at(object, 'involvedObject', 'kind')}/${at(object, 'involvedObject', 'name')}`,
  ],
  configmaps: () => [],
  secrets: () => [],
  serviceaccounts: () => [],
  'backups.campus.example.edu': () => [],
  'courses.campus.example.edu': () => [],
  'certificates.certificates.example.edu': () => [],
}

/** Kinds of which the oracle knows everything that free text finds. */
export const isSearchKnown = (resource: string): boolean => Object.hasOwn(SEARCHED, resource)

/** All that free text finds in an object, in small letters. */
export function searchedText(resource: string, object: KubernetesObject): string {
  const { namespace = '', name, labels = {} } = object.metadata
  const own = SEARCHED[resource]?.(object) ?? []
  const texts = [namespace, name, ...Object.entries(labels).map(([key, value]) => `${key}=${value}`), ...own]
  return texts
    .filter((text) => typeof text === 'string')
    .join('\0')
    .toLowerCase()
}
