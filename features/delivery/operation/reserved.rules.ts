import { type KubeObject, type KubeRef, type MergePatch, refOf, refText } from '@quarterdeck/kernel'
import type { Blocker, ChangeRequest } from './operation.contract.ts'

/** Who keeps environments: only its changes write what keeps them apart. */
const KEEPER = 'environment'
const OURS: readonly string[] = ['quarterdeck', 'quarterdeck-isolation', 'quarterdeck-executor']
/** Kinds that say what may be done and reached in a namespace: nobody loosens them by what he deploys. */
const KEPT: readonly string[] = [
  'ResourceQuota',
  'LimitRange',
  'NetworkPolicy',
  'CiliumNetworkPolicy',
  'Role',
  'RoleBinding',
]
const RESERVED_LABEL = /^(quarterdeck\.dev\/|pod-security\.kubernetes\.io\/|kubernetes\.io\/metadata\.name$)/

/**
 * What of a change belongs to the platform: labels of namespaces that say who keeps them apart, the objects of an
 * environment, the rights of whom operations act as. Changes of environments themselves may do all of it.
 */
export function reservedBlockers({ desired, removed, before, patched = [], definition }: ChangeRequest): Blocker[] {
  if (definition?.owner === KEEPER) return []
  return [
    ...desired.flatMap((object) => [
      ...labels(object),
      ...ours(refOf(object)),
      // What was deployed before there was this rule goes on.
      ...(before.some((one) => refText(refOf(one)) === refText(refOf(object))) ? [] : kept(object)),
    ]),
    ...removed.flatMap(ours),
    ...patched.flatMap(({ ref, patch }) => [
      ...ours(ref),
      ...labels({ kind: ref.kind, metadata: metadataOf(ref, patch) }),
    ]),
  ]
}

function metadataOf({ name }: KubeRef, { metadata }: MergePatch) {
  const { labels } = (metadata ?? {}) as { labels?: Record<string, string> | null }
  // Whoever takes all labels away takes the platform's, too.
  return { name, labels: labels === null ? { 'kubernetes.io/metadata.name': '' } : (labels ?? {}) }
}

function labels({ kind, metadata }: Pick<KubeObject, 'kind' | 'metadata'>): Blocker[] {
  if (kind !== 'Namespace') return []
  const reserved = Object.keys(metadata.labels ?? {}).filter((label) => RESERVED_LABEL.test(label))
  return reserved.map((label) => ({
    pointer: '',
    detail: `Label ${label} of Namespace ${metadata.name} is set by its environment only. Change the environment instead.`,
  }))
}

const kept = ({ kind, metadata }: KubeObject): Blocker[] =>
  KEPT.includes(kind) && !OURS.includes(metadata.name)
    ? [
        {
          pointer: '',
          detail: `${kind} ${metadata.name} says what may be done or reached in the environment, so it is not deployed with an application. Leave it out; quota, limits and isolation are set on the environment, rights by grants.`,
        },
      ]
    : []

const ours = ({ kind, name }: KubeRef): Blocker[] =>
  KEPT.includes(kind) && OURS.includes(name)
    ? [
        {
          pointer: '',
          detail: `${kind} ${name} belongs to the environment. Change the quota, limits or isolation of the environment instead.`,
        },
      ]
    : []
