import { type KubeRef, refText, setCondition } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import { failpoint } from '@quarterdeck/reconcile'
import { type Db, transaction } from '@quarterdeck/store'
import type { OperationFailpoint } from './failpoints.rules.ts'
import { canonicalJson } from './field-change.rules.ts'
import type { DefinitionOwner, OperationStep, RolloutOf } from './operation.contract.ts'
import { type Ending, endCondition, type OperationRow, reachedCluster, setStep } from './operation.rules.ts'
import { audit, clearUndoneBy, type Observed, save } from './operation.store.ts'

export interface OperationReconcilerOptions {
  db: Db
  /** Throws notFound for a cluster that is not registered. */
  clusterOf: (name: string) => Promise<Cluster>
  /**
   * The cluster as whoever an operation writes as; `fallback` says why it is the registered credential instead. Absent:
   * always that one.
   */
  actingFor?: (row: OperationRow) => Promise<{ cluster: Cluster; fallback?: string }>
  /** Says how far a workload is; passed by whoever knows workloads. */
  rolloutOf: RolloutOf
  definitions: Record<string, DefinitionOwner<Db>>
  /** The present; the system's clock when absent. */
  now?: () => Date
}

/** A place at which a test can end the process. */
export const at = (name: OperationFailpoint) => failpoint(name)

/** One look at one operation: what is known of it, and what has been written of that. */
export class Run {
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

  /** That the cluster had given up an earlier rollout of this workload. */
  remember(ref: KubeRef, exceededBefore: string): void {
    this.seen.results = this.seen.results.map((result) =>
      refText(result.ref) === refText(ref) ? { ...result, exceededBefore } : result,
    )
  }

  /** Writes only what is new. */
  async write(): Promise<void> {
    const text = canonicalJson(this.seen)
    if (text === this.#written) return
    await save(this.options.db, this.row.id, this.seen)
    this.#written = text
  }
}

/** Writes the result, its audit record and what the owner of the definition keeps, in one transaction. */
export async function end(run: Run, ending: Ending): Promise<void> {
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
    const { definition } = row.intent
    if (definition) await options.definitions[definition.owner]?.end(tx, definition, { id: row.id, succeeded, applied })
    if (row.undoes && !succeeded) await clearUndoneBy(tx, row.id)
    await audit(tx, {
      operation: row.id,
      actor: row.actor,
      act: row.type,
      what: row.target,
      outcome: succeeded ? 'succeeded' : 'failed',
      detail: message,
      environment: row.environment ?? undefined,
    })
    await at('operation.end.before-commit')
  })
  await at('operation.end.after-commit')
}
