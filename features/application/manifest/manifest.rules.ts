import type { KubeObject } from '@quarterdeck/kernel'
import { z } from 'zod'
import type { Blocker } from '../../delivery/operation/operation.contract.ts'

const Written = z.looseObject({
  apiVersion: z.string().min(1),
  kind: z.string().min(1),
  metadata: z.looseObject({
    name: z.string().min(1),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).nullable().optional(),
    annotations: z.record(z.string(), z.string()).nullable().optional(),
  }),
})

/** What the cluster says of a kind: undefined when it has no such kind. */
export type Scope = 'namespaced' | 'cluster' | undefined

/** An object as it may be applied, or why not. */
export type Judged = { object: KubeObject } | { blocker: Blocker }

/** The kind of a document, for asking the cluster about it; undefined when it has none. */
export function kindOf(value: unknown): { apiVersion: string; kind: string } | undefined {
  const parsed = z.looseObject({ apiVersion: z.string().min(1), kind: z.string().min(1) }).safeParse(value)
  return parsed.success ? { apiVersion: parsed.data.apiVersion, kind: parsed.data.kind } : undefined
}

const nameOf = (value: unknown): string => {
  const { kind, metadata } = (value ?? {}) as { kind?: unknown; metadata?: { name?: unknown } }
  const parts = [kind, metadata?.name].filter((part) => typeof part === 'string')
  return parts.length > 0 ? ` (${parts.join(' ')})` : ''
}

/** Judges one document by itself. `namespace` is the environment's own. */
export function judgeDocument(
  { number, value }: { number: number; value: unknown },
  scope: Scope,
  namespace: string,
): Judged {
  const no = (detail: string): Judged => ({
    blocker: { pointer: '/yaml', detail: `Document ${number}${nameOf(value)}: ${detail}` },
  })
  const parsed = Written.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return no(
      `${issue?.path.join('.') || 'it'} is missing or of the wrong kind. An object has apiVersion, kind and metadata.name.`,
    )
  }
  const { apiVersion, kind, metadata } = parsed.data
  if (apiVersion === 'v1' && kind === 'List')
    return no('a List is not taken apart. Write its items as documents with --- between them.')
  if (apiVersion === 'v1' && kind === 'Secret') {
    return no(
      'Secrets are not taken from YAML, since plans and history would keep them readable. Make it with kubectl (qd kubeconfig).',
    )
  }
  if (scope === undefined)
    return no(`the cluster has no ${kind} of ${apiVersion}. Check the spelling, or install what brings it.`)
  if (scope === 'cluster') {
    return no(
      `${kind} belongs to the whole cluster and not to an environment. Leave it out; an administrator makes it with kubectl.`,
    )
  }
  if (metadata.namespace !== undefined && metadata.namespace !== namespace) {
    return no(
      `its namespace is ${metadata.namespace}, that of the environment is ${namespace}. Leave the namespace out.`,
    )
  }
  return { object: bare(parsed.data as unknown as KubeObject) }
}

// What the API server writes itself; what `kubectl get -o yaml` prints can be pasted as it is.
const OWN = [
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'managedFields',
  'selfLink',
  'deletionTimestamp',
]

function bare({ status: _, ...object }: KubeObject): KubeObject {
  const metadata = Object.fromEntries(
    Object.entries(object.metadata).filter(([key, value]) => !OWN.includes(key) && value !== null),
  )
  return { ...object, metadata } as unknown as KubeObject
}

/** Objects that are in the YAML more than once. */
export function doubles(objects: { document: number; object: KubeObject }[]): Blocker[] {
  const first = new Map<string, number>()
  return objects.flatMap(({ document, object }) => {
    const { apiVersion, kind, metadata } = object
    const key = `${apiVersion} ${kind} ${metadata.name}`
    const before = first.get(key)
    if (before === undefined) {
      first.set(key, document)
      return []
    }
    return [
      {
        pointer: '/yaml',
        detail: `Document ${document} (${kind} ${metadata.name}): is in document ${before} already. Keep one of them.`,
      },
    ]
  })
}
