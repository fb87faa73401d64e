import type { AuditEntry, Condition } from '@quarterdeck/kernel'
import { atCommit, type Db, type JsonColumn, originOfThis } from '@quarterdeck/store'
import { type Generated, sql } from 'kysely'
import type { OperationState, OperationStep, Plan } from './operation.contract.ts'
import {
  type Intent,
  leftovers,
  type OperationRow,
  type Progress,
  type Result,
  type SummaryRow,
  stepsOf,
} from './operation.rules.ts'

type JsonFields = 'intent' | 'plan' | 'steps' | 'conditions' | 'results' | 'progress'
type OperationTable = Omit<OperationRow, JsonFields | 'sequence'> & {
  sequence: Generated<number>
  intent: JsonColumn<Intent>
  plan: JsonColumn<Plan>
  steps: JsonColumn<OperationStep[]>
  conditions: JsonColumn<Condition[]>
  results: JsonColumn<Result[]>
  progress: JsonColumn<Progress | null>
  /** Null: none, or one that is not there yet. */
  environmentId: string | null
}
interface KeyTable {
  subject: string
  key: string
  digest: string
  operation: string
  createTime: Generated<string>
}
interface AuditTable {
  sequence: Generated<number>
  time: Generated<string>
  /** Null: it was none, such as signing in. */
  operation: string | null
  actor: string
  act: string
  what: string
  outcome: 'intent' | 'succeeded' | 'failed'
  detail: string
  environment: string | null
  peer: string | null
  client: string | null
  /** Id of the session or token that it was done with. */
  credential: string | null
  request: string | null
  /** Which columns the hash is over; set by the database. */
  format: Generated<number>
  /** Of this record and the hash of the one before; set by the database. */
  hash: Generated<string>
}

const table = (db: Db) =>
  db.withTables<{ operation: OperationTable; idempotency_key: KeyTable; audit_event: AuditTable }>()

/** The channel on which every change of an operation is told; the payload is its id. */
export const operationChannel = 'operation'

const ended: OperationState[] = ['Succeeded', 'Failed']

export const find = (db: Db, id: string): Promise<OperationRow | undefined> =>
  table(db).selectFrom('operation').selectAll().where('id', '=', id).executeTakeFirst() as Promise<
    OperationRow | undefined
  >

/** Whether the environment of that name is still the one that it was done in; true for what belongs to none. */
const sameEnvironment = sql<boolean>`"environmentId" is not distinct from environment_id(environment)`

/** An operation with whether the environment of its name is the one that it was done in. */
export const findPlaced = (db: Db, id: string): Promise<(OperationRow & { placed: boolean }) | undefined> =>
  table(db)
    .selectFrom('operation')
    .selectAll()
    .select(sameEnvironment.as('placed'))
    .where('id', '=', id)
    .executeTakeFirst() as Promise<(OperationRow & { placed: boolean }) | undefined>

/** Binds an operation to an environment that it makes, once that is there. */
export async function bindEnvironment(tx: Db, id: string): Promise<void> {
  await table(tx)
    .updateTable('operation')
    .set({ environmentId: sql<string | null>`environment_id(environment)` })
    .where('id', '=', id)
    .where('environmentId', 'is', null)
    .execute()
}

export interface Filter {
  environment?: string | undefined
  /** Only of these environments, as they are now; absent: all, those that are gone, and those that belong to none. */
  environments?: ReadonlySet<string> | undefined
  application?: string | undefined
  state?: OperationState | undefined
  running?: boolean | undefined
  /** Only operations accepted before this one, by sequence. */
  before?: number | undefined
  limit: number
}

/** Newest first; neither plans nor manifests, which are what makes a row large. */
export async function list(db: Db, filter: Filter): Promise<SummaryRow[]> {
  let query = table(db)
    .selectFrom('operation')
    .select(listed)
    .select(sql<string | null>`intent->>'notUndoable'`.as('notUndoable'))
    .orderBy('sequence', 'desc')
    .limit(filter.limit)
  if (filter.environments) {
    query = query.where('environment', 'in', [...filter.environments, '']).where(sameEnvironment)
  }
  if (filter.environment) query = query.where('environment', '=', filter.environment)
  if (filter.application) query = query.where('application', '=', filter.application)
  if (filter.state) query = query.where('state', '=', filter.state)
  if (filter.running === true) query = query.where('state', 'not in', ended)
  if (filter.running === false) query = query.where('state', 'in', ended)
  if (filter.before !== undefined) query = query.where('sequence', '<', filter.before)
  const rows = await query.execute()
  return rows.map(({ notUndoable, ...row }) => ({ ...row, intent: notUndoable === null ? {} : { notUndoable } }))
}

const listed = [
  'id',
  'sequence',
  'type',
  'summary',
  'actor',
  'reason',
  'cluster',
  'environment',
  'application',
  'target',
  'steps',
  'conditions',
  'results',
  'progress',
  'state',
  'acceptTime',
  'startTime',
  'endTime',
  'undoes',
  'undoneBy',
] as const

/** Operations of one target that have not ended, oldest first. */
export const listUnfinished = (db: Db, target: string): Promise<OperationRow[]> =>
  table(db)
    .selectFrom('operation')
    .selectAll()
    .where('target', '=', target)
    .where('state', 'not in', ended)
    .orderBy('sequence')
    .execute() as Promise<OperationRow[]>

/** Operations of one target that had not ended at `time`, oldest first. */
const listUnendedAt = (db: Db, target: string, time: Date): Promise<OperationRow[]> =>
  table(db)
    .selectFrom('operation')
    .selectAll()
    .where('target', '=', target)
    .where(({ eb, or }) => or([eb('state', 'not in', ended), eb('endTime', '>=', time.toISOString())]))
    .orderBy('sequence')
    .execute() as Promise<OperationRow[]>

/** Operations of the same target accepted after this one, oldest first. */
export const listLater = (db: Db, row: Pick<OperationRow, 'target' | 'sequence'>): Promise<OperationRow[]> =>
  table(db)
    .selectFrom('operation')
    .selectAll()
    .where('target', '=', row.target)
    .where('sequence', '>', row.sequence)
    .orderBy('sequence')
    .execute() as Promise<OperationRow[]>

/** Targets with an operation that has not ended. */
export const listUnfinishedTargets = async (db: Db): Promise<string[]> =>
  (await table(db).selectFrom('operation').select('target').distinct().where('state', 'not in', ended).execute()).map(
    (row) => row.target,
  )

/** The operation that this subject's key belongs to, and the digest of the request that it came with. */
export const findKey = (db: Db, subject: string, key: string): Promise<Omit<KeyTable, 'createTime'> | undefined> =>
  table(db)
    .selectFrom('idempotency_key')
    .selectAll()
    .where('subject', '=', subject)
    .where('key', '=', key)
    .executeTakeFirst()

/** False when the key is taken; waits for a transaction that is just taking it. */
export const claimKey = async (db: Db, row: Omit<KeyTable, 'createTime'>): Promise<boolean> => {
  const result = await table(db)
    .insertInto('idempotency_key')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

const KEPT_DAYS = 7

/** Keys are for requests that are sent again; nobody does so after a week. */
export const forgetOldKeys = (db: Db) =>
  table(db)
    .deleteFrom('idempotency_key')
    .where('createTime', '<', sql<string>`now() - ${`${KEPT_DAYS} days`}::interval`)
    .execute()

type NewOperation = Omit<
  OperationRow,
  'sequence' | 'conditions' | 'results' | 'progress' | 'state' | 'startTime' | 'endTime' | 'undoneBy'
>

/** What tells whoever carries operations out that there is one, when it is committed. */
interface Hint {
  channel: string
  payload: string
}

/**
 * Adds an accepted operation that was planned from `planTime` on, and takes over what its predecessors that had not
 * ended by then have still to delete or may still make. Answers the row; undefined when what it undoes is undone.
 */
export async function insert(
  tx: Db,
  { planTime, hint, ...row }: Omit<NewOperation, 'steps'> & { planTime: Date; hint: Hint },
): Promise<OperationRow | undefined> {
  // One accepter of a target at a time, so that sequence, definition and predecessors agree.
  await sql`select pg_advisory_xact_lock(hashtextextended(${row.target}, 0))`.execute(tx)
  const predecessors = await listUnendedAt(tx, row.target, planTime)
  const intent = { ...row.intent, removed: [...row.intent.removed, ...leftovers(row.intent, predecessors)] }
  const steps = stepsOf(intent)
  // One statement for the row and for telling of it: each round trip is part of what a deploy costs.
  const added = await table(tx)
    .with('added', (query) =>
      query
        .insertInto('operation')
        .values({
          ...row,
          environmentId: sql<string | null>`environment_id(${row.environment})`,
          intent: JSON.stringify(intent),
          plan: JSON.stringify(row.plan),
          steps: JSON.stringify(steps),
          conditions: '[]',
          results: '[]',
          progress: 'null',
          state: 'Accepted',
          startTime: null,
          endTime: null,
          undoneBy: null,
        })
        .returning(['id', 'sequence']),
    )
    .selectFrom('added')
    .select(['sequence', tell, sql`pg_notify(${hint.channel}, ${hint.payload})`.as('hinted')])
    .executeTakeFirstOrThrow()
  if (row.undoes && !(await setUndoneBy(tx, row.undoes, row.id))) return undefined
  const fresh = { conditions: [], results: [], progress: null, state: 'Accepted' as const }
  return { ...row, ...fresh, intent, steps, sequence: added.sequence, startTime: null, endTime: null, undoneBy: null }
}

const tell = sql`pg_notify(${operationChannel}, id::text)`.as('told')

/** False when it was undone already. */
const setUndoneBy = async (tx: Db, id: string, undoneBy: string): Promise<boolean> => {
  const result = await table(tx)
    .updateTable('operation')
    .set({ undoneBy })
    .where('id', '=', id)
    .where('undoneBy', 'is', null)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** The undo has failed, so what it was to take back can be undone again. */
export const clearUndoneBy = (tx: Db, undo: string) =>
  table(tx).updateTable('operation').set({ undoneBy: null }).where('undoneBy', '=', undo).execute()

/** What the reconciler has found out. */
export type Observed = Pick<
  OperationRow,
  'state' | 'steps' | 'conditions' | 'results' | 'progress' | 'startTime' | 'endTime'
>

/** Writes what has been found out and tells who watches. False when it had ended already. */
export async function save(db: Db, id: string, seen: Observed): Promise<boolean> {
  const told = await table(db)
    .with('changed', (query) =>
      query
        .updateTable('operation')
        .set({
          state: seen.state,
          steps: JSON.stringify(seen.steps),
          conditions: JSON.stringify(seen.conditions),
          results: JSON.stringify(seen.results),
          progress: JSON.stringify(seen.progress),
          startTime: seen.startTime,
          endTime: seen.endTime,
        })
        .where('id', '=', id)
        .where('state', 'not in', ended)
        .returning('id'),
    )
    .selectFrom('changed')
    .select(tell)
    .execute()
  return told.length > 0
}

/**
 * Adds one record to the audit trail, with the commit of `tx`: others wait for its place in the chain only while it is
 * written and made durable, after all other locks.
 */
export async function audit(tx: Db, { environment, ...event }: AuditEvent): Promise<void> {
  const { peer = null, client = null, credential = null, request = null } = originOfThis() ?? {}
  const record = { ...event, environment: environment ?? null, peer, client, credential, request }
  await atCommit(tx, table(tx).insertInto('audit_event').values(record))
}

/** What is told of an act; when and from where it was done is added. `operation` null: it was none, such as signing in. */
export type AuditEvent = AuditEntry & { operation: string | null }

/** The audit trail of one operation, oldest first. */
export const listAudit = (db: Db, operation: string) =>
  table(db).selectFrom('audit_event').selectAll().where('operation', '=', operation).orderBy('sequence').execute()
