import type { Json, KubeObject, KubeRef } from '@quarterdeck/kernel'
import { z } from 'zod'
import { Environment, Limits } from './environment.contract.ts'

/** What is remembered of an environment: the row without what is observed. */
export const EnvironmentDefinition = Environment.pick({
  name: true,
  cluster: true,
  namespace: true,
  stage: true,
  title: true,
  createTime: true,
  isolation: true,
  podSecurity: true,
}).extend({
  adopted: z.boolean().default(false),
  // Operations from before there were projects name none.
  project: Environment.shape.project.default('default'),
  tenant: Environment.shape.tenant.default('default'),
  quota: Environment.shape.quota.default({}),
  limits: Limits.optional(),
})
export type EnvironmentDefinition = z.infer<typeof EnvironmentDefinition>

export const definitionOf = (value: Json | null): EnvironmentDefinition | undefined =>
  value === null ? undefined : EnvironmentDefinition.parse(value)

export const namespaceRef = (namespace: string): KubeRef => ({ apiVersion: 'v1', kind: 'Namespace', name: namespace })

/** What is applied to let go of a namespace: our labels go, everything else stays. */
export const released = (namespace: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: namespace },
})

/** True for a namespace that is there and was not labelled for an environment of this name. */
export const isForeign = (live: KubeObject | undefined, environment: string): boolean =>
  live !== undefined && live.metadata.labels?.['quarterdeck.dev/environment'] !== environment

const MOST = 5

/** `Deployment shop, Pod debug and 3 more`. */
export function named(objects: KubeObject[]): string {
  const names = objects.slice(0, MOST).map(({ kind, metadata }) => `${kind} ${metadata.name}`)
  const more = objects.length - names.length
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** Objects that somebody made, without those that a controller keeps or that are on their way out. */
export const madeByOthers = (objects: KubeObject[]): KubeObject[] =>
  objects.filter(
    ({ metadata }) =>
      metadata.labels?.['app.kubernetes.io/managed-by'] !== 'quarterdeck' &&
      metadata.deletionTimestamp === undefined &&
      !metadata.ownerReferences?.length,
  )

/** Namespaces that belong to Kubernetes itself. */
export const isReserved = (namespace: string): boolean => namespace.startsWith('kube-') || namespace === 'default'

/** Reads `request.cpu=100m,most.memory=1Gi`, or `none`; what are no limits fails as Limits.safeParse does. */
export function limitsFrom(text: string) {
  const limits: Record<string, Record<string, string>> = {}
  for (const pair of text === 'none' ? [] : text.split(',')) {
    const [path = '', value = ''] = pair.split('=')
    const [kind = '', resource = ''] = path.split('.')
    limits[kind] = { ...limits[kind], [resource]: value }
  }
  return Limits.safeParse(limits)
}
