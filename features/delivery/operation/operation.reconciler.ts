import {
  clusterConflict,
  clusterUnreachable,
  isProblem,
  type KubeObject,
  type KubeRef,
  notFound,
  Problem,
  refOf,
  refText,
  setCondition,
  tooManyRequests,
} from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import { failpoint, hint, type Outcome, type Reconciler } from '@quarterdeck/reconcile'
import { type Db, transaction } from '@quarterdeck/store'
import type { OperationFailpoint } from './failpoints.rules.ts'
import { canonicalJson, same, withoutNoise } from './field-change.rules.ts'
import type { DefinitionOwner, OperationStep, RolloutOf } from './operation.contract.ts'
import {
  applyStep,
  type Ending,
  endCondition,
  inOrder,
  type OperationRow,
  reachedCluster,
  refusal,
  removeStep,
  setStep,
  stepsOf,
  superseded,
} from './operation.rules.ts'
import { audit, clearUndoneBy, listUnfinished, listUnfinishedTargets, type Observed, save } from './operation.store.ts'
import { lookAtAll, type Seen } from './wait.reconciler.ts'
import { type WorkloadWatch, watchWorkloads } from './workload-watch.reconciler.ts'

export interface OperationReconcilerOptions {
  db: Db
  /** Throws notFound for a cluster that is not registered. */
  clusterOf: (name: string) => Promise<Cluster>
  /** Says how far a workload is; passed by whoever knows workloads. */
  rolloutOf: RolloutOf
  definitions: Record<string, DefinitionOwner<Db>>
  /** The present; the system's clock when absent. */
  now?: () => Date
}

const at = (name: OperationFailpoint) => failpoint(name)

/**
 * Key: `cluster/namespace/what`. Carries out the newest operation of a target; older ones that have not ended are
 * overtaken. Reads the cluster rather than its memory, so it may die and be repeated anywhere.
 */
export function operationReconciler(options: OperationReconcilerOptions): Reconciler & { close(): void } {
  const watch = watchWorkloads((target) => {
    // A lost hint costs at most the pause of the next look.
    hint(options.db, 'operation', target).catch(() => {})
  })
  return {
    keys: () => listUnfinishedTargets(options.db),
    async reconcile(target, { signal }) {
      const rows = await listUnfinished(options.db, target)
      const newest = rows.pop()
      if (!newest) {
        watch.forget(target)
        return {}
      }
      for (const older of rows) await end(new Run(older, options, signal), superseded(newest))
      return carryOut(new Run(newest, options, signal), watch)
    },
    close: () => watch.close(),
  }
}

/** One look at one operation: what is known of it, and what has been written of that. */
class Run {
  readonly row: OperationRow
  readonly options: OperationReconcilerOptions
  readonly signal: AbortSignal
  readonly resumed: boolean
  seen: Observed
  #written: string

  constructor(row: OperationRow, options: OperationReconcilerOptions, signal: AbortSignal) {
    this.row = row
    this.options = options
    this.signal = signal
    // Once it is Running, requests may have been sent by somebody who did not live to write down their answers.
    this.resumed = row.state !== 'Accepted'
    const { state, steps, conditions, results, progress, startTime, endTime } = row
    this.seen = { state, steps, conditions, results, progress, startTime, endTime }
    this.#written = canonicalJson(this.seen)
  }

  get now(): string {
    return (this.options.now?.() ?? new Date()).toISOString()
  }

  step(name: string, state: OperationStep['state'], message = ''): void {
    this.seen.steps = setStep(this.seen.steps, name, { state, message }, this.now)
  }

  condition(type: string, status: 'True' | 'False' | 'Unknown', reason: string, message: string): void {
    this.seen.conditions = setCondition(this.seen.conditions, { type, status, reason, message }, this.now)
  }

  has(type: string, status: string): boolean {
    return this.seen.conditions.some((condition) => condition.type === type && condition.status === status)
  }

  /** Writes only what is new. */
  async write(): Promise<void> {
    const text = canonicalJson(this.seen)
    if (text === this.#written) return
    await save(this.options.db, this.row.id, this.seen)
    this.#written = text
  }
}

/** The cluster's answer to one object. */
class Refused extends Error {
  readonly problem: Problem
  readonly ref: KubeRef
  constructor(problem: Problem, ref: KubeRef) {
    super(problem.message)
    this.problem = problem
    this.ref = ref
  }
}

async function carryOut(run: Run, watch: WorkloadWatch): Promise<Outcome> {
  try {
    const cluster = await run.options.clusterOf(run.row.cluster)
    await start(run)
    for (const manifest of inOrder(run.row.intent.desired)) await applyOne(run, cluster, manifest)
    for (const ref of run.row.intent.removed) await removeOne(run, cluster, ref)
    if (run.seen.state === 'Unknown') resolved(run)
    return await waitForAll(run, cluster, watch)
  } catch (error) {
    return onFailure(run, error)
  }
}

/** The write before the first request: from here on, something may have reached the cluster. */
async function start(run: Run): Promise<void> {
  if (run.resumed) return
  run.seen = { ...run.seen, state: 'Running', startTime: run.now, steps: stepsOf(run.row.intent) }
  await at('operation.start.before-write')
  await run.write()
  await at('operation.start.after-write')
}

const isDone = (run: Run, step: string) =>
  run.seen.steps.some(({ name, state }) => name === step && (state === 'Succeeded' || state === 'Skipped'))

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

async function removeOne(run: Run, cluster: Cluster, { uid, ...ref }: KubeRef & { uid?: string }): Promise<void> {
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

function refuse(error: unknown, ref: KubeRef): never {
  if (!(error instanceof Problem) || isProblem(error, clusterUnreachable) || isProblem(error, tooManyRequests))
    throw error
  throw new Refused(error, ref)
}

/** What was in doubt has been looked up. */
function resolved(run: Run): void {
  run.seen.state = 'Running'
  run.condition('OutcomeKnown', 'True', 'Resolved', 'The cluster was asked what had become of the request.')
}

function reachable(run: Run): void {
  if (run.has('ClusterReachable', 'False'))
    run.condition('ClusterReachable', 'True', 'Answers', 'The cluster answers again.')
}

async function waitForAll(run: Run, cluster: Cluster, watch: WorkloadWatch): Promise<Outcome> {
  const { row, options } = run
  const seen = await lookAtAll(cluster, row.intent, options.rolloutOf)
  reachable(run)
  for (const { step, done, message } of seen) run.step(step, done ? 'Succeeded' : 'Running', message)
  const open = seen.filter(({ done }) => !done)
  if (open.length === 0) {
    await end(run, { state: 'Succeeded', reason: 'Done', message: doneSentence(run) })
    watch.forget(row.target)
    return {}
  }
  const late = lateness(run, open)
  if (late) {
    await end(run, late)
    watch.forget(row.target)
    return {}
  }
  await run.write()
  await at('operation.applied.after-write')
  const sure = open.map(({ watch: from }) => !from || watch.wait(cluster, row.target, from.ref, from.resourceVersion))
  // Many that wait look less often, since their watch wakes them anyway; this look is for the reasons only.
  return { requeueAfterSeconds: sure.every(Boolean) ? 2 + watch.size / 50 : 0 }
}

const doneSentence = ({ seen, row }: Run): string => {
  const changed = row.plan.changes.filter(({ action }) => action !== 'unchanged').length
  if (changed === 0) return 'Everything was as wanted already.'
  return seen.steps.findLast(({ message }) => message !== '')?.message ?? 'Done.'
}

/** The ending of an operation that has come no nearer for its deadline, or never will. */
function lateness(run: Run, open: Seen[]): Ending | undefined {
  const mark = open.map((seen) => `${seen.step}: ${seen.mark}`).join('; ')
  if (run.seen.progress?.mark !== mark) run.seen.progress = { mark, since: run.now }
  const { deadlineSeconds } = run.row.intent
  const waitedSeconds = (Date.parse(run.now) - Date.parse(run.seen.progress?.since ?? run.now)) / 1_000
  const hopeless = open.find((seen) => seen.hopeless)
  if (!hopeless && waitedSeconds < deadlineSeconds) return undefined
  const why = (hopeless ?? open[0])?.message ?? ''
  for (const { step, message } of open) run.step(step, 'Failed', message)
  return {
    state: 'Failed',
    reason: hopeless?.mark === 'gone' ? 'Deleted' : 'ProgressDeadlineExceeded',
    message:
      `${why} ${hopeless?.mark === 'gone' ? '' : `It came no nearer for ${deadlineSeconds} s. What ran before still runs where it could; correct the cause, or undo this operation.`}`.trim(),
  }
}

async function onFailure(run: Run, error: unknown): Promise<Outcome> {
  if (run.signal.aborted) throw error
  if (error instanceof Refused) {
    run.step(stepOf(run, error.ref), 'Failed', error.problem.message)
    await end(run, refusal(error.problem, error.ref, run.seen.results.length))
    return {}
  }
  if (isProblem(error, notFound)) {
    const message = `${error.message}. Register the cluster again and repeat the operation.`
    await end(run, { state: 'Failed', reason: 'ClusterMissing', message })
    return {}
  }
  if (isProblem(error, tooManyRequests)) return { requeueAfterSeconds: error.body.retryAfterSeconds ?? 1 }
  if (!isProblem(error, clusterUnreachable)) throw error
  if (error.body.ambiguous === true) {
    run.seen.state = 'Unknown'
    run.condition(
      'OutcomeKnown',
      'Unknown',
      'AnswerLost',
      'A request was sent and its answer was lost; the cluster will be asked what became of it.',
    )
  }
  run.condition(
    'ClusterReachable',
    'False',
    'ClusterUnreachable',
    `${error.message} The operation goes on when the cluster answers.`,
  )
  await run.write()
  return { requeueAfterSeconds: pauseSeconds(run) }
}

const stepOf = (run: Run, ref: KubeRef) =>
  [applyStep(ref), removeStep(ref)].find((name) => run.seen.steps.some((step) => step.name === name)) ?? ''

/** A quarter of the time that the cluster has been away, 1 to 15 s. */
function pauseSeconds(run: Run): number {
  const since = run.seen.conditions.find(({ type }) => type === 'ClusterReachable')?.lastTransitionTime ?? run.now
  return Math.min(15, Math.max(1, (Date.parse(run.now) - Date.parse(since)) / 4_000))
}

/** Writes the result, its audit record and what the owner of the definition keeps, in one transaction. */
async function end(run: Run, ending: Ending): Promise<void> {
  const { row, options } = run
  const { type, status, reason, message } = endCondition(ending)
  run.condition(type, status, reason, message)
  for (const step of run.seen.steps) {
    if (step.state === 'Waiting') run.step(step.name, 'Skipped')
    if (step.state === 'Running') run.step(step.name, ending.state, step.message)
  }
  run.seen = { ...run.seen, state: ending.state, startTime: run.seen.startTime ?? run.now, endTime: run.now }
  const succeeded = ending.state === 'Succeeded'
  const applied = reachedCluster(run.seen)
  await at('operation.end.before-write')
  await transaction(options.db, async (tx) => {
    if (!(await save(tx, row.id, run.seen))) return
    await audit(tx, {
      operation: row.id,
      actor: row.actor,
      act: row.type,
      what: row.target,
      outcome: succeeded ? 'succeeded' : 'failed',
      detail: message,
    })
    const { definition } = row.intent
    if (definition) await options.definitions[definition.owner]?.end(tx, definition, { id: row.id, succeeded, applied })
    if (row.undoes && !succeeded && !applied) await clearUndoneBy(tx, row.id)
    await at('operation.end.before-commit')
  })
  await at('operation.end.after-commit')
}
