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
export const limitsFrom = (text: string) =>
  limitsOf(
    (text === 'none' ? [] : text.split(',')).map((pair) => {
      const [path = '', value = ''] = pair.split('=')
      return [path, value]
    }),
  )

function limitsOf(entries: readonly (readonly [path: string, value: string])[]) {
  const limits: Record<string, Record<string, string>> = {}
  for (const [path, value] of entries) {
    const [kind = '', resource = ''] = path.split('.')
    limits[kind] = { ...limits[kind], [resource]: value }
  }
  return Limits.safeParse(limits)
}

/** Fields of a form for limits. */
export const limitFields = [
  { key: 'request.cpu', placeholder: '100m' },
  { key: 'request.memory', placeholder: '128Mi' },
  { key: 'limit.cpu', placeholder: '1' },
  { key: 'limit.memory', placeholder: '512Mi' },
  { key: 'most.cpu', placeholder: '4' },
  { key: 'most.memory', placeholder: '4Gi' },
] as const

/** Limits as texts of a form; what is not limited is left out. */
export const limitTexts = (limits: Limits): Record<string, string> =>
  Object.fromEntries(
    Object.entries(limits).flatMap(([kind, amounts]) =>
      Object.entries(amounts).map(([resource, value]) => [`${kind}.${resource}`, value]),
    ),
  )

/** What a form says; `errors` by field where those are no limits. */
export function limitsOfTexts(texts: Readonly<Record<string, string>>): {
  limits?: Limits
  errors: Record<string, string>
} {
  const parsed = limitsOf(
    Object.entries(texts).flatMap(([path, value]) => (value.trim() === '' ? [] : [[path, value.trim()] as const])),
  )
  if (parsed.success) return { limits: parsed.data, errors: {} }
  return {
    errors: Object.fromEntries(
      parsed.error.issues.flatMap(({ path, message }) => {
        const named = path.join('.')
        // What does not fit together is said of all that is so.
        const fields = limitFields.filter(({ key }) => key === named || key.startsWith(`${named}.`))
        return fields.filter(({ key }) => texts[key]).map(({ key }) => [key, message])
      }),
    ),
  }
}
