import {
  clusterConflict,
  clusterUnreachable,
  isProblem,
  type KubeObject,
  type KubeRef,
  Problem,
  refOf,
  refText,
  tooManyRequests,
} from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import { same, withoutNoise } from './field-change.rules.ts'
import { applyStep, isWorkload, removeStep } from './operation.rules.ts'
import { at, type Run } from './run.reconciler.ts'

/** The cluster's answer to one object. */
export class Refused extends Error {
  readonly problem: Problem
  readonly ref: KubeRef
  constructor(problem: Problem, ref: KubeRef) {
    super(problem.message)
    this.problem = problem
    this.ref = ref
  }
}

/** Whether a step needs no more doing. */
export const isDone = (run: Run, step: string) =>
  run.seen.steps.some(({ name, state }) => name === step && (state === 'Succeeded' || state === 'Skipped'))

/**
 * Applies manifests that do not need each other, and waits for all of them. Throws Refused; an answer that was lost goes
 * before a refusal, since the cluster has to be asked first what became of it.
 */
export async function applyWave(run: Run, cluster: Cluster, manifests: KubeObject[]): Promise<void> {
  const results = await Promise.allSettled(manifests.map((manifest) => applyOne(run, cluster, manifest)))
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  if (errors.length > 0) throw errors.find((error) => !(error instanceof Refused)) ?? errors[0]
}

/** Applies one manifest, unless that is known to be done. Throws Refused. */
async function applyOne(run: Run, cluster: Cluster, manifest: KubeObject): Promise<void> {
  const ref = refOf(manifest)
  const step = applyStep(ref)
  if (isDone(run, step)) return
  run.signal.throwIfAborted()
  const { force } = run.row.intent
  const held = run.resumed ? await appliedBefore(run, cluster, manifest) : undefined
  await at('operation.apply.before')
  const { object, warnings } =
    held ?? (await cluster.apply(manifest, { force, signal: run.signal }).catch((error) => refuse(error, ref)))
  await at('operation.apply.after')
  const created = run.row.plan.changes.some(
    (change) => change.action === 'create' && refText(change.ref) === refText(ref),
  )
  const others = run.seen.results.filter((result) => refText(result.ref) !== refText(ref))
  run.seen.results = [...others, { ref, uid: object.metadata.uid ?? '', created }]
  const { exceeded } = isWorkload(ref)
    ? run.options.rolloutOf(object, { pods: [], events: [] })
    : { exceeded: false as const }
  if (exceeded !== false) run.remember(ref, exceeded)
  run.step(step, 'Succeeded', warnings.join(' '))
}

/**
 * What an apply whose answer nobody got has done: the object, when applying again would change nothing. Then it is not
 * applied again.
 */
async function appliedBefore(run: Run, cluster: Cluster, manifest: KubeObject) {
  const ref = refOf(manifest)
  const { force } = run.row.intent
  const live = await cluster.get(ref)
  if (!live) return undefined
  const again = await cluster
    .apply(manifest, { force, dryRun: true, signal: run.signal })
    .catch((error) => refuse(error, ref))
  return same(withoutNoise(live), withoutNoise(again.object)) ? { object: live, warnings: again.warnings } : undefined
}

/** Deletes one object; that very one, where its uid is known. Throws Refused. */
export async function removeOne(
  run: Run,
  cluster: Cluster,
  { uid, ...ref }: KubeRef & { uid?: string },
): Promise<void> {
  const step = removeStep(ref)
  if (isDone(run, step)) return
  run.signal.throwIfAborted()
  await at('operation.remove.before')
  try {
    const there = await cluster.remove(ref, { uid, signal: run.signal })
    run.step(step, 'Succeeded', there ? '' : 'It was not there any more.')
  } catch (error) {
    if (!isProblem(error, clusterConflict)) return refuse(error, ref)
    run.step(step, 'Skipped', 'Another object of this name has been made since; it is left alone.')
  }
  await at('operation.remove.after')
}

/** True when the cluster did not even look at the request, because it does not accept who asks. */
export const areCredentialsRefused = ({ body }: Problem): boolean => body.credentials === 'refused'

/** Throws what the cluster says of an object as Refused, and what says nothing of the object as it is. */
export function refuse(error: unknown, ref: KubeRef): never {
  if (!(error instanceof Problem) || areCredentialsRefused(error)) throw error
  if (isProblem(error, clusterUnreachable) || isProblem(error, tooManyRequests)) throw error
  throw new Refused(error, ref)
}
