import {
  clusterForbidden,
  clusterUnreachable,
  isProblem,
  type KubeRef,
  notFound,
  type Problem,
  storeUnavailable,
  tooManyRequests,
} from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import { hint, type Outcome, type Reconciler } from '@quarterdeck/reconcile'
import { evictAll, patchOne } from './act.reconciler.ts'
import { applyWave, areCredentialsRefused, Refused, removeOne } from './apply.reconciler.ts'
import {
  applyStep,
  type Ending,
  evictStep,
  inWaves,
  type OperationRow,
  patchStep,
  reachedCluster,
  refusal,
  removeStep,
  stepsOf,
  superseded,
} from './operation.rules.ts'
import { forgetOldKeys, listUnfinished, listUnfinishedTargets } from './operation.store.ts'
import { at, end, type OperationReconcilerOptions, Run } from './run.reconciler.ts'
import { lookAtAll, type Seen } from './wait.reconciler.ts'
import { type WorkloadWatch, watchWorkloads } from './workload-watch.reconciler.ts'

const FORGET_EVERY_MS = 3_600_000

/**
 * Key: `cluster/namespace/what`. Carries out the newest operation of a target; older ones that have not ended are
 * overtaken. Reads the cluster rather than its memory, so it may die and be repeated anywhere.
 */
export function operationReconciler(options: OperationReconcilerOptions): Reconciler & { close(): void } {
  const watch = watchWorkloads((target) => {
    // A lost hint costs at most the pause of the next look.
    hint(options.db, 'operation', target).catch(() => {})
  })
  let forgotten = 0
  return {
    async keys() {
      const now = (options.now?.() ?? new Date()).getTime()
      if (now - forgotten > FORGET_EVERY_MS) {
        await forgetOldKeys(options.db)
        forgotten = now
      }
      return listUnfinishedTargets(options.db)
    },
    async reconcile(target, { signal }) {
      const rows = await listUnfinished(options.db, target)
      const newest = rows.pop()
      if (!newest) {
        watch.forget(target)
        return {}
      }
      for (const older of rows) await overtake(new Run(older, options, signal), newest)
      return carryOut(new Run(newest, options, signal), watch)
    },
    close: () => watch.close(),
  }
}

async function carryOut(run: Run, watch: WorkloadWatch): Promise<Outcome> {
  try {
    const cluster = await run.options.clusterOf(run.row.cluster)
    const writer = await writerOf(run, cluster)
    await start(run)
    for (const wave of inWaves(run.row.intent.desired)) await applyWave(run, writer, wave)
    for (const asked of run.row.intent.patched ?? []) await patchOne(run, { reader: cluster, writer }, asked)
    for (const ref of run.row.intent.removed) await removeOne(run, writer, ref)
    const evictions = await evictAll(run, { reader: cluster, writer })
    if (run.seen.state === 'Unknown') resolved(run)
    return await waitForAll(run, cluster, { watch, evictions })
  } catch (error) {
    return onFailure(run, error)
  }
}

/** Reads are the platform's own; what is written, somebody writes who may no more than this takes. */
async function writerOf(run: Run, cluster: Cluster): Promise<Cluster> {
  const isWritten = run.resumed && !run.seen.steps.some((step) => isUnsent(step) || isAskedAgain(step))
  const acting = isWritten ? undefined : await run.options.actingFor?.(run.row)
  if (acting?.fallback) run.condition('Executor', 'False', 'NoExecutor', acting.fallback)
  return acting?.cluster ?? cluster
}

const isUnsent = ({ name, state }: { name: string; state: string }) =>
  /^(Apply|Change|Delete|Evict) /.test(name) && state === 'Waiting'
const isAskedAgain = ({ name, state }: { name: string; state: string }) =>
  name.startsWith('Evict ') && state === 'Running'

/** Whoever carried it out until now may not have lived to write down what was sent, so that stays in doubt. */
async function overtake(run: Run, newest: OperationRow): Promise<void> {
  if (run.resumed && run.seen.steps.some(isUnsent)) {
    const message = 'It was overtaken before the cluster was asked what had become of its requests.'
    run.condition('OutcomeKnown', 'Unknown', 'Superseded', message)
  }
  await end(run, superseded(newest))
}

/** The write before the first request: from here on, something may have reached the cluster. */
async function start(run: Run): Promise<void> {
  if (run.resumed) return
  run.seen = { ...run.seen, state: 'Running', startTime: run.now, steps: stepsOf(run.row.intent) }
  await at('operation.start.before-write')
  await run.write()
  await at('operation.start.after-write')
}

/** What was in doubt has been looked up. */
function resolved(run: Run): void {
  run.seen.state = 'Running'
  run.condition('OutcomeKnown', 'True', 'Resolved', 'The cluster was asked what had become of the request.')
}

function reachable(run: Run): void {
  if (run.has('RightsKnown', 'False')) run.condition('RightsKnown', 'True', 'Allowed', 'The cluster allows it now.')
  if (run.has('ClusterReachable', 'False'))
    run.condition('ClusterReachable', 'True', 'Answers', 'The cluster answers again.')
}

async function waitForAll(
  run: Run,
  cluster: Cluster,
  { watch, evictions }: { watch: WorkloadWatch; evictions: Seen[] },
): Promise<Outcome> {
  const { row, options } = run
  const waitedSeconds = (Date.parse(run.now) - Date.parse(run.seen.startTime ?? run.now)) / 1_000
  const waiting = { intent: row.intent, results: run.seen.results, waitedSeconds }
  const looked = await lookAtAll(cluster, waiting, options.rolloutOf)
  const seen = [...looked, ...evictions]
  reachable(run)
  for (const { step, done, message } of seen) run.step(step, done ? 'Succeeded' : 'Running', message)
  for (const { exceededBefore } of seen) if (exceededBefore) run.remember(exceededBefore.ref, exceededBefore.exceeded)
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
  const tookAway = seen.steps.some(
    ({ name, state, message }) => /^(Delete|Evict) /.test(name) && state === 'Succeeded' && message === '',
  )
  if (changed === 0 && !tookAway) return 'Everything was as wanted already.'
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
    if (mayBeAllowedSoon(run, error.problem)) return wait(run, error.problem)
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
  if (isProblem(error, storeUnavailable)) throw error
  const isForbidden = isProblem(error, clusterForbidden) && !areCredentialsRefused(error)
  if (!isProblem(error)) throw error
  if (isForbidden && mayBeAllowedSoon(run, error)) return wait(run, error)
  if (isForbidden && !reachedCluster(run.seen)) {
    const message = `${sentence(error.message)} Nothing was changed. Ask who looks after the cluster for this right, then repeat it.`
    await end(run, { state: 'Failed', reason: 'ClusterForbidden', message })
    return {}
  }
  return wait(run, error)
}

const RIGHTS_SECONDS = 20

/**
 * An API server that has just started does not know all roles yet, and refuses what it will allow in a moment. Asked
 * again for 20 s, when it was away during this operation or says itself that a role it was told of is not there.
 */
function mayBeAllowedSoon(run: Run, problem: Problem): boolean {
  if (!isProblem(problem, clusterForbidden)) return false
  const known = run.seen.conditions.find(({ type }) => type === 'RightsKnown')
  if (known?.status === 'False') {
    return Date.parse(run.now) - Date.parse(known.lastTransitionTime) < RIGHTS_SECONDS * 1_000
  }
  if (!run.has('ClusterReachable', 'False') && !/RBAC: .+ not found/.test(problem.message)) return false
  run.condition('RightsKnown', 'False', 'JustStarted', 'The API server may not know all roles yet; it is asked again.')
  return true
}

const sentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`)

/** What the cluster, or the way to it, does not give now. The operation says so and is tried again. */
async function wait(run: Run, problem: Problem): Promise<Outcome> {
  if (problem.body.ambiguous === true) {
    run.seen.state = 'Unknown'
    run.condition(
      'OutcomeKnown',
      'Unknown',
      'AnswerLost',
      'A request was sent and its answer was lost; the cluster will be asked what became of it.',
    )
  }
  const unreachable = isProblem(problem, clusterUnreachable)
  const next = unreachable ? 'when the cluster answers' : 'as soon as that is mended, for example by another kubeconfig'
  const reason = unreachable ? 'ClusterUnreachable' : 'ClusterRefuses'
  run.condition('ClusterReachable', 'False', reason, `${sentence(problem.message)} The operation goes on ${next}.`)
  await run.write()
  return { requeueAfterSeconds: pauseSeconds(run) }
}

const stepOf = (run: Run, ref: KubeRef) =>
  [applyStep(ref), patchStep(ref), removeStep(ref), evictStep({ namespace: '', ...ref })].find((name) =>
    run.seen.steps.some((step) => step.name === name),
  ) ?? ''

/** A quarter of the time that the cluster has been away, 1 to 15 s. */
function pauseSeconds(run: Run): number {
  const since = run.seen.conditions.find(({ type }) => type === 'ClusterReachable')?.lastTransitionTime ?? run.now
  return Math.min(15, Math.max(1, (Date.parse(run.now) - Date.parse(since)) / 4_000))
}
