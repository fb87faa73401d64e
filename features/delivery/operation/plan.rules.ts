import { type KubeObject, type KubeRef, type Problem, refText } from '@quarterdeck/kernel'
import { canonicalJson, fieldChanges, same } from './field-change.rules.ts'
import type { Blocker, ChangeRequest, FieldConflict, ObjectChange, Plan } from './operation.contract.ts'

/** One object as it is and as the API server would make it. */
export interface Rehearsal {
  ref: KubeRef
  live?: KubeObject | undefined
  /** Absent for a delete. */
  manifest?: KubeObject | undefined
  /** The dry run's answer; absent for a delete, or when it was refused. */
  after?: KubeObject | undefined
  conflicts: FieldConflict[]
  warnings: string[]
}

/** Annotation on the pod template whose new value makes the controller replace all pods. */
export const RESTART_TIME = 'quarterdeck.dev/restart-time'

/** What happens to one object; `yaml` is written by the caller. */
export function objectChange(rehearsal: Rehearsal, yaml: string, effect?: string): ObjectChange {
  const { ref, live, after, manifest, conflicts, warnings } = rehearsal
  const fields = manifest === undefined ? [] : fieldChanges(live, live ? (after ?? manifest) : manifest)
  const action = actionOf(rehearsal, fields.length)
  const told = effect ?? (action === 'unchanged' ? undefined : effectOf(rehearsal, action))
  return { ref, action, fields, conflicts, warnings, yaml, ...(told === undefined ? {} : { effect: told }) }
}

function actionOf({ live, manifest }: Rehearsal, changes: number): ObjectChange['action'] {
  if (manifest === undefined) return live ? 'delete' : 'unchanged'
  if (!live) return 'create'
  return changes > 0 ? 'update' : 'unchanged'
}

const pods = (count: number) => (count === 1 ? '1 pod' : `${count} pods`)

/** What it means for what is running, or undefined when the fields say it all. */
function effectOf({ live, after, manifest, ref }: Rehearsal, action: ObjectChange['action']): string | undefined {
  const desired = after ?? manifest
  switch (ref.kind) {
    case 'Deployment':
    case 'StatefulSet':
      return workloadEffect(live, desired)
    case 'Service':
      return serviceEffect(live, desired, action)
    case 'Namespace':
      return action === 'delete' ? 'Everything in the namespace is deleted with it' : undefined
    case 'Pod':
      return action === 'delete' ? 'The pod ends; its controller starts another' : undefined
  }
  return undefined
}

const replicasOf = (workload: KubeObject | undefined): number => workload?.spec?.replicas ?? 1

function workloadEffect(live: KubeObject | undefined, desired: KubeObject | undefined): string | undefined {
  if (!desired) return live && `${ref(live)} and its ${pods(replicasOf(live))} end`
  const next = replicasOf(desired)
  if (!live) return next === 0 ? 'No pod starts until it is scaled up' : `${pods(next)} start${next === 1 ? 's' : ''}`
  const now = replicasOf(live)
  const count = now === next ? '' : `${pods(now)} become${now === 1 ? 's' : ''} ${next}`
  if (same(live.spec?.template, desired.spec?.template)) return count || 'No pod restarts'
  if (next === 0) return count || 'No pod is running, so none restarts'
  return [count, replacement(desired)].filter(Boolean).join('; ')
}

const ref = ({ kind, metadata }: KubeObject) => `${kind} ${metadata.name}`

/** How pods make way for new ones, by the strategy of the workload. */
function replacement(workload: KubeObject): string {
  const strategy = workload.spec?.strategy
  if (workload.kind === 'StatefulSet') return 'All pods are replaced one after the other, the last one first'
  if (strategy?.type === 'Recreate') return 'All pods stop, then new ones start: nothing answers in between'
  const surge = strategy?.rollingUpdate?.maxSurge ?? '25%'
  const down = strategy?.rollingUpdate?.maxUnavailable ?? '25%'
  if (down === 0 || down === '0' || down === '0%') {
    const step = surge === 1 ? 'one' : String(surge)
    return `All pods are replaced, ${step} at a time; an old one ends only when a new one is ready`
  }
  return `All pods are replaced; up to ${down} may be missing meanwhile`
}

function serviceEffect(
  live: KubeObject | undefined,
  desired: KubeObject | undefined,
  action: ObjectChange['action'],
): string | undefined {
  if (action === 'delete') return 'Its address stops answering'
  if (!live || !desired) return undefined
  const ports = (service: KubeObject) =>
    (service.spec?.ports ?? []).map((port: { port: number; nodePort?: number }) => [port.port, port.nodePort])
  return same(ports(live), ports(desired)) && live.spec?.type === desired.spec?.type ? undefined : 'The address changes'
}

/** What the plan shows masked or not at all, and is accepted with it: which very object goes, and a Secret's values. */
export function unshown({ manifest, live, after }: Rehearsal): unknown {
  if (manifest === undefined) return { uid: live?.metadata.uid }
  const valuesOf = (object: KubeObject | undefined) => [object?.data, object?.stringData]
  return manifest.kind === 'Secret' ? { values: [live, after ?? manifest].map(valuesOf) } : {}
}

/**
 * The text that the plan's hash is made of: target and changes, without what differs from one dry run to the next.
 * `digests` stand for what is `unshown`, in the order of the changes.
 */
export function planText(target: ChangeRequest['target'], plan: Omit<Plan, 'hash'>, digests: string[]): string {
  const changes = plan.changes.map(({ ref, action, fields, conflicts }) => ({
    ref,
    action,
    conflicts,
    fields: fields.map(({ path, before, after }) =>
      path.endsWith(`[${RESTART_TIME}]`) ? { path } : { path, before, after },
    ),
  }))
  return canonicalJson({ target, summary: plan.summary, changes, laterOperations: plan.laterOperations, digests })
}

/** Why the API server would not accept an object, as a blocker; `ref` names it in the sentence. */
export function blockerOf(problem: Problem, ref: KubeRef): Blocker {
  const detail = problem.body.detail ?? problem.body.title
  const pointer = problem.body.errors?.[0]?.pointer ?? ''
  if (problem.body.status === 404 && ref.namespace !== undefined) {
    return {
      pointer: '',
      detail: `There is no namespace ${ref.namespace} on the cluster, so ${refText(ref)} cannot be made. Create the environment again.`,
    }
  }
  if (problem.body.type === '/problems/cluster-forbidden') {
    const { verb, resource, group } = EXECUTOR_MAY_NOT.exec(detail)?.groups ?? {}
    if (resource) {
      return {
        pointer: '',
        detail: `${refText(ref)}: operations in this environment may not ${verb} ${resource}${group ? `.${group}` : ''}. Kinds that say what may be done or reached there are written by the platform only; one that the cluster has just begun to serve may be written within a minute. The page of the cluster says what else is missing.`,
      }
    }
    return { pointer: '', detail: `${detail}. Ask who looks after the cluster for this right.` }
  }
  return { pointer, detail: `${refText(ref)}: ${detail}` }
}

/** The API server's words about whoever carries out operations in a namespace. */
const EXECUTOR_MAY_NOT =
  /User "quarterdeck:executor:[^"]*" cannot (?<verb>[a-z]+) resource "(?<resource>[^"]+)" in API group "(?<group>[^"]*)"/

/** The sentence of planBlocked: the first reason, and how many more. */
export function blockedDetail(blockers: Blocker[]): string {
  const more = blockers.length > 1 ? ` (and ${blockers.length - 1} more)` : ''
  return `${blockers[0]?.detail ?? ''}${more}`
}

/** The sentence of fieldsManagedElsewhere. */
export function conflictDetail(changes: ObjectChange[]): string {
  const conflicts = changes.flatMap((change) =>
    change.conflicts.map(({ manager, field }) => `${field} of ${change.ref.kind} ${change.ref.name} by ${manager}`),
  )
  return `Managed by others: ${conflicts.join('; ')}. Repeat with force=true to take them over.`
}
