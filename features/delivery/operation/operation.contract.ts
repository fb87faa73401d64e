import {
  Condition,
  endpoint,
  type Json,
  type KubeObject,
  KubeRef,
  type MergePatch,
  Name,
  PageQuery,
  type Permission,
  type ProblemType,
  pageOf,
  problemType,
  type Reach,
  type Scope,
  type Subject,
  Time,
} from '@quarterdeck/kernel'
import { z } from 'zod'

/** One field that an operation changes; absent `before` means it was not there, absent `after` that it goes. */
export const FieldChange = z.object({
  path: z.string().describe('Where, as people write it: spec.template.spec.containers[shop].image'),
  before: z.json().optional(),
  after: z.json().optional(),
})
export type FieldChange = z.infer<typeof FieldChange>

/** A field that somebody else manages and this change would take over. */
export const FieldConflict = z.object({
  manager: z.string().describe('Field manager as the cluster names it: kubectl, helm, argocd-controller'),
  field: z.string(),
})
export type FieldConflict = z.infer<typeof FieldConflict>

/** What happens to one object: before → after as the API server itself would make it. Secret values are masked. */
export const ObjectChange = z.object({
  ref: KubeRef,
  action: z.enum(['create', 'update', 'delete', 'unchanged']),
  fields: z.array(FieldChange),
  conflicts: z.array(FieldConflict),
  warnings: z.array(z.string()).describe('Sentences from the API server'),
  effect: z.string().optional().describe('What it means: pods restart, 3 become 5, the address changes'),
  yaml: z.string().describe('The manifest as it is applied, or as it was for a delete'),
})
export type ObjectChange = z.infer<typeof ObjectChange>

/** What a change will do, before it happens. Accepting it with its hash means exactly this. */
export const Plan = z.object({
  kind: z.literal('Plan'),
  hash: z.string().describe('SHA-256 over target, objects and their changes'),
  summary: z.string().describe('One sentence: Deploy shop to dev'),
  changes: z.array(ObjectChange),
  warnings: z.array(z.string()),
  blockers: z
    .array(z.object({ pointer: z.string(), detail: z.string() }))
    .describe('Why it cannot be accepted as it is: quota, name taken, port clash, image absent'),
  laterOperations: z.array(z.string()).describe('For an undo: operations made since, which it takes back as well'),
})
export type Plan = z.infer<typeof Plan>

/** Accepted → Running → Succeeded or Failed; Unknown while it is not known whether a request took effect. */
export const OperationState = z.enum(['Accepted', 'Running', 'Unknown', 'Succeeded', 'Failed'])
export type OperationState = z.infer<typeof OperationState>

/** One step as it is carried out: one object, or the wait for a workload. */
export const OperationStep = z.object({
  name: z.string().describe('Apply Deployment shop; Wait until shop is available'),
  state: z.enum(['Waiting', 'Running', 'Succeeded', 'Failed', 'Skipped']),
  message: z.string().describe('What it waits for and why, or what went wrong and what to do'),
  startTime: Time.optional(),
  endTime: Time.optional(),
})
export type OperationStep = z.infer<typeof OperationStep>

/** A change to a cluster: who, what, where, why, its plan, its state, its result. */
export const Operation = z.object({
  kind: z.literal('Operation'),
  id: z.uuid(),
  type: z.string().describe('application.deploy, application.scale, environment.create, operation.undo …'),
  summary: z.string(),
  actor: z.string(),
  reason: z.string().optional(),
  cluster: Name,
  environment: Name.optional(),
  application: Name.optional(),
  state: OperationState,
  conditions: z.array(Condition),
  steps: z.array(OperationStep),
  plan: Plan,
  acceptTime: Time,
  startTime: Time.optional(),
  endTime: Time.optional(),
  undoes: z.uuid().optional().describe('The operation that this one takes back'),
  undoneBy: z.uuid().optional(),
  undoable: z.boolean(),
})
export type Operation = z.infer<typeof Operation>
export const OperationSummary = Operation.omit({ plan: true, steps: true })
export type OperationSummary = z.infer<typeof OperationSummary>

/** What a change endpoint answers: with dryRun the plan, otherwise the accepted operation (202). */
export const Change = z.discriminatedUnion('kind', [Plan, Operation])
export type Change = z.infer<typeof Change>

export const planChanged = problemType('plan-changed', 409, 'The cluster has changed since this plan was made')
export const planBlocked = problemType('plan-blocked', 422, 'This change cannot be made as it is')
export const fieldsManagedElsewhere = problemType(
  'fields-managed-elsewhere',
  409,
  'Somebody else manages fields of this change',
)
export const keyReused = problemType('idempotency-key-reused', 422, 'This idempotency key belongs to another request')
export const notUndoable = problemType('not-undoable', 409, 'This operation cannot be undone')

/** Query of every change: `dryRun` answers with the plan and changes nothing. */
export const ChangeQuery = z.object({
  dryRun: z.stringbool().default(false).describe('true: answer with the plan and change nothing'),
  planHash: z.string().length(64).optional().describe('Accept only if the plan is still this one'),
  force: z.stringbool().default(false).describe('true: take over fields that somebody else manages'),
  reason: z.string().max(500).optional().describe('Why; kept in the audit trail'),
})
export type ChangeQuery = z.infer<typeof ChangeQuery>

/** Declares an endpoint that changes a cluster through an operation. Header Idempotency-Key makes it safe to repeat. */
export function changeEndpoint<Params extends z.ZodObject, Body extends z.ZodType = z.ZodUndefined>(declared: {
  id: string
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  summary: string
  permission: Permission
  reach?: Reach
  params: Params
  body?: Body
  problems?: readonly ProblemType[]
}) {
  return endpoint({
    ...declared,
    body: declared.body ?? (z.undefined() as unknown as Body),
    query: ChangeQuery,
    response: Change,
    status: 202,
    change: true,
    problems: [planChanged, planBlocked, fieldsManagedElsewhere, keyReused, ...(declared.problems ?? [])],
  })
}

const one = z.object({ operation: z.uuid() })
export const listOperations = endpoint({
  id: 'operation.list',
  method: 'GET',
  path: '/operations',
  permission: 'operation.list',
  reach: 'anywhere',
  summary: 'Operations in environments where one may see them, newest first',
  query: PageQuery.extend({
    environment: Name.optional(),
    application: Name.optional(),
    state: OperationState.optional(),
    running: z.stringbool().optional().describe('true: only those that have not ended'),
  }),
  response: pageOf(OperationSummary),
})
export const getOperation = endpoint({
  id: 'operation.get',
  method: 'GET',
  path: '/operations/:operation',
  permission: 'operation.list',
  reach: 'anywhere',
  summary: 'One operation with its plan and steps',
  params: one,
  response: Operation,
})
export const watchOperation = endpoint({
  id: 'operation.watch',
  method: 'GET',
  path: '/operations/:operation/watch',
  permission: 'operation.list',
  reach: 'anywhere',
  summary: 'The operation each time it changes, a JSON line each, until it ends',
  params: one,
  response: Operation,
  transport: 'lines',
})
export const undoOperation = changeEndpoint({
  id: 'operation.undo',
  method: 'POST',
  path: '/operations/:operation/undo',
  permission: 'operation.undo',
  reach: 'anywhere',
  summary: 'Put back what was there before this operation',
  params: one,
  problems: [notUndoable],
})

/** Why a change cannot be accepted as it is; `pointer` into the body of the request, '' for the whole. */
export type Blocker = Plan['blockers'][number]

/**
 * What the platform itself wants to remember of what an operation makes: an application's specification, an
 * environment. `owner` names the feature that keeps it; JSON null means that it is not there.
 */
export interface Definition {
  owner: string
  /** Unique within its owner: `dev/shop`. */
  key: string
  before: Json | null
  after: Json | null
  /** Operation that had written `before` when it was read; null when there was none. */
  basis: string | null
}

/** Keeps the definitions of one feature. Every function runs in the transaction of the operation. */
export interface DefinitionOwner<Tx> {
  /** The definition as it is now, and the operation that wrote it. */
  find(tx: Tx, key: string): Promise<{ value: Json | null; basis: string | null }>
  /** Why it cannot become `after`. */
  blockers(tx: Tx, definition: Pick<Definition, 'key' | 'before' | 'after'>): Promise<Blocker[]>
  /** Writes `after`; with `after` null marks it as going. False, and nothing written, when it no longer is `basis`. */
  accept(tx: Tx, definition: Definition, operation: { id: string; acceptTime: string }): Promise<boolean>
  /** What taking back such a change needs besides operation.undo: the permissions for making it. */
  needs?(change: Pick<Definition, 'key' | 'before' | 'after'>): { permission: Permission; scope: Scope }[]
  /** The operation has ended. `applied` is false when nothing reached the cluster, so `before` is what holds. */
  end(tx: Tx, definition: Definition, result: { id: string; succeeded: boolean; applied: boolean }): Promise<void>
}

/** An object that is there and is changed as it stands, by whoever asks for it. */
export interface ObjectPatch {
  ref: KubeRef
  /** Of that very object. */
  uid: string
  patch: MergePatch
  /** Its written part as it was read: only as long as it is still so, whatever its status. */
  basis?: KubeObject
}

/** A pod that is to make way. Its PodDisruptionBudgets are waited for. */
export interface Evicted {
  ref: KubeRef & { namespace: string }
  /** Of that very pod. */
  uid: string
  /** Goes on only as long as this node takes no new pods. */
  whileCordoned?: string
}

/** A change to a cluster as a feature asks for it. */
export interface ChangeRequest {
  /** `application.deploy`; the same as the endpoint's id. */
  type: string
  /** One sentence in the imperative: Deploy shop to dev. */
  summary: string
  target: {
    cluster: string
    namespace?: string
    environment?: string
    application?: string
    /** What is changed, with the namespace and cluster the lock key: `application/shop`. */
    what: string
  }
  /** Complete manifests, to be server-side applied. */
  desired: KubeObject[]
  /** Objects to delete; done when they are not there. With `uid`, only that very object. */
  removed: (KubeRef & { uid?: string })[]
  /** What we had applied before, for undo. */
  before: KubeObject[]
  /** Objects to change as they stand; carried out as the person who asks. Undo puts the same fields back. */
  patched?: ObjectPatch[]
  /** Pods to evict, after everything else; carried out as the person who asks. Undo leaves them alone. */
  evicted?: Evicted[]
  /** Found by the feature before anything was asked of the cluster. */
  blockers?: Blocker[]
  warnings?: string[]
  /** Why one of `desired` that is there already stands in the way, such as being somebody else's. */
  taken?: (live: KubeObject) => Blocker | undefined
  /** Sentences by `refText(ref)`, instead of the effect that is worked out from the objects. */
  effects?: Record<string, string>
  /** How long a workload may make no progress before the operation fails. Default 120. */
  deadlineSeconds?: number
  definition?: Definition
  /** Why this can never be taken back; absent: it can. */
  notUndoable?: string
}

/** Who asks for a change, and how; `body` and `params` as the endpoint parsed them. */
export interface AskedChange {
  endpoint: string
  subject: Subject
  params: unknown
  query: z.output<typeof ChangeQuery>
  body: unknown
  idempotencyKey: string
}

/**
 * Plans or accepts a change. `build` reads the present state and says what is wanted; it is called again when another
 * change was accepted in between. Throws planChanged, planBlocked, fieldsManagedElsewhere, keyReused.
 */
export type MakeChange = (asked: AskedChange, build: () => Promise<ChangeRequest>) => Promise<Change>

/** How far a workload is on its way to what is wanted. */
export interface Rollout {
  available: boolean
  /** One sentence: what is waited for, and why it is not there. */
  message: string
  /** Changes whenever it came nearer; an operation fails when it stays the same for its deadline. */
  mark: string
  /** Since when the cluster itself has given up, as it writes it; perhaps on the rollout before this one. */
  exceeded: string | false
}

/** Reads a Deployment, StatefulSet or DaemonSet; pods and events explain what is missing. */
export type RolloutOf = (workload: KubeObject, around: { pods: KubeObject[]; events: KubeObject[] }) => Rollout
