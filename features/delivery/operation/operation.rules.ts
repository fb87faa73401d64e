import {
  type Condition,
  type KubeObject,
  type KubeRef,
  type MergePatch,
  type Problem,
  refOf,
  refText,
} from '@quarterdeck/kernel'
import type {
  Definition,
  Evicted,
  ObjectPatch,
  Operation,
  OperationState,
  OperationStep,
  OperationSummary,
  Plan,
} from './operation.contract.ts'

/** Everything that carrying out and taking back needs; decided when the operation is accepted. */
export interface Intent {
  desired: KubeObject[]
  removed: (KubeRef & { uid?: string })[]
  before: KubeObject[]
  /** `inverse` puts the fields back that the patch changes. */
  patched?: (ObjectPatch & { inverse: MergePatch })[]
  evicted?: Evicted[]
  force: boolean
  deadlineSeconds: number
  definition?: Definition
  /** Why it can never be taken back. */
  notUndoable?: string
}

/** What one object became. */
export interface Result {
  ref: KubeRef
  uid: string
  /** False: it was there before. */
  created: boolean
  /** The workload's `Rollout.exceeded` of an earlier rollout, which says nothing of this one. */
  exceededBefore?: string
}

/** When the workloads last came nearer to what is wanted. */
export interface Progress {
  mark: string
  since: string
}

/** One row; times are RFC 3339. */
export interface OperationRow {
  id: string
  sequence: number
  type: string
  summary: string
  actor: string
  reason: string | null
  cluster: string
  environment: string | null
  application: string | null
  target: string
  intent: Intent
  plan: Plan
  steps: OperationStep[]
  conditions: Condition[]
  results: Result[]
  progress: Progress | null
  state: OperationState
  acceptTime: string
  startTime: string | null
  endTime: string | null
  undoes: string | null
  undoneBy: string | null
}

/** `cluster/namespace/what`: one operation at a time is carried out for each. */
export const targetKey = (target: { cluster: string; namespace?: string; what: string }): string =>
  `${target.cluster}/${target.namespace ?? ''}/${target.what}`

/**
 * As whom an operation writes: the environment's executor, which reaches nothing else; for what lies in no environment,
 * and for objects as they stand, the person who asked; the platform for environments themselves.
 */
export function actsAs({
  environment,
  intent,
}: Pick<OperationRow, 'environment'> & {
  intent: Pick<Intent, 'definition' | 'evicted'> & { patched?: readonly unknown[] }
}) {
  if (intent.definition?.owner === 'environment') return 'platform'
  if (intent.patched || intent.evicted) return 'person'
  return environment === null ? 'person' : 'executor'
}

/** The namespace of a target; empty when it is in none. */
export const namespaceOf = (target: string): string => target.split('/')[1] ?? ''

export const hasEnded = (state: OperationState): boolean => state === 'Succeeded' || state === 'Failed'

// What others need is made first: a Deployment without its namespace, configuration or Service would start wrong.
const ORDER = [
  'Namespace',
  'ResourceQuota',
  'LimitRange',
  'ServiceAccount',
  'Secret',
  'ConfigMap',
  'PersistentVolumeClaim',
  'Service',
]
// A pod that starts has its Service by then, since a Deployment takes far longer to have one than its own request.
const LAST = ORDER.indexOf('Service')
const rank = (kind: string) => {
  const index = ORDER.indexOf(kind)
  return index < 0 ? ORDER.length : index
}

/** In the order in which they are applied; objects of one kind stay as they were given. */
export const inOrder = <Item extends { kind: string }>(objects: Item[]): Item[] =>
  objects.toSorted((one, other) => rank(one.kind) - rank(other.kind))

/** The same in waves: what is in one can be applied at once, since it needs only what is in those before. */
export const inWaves = <Item extends { kind: string }>(objects: Item[]): Item[][] => [
  ...Map.groupBy(inOrder(objects), ({ kind }) => Math.min(rank(kind), LAST)).values(),
]

const WORKLOADS = ['Deployment', 'StatefulSet', 'DaemonSet']

export const isWorkload = ({ kind }: { kind: string }): boolean => WORKLOADS.includes(kind)

/** What is waited for after all is applied. */
export const awaited = ({ desired, patched = [] }: Intent): KubeRef[] =>
  [...desired.map(refOf), ...patched.map(({ ref }) => ref)].filter(isWorkload)

export const applyStep = (ref: { kind: string; name: string }) => `Apply ${ref.kind} ${ref.name}`
export const patchStep = (ref: { kind: string; name: string }) => `Change ${ref.kind} ${ref.name}`
export const evictStep = ({ namespace, name }: { namespace: string; name: string }) => `Evict Pod ${namespace}/${name}`
export const removeStep = (ref: { kind: string; name: string }) => `Delete ${ref.kind} ${ref.name}`
export const availableStep = (ref: { name: string }) => `Wait until ${ref.name} is available`
export const goneStep = (ref: { kind: string; name: string }) => `Wait until ${ref.kind} ${ref.name} is gone`

/** All steps of an operation before the first is done. */
export function stepsOf(intent: Intent): OperationStep[] {
  const names = [
    ...inOrder(intent.desired).map((object) => applyStep(refOf(object))),
    ...(intent.patched ?? []).map(({ ref }) => patchStep(ref)),
    ...intent.removed.map(removeStep),
    ...(intent.evicted ?? []).map(({ ref }) => evictStep(ref)),
    ...awaited(intent).map(availableStep),
    ...intent.removed.map(goneStep),
  ]
  return names.map((name) => ({ name, state: 'Waiting', message: '' }))
}

/** The steps with one of them changed; the same list when nothing is new. Times are set by its state. */
export function setStep(
  steps: OperationStep[],
  name: string,
  seen: Pick<OperationStep, 'state' | 'message'>,
  now: string,
): OperationStep[] {
  const old = steps.find((step) => step.name === name)
  if (!old || (old.state === seen.state && old.message === seen.message)) return steps
  const done = seen.state === 'Succeeded' || seen.state === 'Failed' || seen.state === 'Skipped'
  const step = {
    ...old,
    ...seen,
    ...(seen.state === 'Waiting' ? {} : { startTime: old.startTime ?? now }),
    ...(done ? { endTime: old.endTime ?? now } : {}),
  }
  return steps.map((other) => (other === old ? step : other))
}

/** How an operation ended, as its condition. */
export type Ending = Pick<Condition, 'reason' | 'message'> & { state: 'Succeeded' | 'Failed' }

/** The condition that says how it ended. */
export const endCondition = ({ state, reason, message }: Ending): Omit<Condition, 'lastTransitionTime'> => ({
  type: 'Succeeded',
  status: state === 'Succeeded' ? 'True' : 'False',
  reason,
  message,
})

/** A newer operation of the same target makes an older one pointless: the newer holds all that is wanted. */
export const superseded = (by: { id: string; summary: string; actor: string }): Ending => ({
  state: 'Failed',
  reason: 'Superseded',
  message: `Overtaken by "${by.summary}" of ${by.actor} (${by.id}), which carries on from here.`,
})

/** Why the cluster's refusal ends an operation: cause, consequence and what to do. */
export function refusal(problem: Problem, ref: KubeRef, appliedBefore: number): Ending {
  const consequence =
    appliedBefore === 0
      ? 'Nothing was changed.'
      : `${appliedBefore === 1 ? 'One object was' : `${appliedBefore} objects were`} changed before it; undo this operation to put them back.`
  const next: Record<string, string> = {
    '/problems/cluster-conflict': 'Plan it again, and take the fields over if they are meant to be yours.',
    '/problems/cluster-forbidden': 'Ask who looks after the cluster for this right, then repeat it.',
    '/problems/not-found': 'Create the environment again, then repeat it.',
  }
  const reasons: Record<string, string> = {
    '/problems/cluster-conflict': 'FieldsManagedElsewhere',
    '/problems/cluster-forbidden': 'ClusterForbidden',
    '/problems/not-found': 'NamespaceMissing',
  }
  const detail = problem.body.detail ?? problem.body.title
  return {
    state: 'Failed',
    reason: reasons[problem.body.type] ?? 'RejectedByCluster',
    message: `${refText(ref)}: ${detail} ${consequence} ${next[problem.body.type] ?? 'Correct it and repeat.'}`,
  }
}

/** The operation as others see it. */
export function toOperation(row: OperationRow): Operation {
  return { ...toSummary(row), plan: row.plan, steps: row.steps }
}

/** What a summary needs of a row. */
export type SummaryRow = Omit<OperationRow, 'plan' | 'intent'> & { intent: Pick<Intent, 'notUndoable'> }

/** The operation without its plan and steps. */
export function toSummary(row: SummaryRow): OperationSummary {
  const optional = {
    reason: row.reason,
    environment: row.environment,
    application: row.application,
    startTime: row.startTime,
    endTime: row.endTime,
    undoes: row.undoes,
    undoneBy: row.undoneBy,
  }
  const present = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== null))
  return {
    kind: 'Operation',
    id: row.id,
    type: row.type,
    summary: row.summary,
    actor: row.actor,
    cluster: row.cluster,
    state: row.state,
    conditions: row.conditions,
    acceptTime: row.acceptTime,
    undoable: whyNotUndoable(row) === undefined,
    ...present,
  }
}

/** Why an operation cannot be taken back; undefined: it can. */
export function whyNotUndoable(row: SummaryRow): string | undefined {
  if (row.intent.notUndoable) return row.intent.notUndoable
  if (row.undoneBy) return `It was undone already, by ${row.undoneBy}; undo that one to have it again.`
  if (row.state === 'Failed' && !reachedCluster(row)) return 'It failed before it changed anything.'
  return undefined
}

/** True when something of it may have reached the cluster. */
export const reachedCluster = ({
  steps,
  results,
  conditions,
}: Pick<OperationRow, 'steps' | 'results' | 'conditions'>): boolean =>
  results.length > 0 ||
  isInDoubt({ conditions }) ||
  steps.some(({ name, state }) => /^(Delete|Evict) /.test(name) && state === 'Succeeded')

/** True when a request was sent and nobody knows what became of it. */
export const isInDoubt = ({ conditions }: Pick<OperationRow, 'conditions'>): boolean =>
  conditions.some(({ type, status }) => type === 'OutcomeKnown' && status === 'Unknown')

const isSame = (one: KubeRef, other: KubeRef) =>
  one.kind === other.kind && one.name === other.name && one.namespace === other.namespace

/**
 * What an operation has to delete besides what its plan saw: what its predecessors were still to delete, and what they
 * make, or have made since the plan, though it is not wanted any more. What was there before them is left alone.
 */
export function leftovers(intent: Intent, predecessors: OperationRow[]): Intent['removed'] {
  const left = new Map<string, KubeRef & { uid?: string }>()
  for (const row of predecessors) {
    const refs = [...(hasEnded(row.state) ? [] : row.intent.removed), ...madeBy(row)]
    for (const ref of refs) left.set(refText(ref), ref)
    if (row.state === 'Succeeded') for (const ref of row.intent.removed) left.delete(refText(ref))
  }
  const known = [...intent.desired.map(refOf), ...intent.removed]
  return [...left.values()].filter((ref) => !known.some((other) => isSame(ref, other)))
}

/** What an operation has made or may still make. */
function madeBy(row: OperationRow): (KubeRef & { uid?: string })[] {
  const mayMake = !hasEnded(row.state) || isInDoubt(row)
  return row.intent.desired.map(refOf).flatMap((ref) => {
    const result = row.results.find((found) => refText(found.ref) === refText(ref))
    if (result) return result.created ? [{ ...ref, uid: result.uid }] : []
    return mayMake && row.plan.changes.some((change) => change.action === 'create' && isSame(change.ref, ref))
      ? [ref]
      : []
  })
}
