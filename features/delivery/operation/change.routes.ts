import { randomUUID } from 'node:crypto'
import { conflict, type Subject } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import { failpoint, hintChannel, hintPayload } from '@quarterdeck/reconcile'
import { AmbiguousCommitError, type Db, transaction } from '@quarterdeck/store'
import type { OperationFailpoint } from './failpoints.rules.ts'
import { canonicalJson } from './field-change.rules.ts'
import {
  type AskedChange,
  type ChangeRequest,
  type DefinitionOwner,
  fieldsManagedElsewhere,
  keyReused,
  type MakeChange,
  type Operation,
  planBlocked,
  planChanged,
} from './operation.contract.ts'
import { actsAs, namespaceOf, type OperationRow, targetKey, toOperation } from './operation.rules.ts'
import { audit, bindEnvironment, claimKey, find, findKey, insert } from './operation.store.ts'
import { type Rehearsed, rehearse, sha256 } from './plan.routes.ts'
import { blockedDetail, conflictDetail } from './plan.rules.ts'

/** The kind of the reconciler's keys. */
export const operationKind = 'operation'

export interface ChangeOptions {
  db: Db
  /** Throws notFound for a cluster that is not registered. */
  clusterOf: (name: string) => Promise<Cluster>
  /** The cluster as who asks: what they will write is tried as them. Absent: as clusterOf. */
  clusterAs?: (subject: Subject, name: string) => Promise<Cluster>
  /** The cluster as the executor of a namespace; undefined where there is none yet. Absent: as clusterOf. */
  executorOf?: (name: string, namespace: string) => Promise<Cluster | undefined>
  /** By name of the owner. */
  definitions: Record<string, DefinitionOwner<Db>>
}

/** What only an undo adds. */
export interface UndoOf {
  undoes: string
  laterOperations: string[]
}

const at = (name: OperationFailpoint) => failpoint(name)

/** Makes the function through which every feature changes a cluster. */
export function changeMaker(options: ChangeOptions): MakeChange & { undo: UndoChange } {
  const make: MakeChange = (asked, build) => makeChange(options, asked, build)
  const undo: UndoChange = (asked, build) => makeChange(options, asked, build)
  return Object.assign(make, { undo })
}

/** Like MakeChange, for a request that takes back an operation. */
export type UndoChange = (asked: AskedChange, build: () => Promise<ChangeRequest & UndoOf>) => ReturnType<MakeChange>

const ATTEMPTS = 5

async function makeChange(
  options: ChangeOptions,
  asked: AskedChange,
  build: () => Promise<ChangeRequest & Partial<UndoOf>>,
): ReturnType<MakeChange> {
  const { query } = asked
  let planTime = new Date()
  // What is there is read while the key is looked up; for a key that is known it does not count.
  let building = build()
  building.catch(() => {})
  if (!query.dryRun) {
    const made = await madeBefore(options.db, asked)
    if (made) return made
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) [planTime, building] = [new Date(), build()]
    const request = await building
    const { definition } = request
    const [cluster, blockers] = await Promise.all([
      options.clusterOf(request.target.cluster),
      definition ? ownerOf(options, definition.owner).blockers(options.db, definition) : [],
    ])
    const rehearsed = await rehearse(cluster, request, {
      force: query.force,
      blockers,
      laterOperations: request.laterOperations ?? [],
      writer: await writerOf(options, asked, request, cluster),
    })
    if (query.dryRun) return rehearsed.plan
    refuse(rehearsed, asked)
    const accepted = await accept(options, { asked, request, rehearsed, planTime })
    if (accepted) return accepted
  }
  throw conflict({ detail: 'Others keep changing this at the same moment. Look at what it is now and try again.' })
}

/** As whom it will be carried out, so that a right that is missing shows in the plan. */
async function writerOf(
  { clusterAs, executorOf }: ChangeOptions,
  { subject }: AskedChange,
  request: ChangeRequest,
  cluster: Cluster,
): Promise<Cluster> {
  const { target } = request
  const as = actsAs({ environment: target.environment ?? null, intent: request })
  if (as === 'person') return clusterAs ? clusterAs(subject, target.cluster) : cluster
  const executor = as === 'executor' ? executorOf?.(target.cluster, namespaceOf(targetKey(target))) : undefined
  return (await executor) ?? cluster
}

function ownerOf({ definitions }: ChangeOptions, owner: string): DefinitionOwner<Db> {
  const found = definitions[owner]
  if (!found) throw new Error(`Nobody keeps definitions of ${owner}`)
  return found
}

/** What makes a request the same: everything but whether it is a rehearsal. */
const digestOf = ({ endpoint, params, body, query }: AskedChange): string =>
  sha256(canonicalJson({ endpoint, params, body, query: { ...query, dryRun: false } }))

async function madeBefore(db: Db, asked: AskedChange): Promise<Operation | undefined> {
  const known = await findKey(db, asked.subject.name, asked.idempotencyKey)
  if (!known) return undefined
  if (known.digest !== digestOf(asked)) {
    throw keyReused({
      detail: `Idempotency-Key ${asked.idempotencyKey} was sent with another request before; use a new one for each change.`,
    })
  }
  const row = await find(db, known.operation)
  return row && toOperation(row)
}

/** Throws for a plan that must not be carried out as it is. */
function refuse({ plan }: Rehearsed, { query }: AskedChange): void {
  if (query.planHash !== undefined && query.planHash !== plan.hash) {
    const changed = plan.changes.filter(({ action }) => action !== 'unchanged')
    const now = changed.map(({ action, ref, fields }) => `${action} ${ref.kind} ${ref.name} (${fields.length} fields)`)
    throw planChanged({
      detail: `It would now do something else: ${now.join(', ') || 'nothing'}. Look at the plan again and accept that one.`,
      planHash: plan.hash,
    })
  }
  if (plan.blockers.length > 0) throw planBlocked({ detail: blockedDetail(plan.blockers), errors: plan.blockers })
  if (!query.force && plan.changes.some(({ conflicts }) => conflicts.length > 0)) {
    throw fieldsManagedElsewhere({
      detail: conflictDetail(plan.changes),
      conflicts: plan.changes.flatMap(({ conflicts }) => conflicts),
    })
  }
}

/** A change whose plan may be carried out; `planTime` is before the first look at anything. */
interface Planned {
  asked: AskedChange
  request: ChangeRequest & Partial<UndoOf>
  rehearsed: Rehearsed
  planTime: Date
}

class DefinitionChanged extends Error {}
class KeyTaken extends Error {}

/** Undefined when the definition was changed by another operation meanwhile: build and plan anew. */
async function accept(options: ChangeOptions, planned: Planned): Promise<Operation | undefined> {
  const id = randomUUID()
  await at('operation.accept.before-commit')
  try {
    const row = await transaction(options.db, (tx) => write(tx, options, { ...planned, id }))
    await at('operation.accept.after-commit')
    return toOperation(row)
  } catch (error) {
    if (error instanceof KeyTaken) return madeBefore(options.db, planned.asked)
    if (error instanceof DefinitionChanged) return undefined
    if (!(error instanceof AmbiguousCommitError)) throw error
    // The commit's answer was lost: the operation itself says whether it is there.
    const row = await find(options.db, id)
    if (row) return toOperation(row)
    throw error
  }
}

async function write(
  tx: Db,
  { definitions }: ChangeOptions,
  { id, asked, request, rehearsed, planTime }: Planned & { id: string },
): Promise<OperationRow> {
  const { target } = request
  const key = { subject: asked.subject.name, key: asked.idempotencyKey, digest: digestOf(asked), operation: id }
  if (!(await claimKey(tx, key))) throw new KeyTaken()
  const acceptTime = new Date().toISOString()
  const row = await insert(tx, {
    id,
    type: request.type,
    summary: request.summary,
    actor: asked.subject.name,
    reason: asked.query.reason ?? null,
    cluster: target.cluster,
    environment: target.environment ?? null,
    application: target.application ?? null,
    target: targetKey(target),
    intent: rehearsed.intent,
    plan: rehearsed.plan,
    acceptTime,
    undoes: request.undoes ?? null,
    planTime,
    hint: { channel: hintChannel, payload: hintPayload(operationKind, targetKey(target)) },
  })
  if (!row) throw new DefinitionChanged()
  const { definition } = request
  if (definition) {
    const taken = await definitions[definition.owner]?.accept(tx, definition, { id, acceptTime })
    if (!taken) throw new DefinitionChanged()
    await bindEnvironment(tx, id)
  }
  await audit(tx, {
    operation: id,
    actor: asked.subject.name,
    act: request.type,
    what: targetKey(target),
    outcome: 'intent',
    detail: asked.query.reason ? `${request.summary}: ${asked.query.reason}` : request.summary,
    environment: target.environment,
  })
  return row
}
