import {
  Condition,
  endpoint,
  KubeRef,
  Name,
  PageQuery,
  type Permission,
  type ProblemType,
  pageOf,
  problemType,
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
  summary: 'Operations, newest first',
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
  summary: 'One operation with its plan and steps',
  params: one,
  response: Operation,
})
export const watchOperation = endpoint({
  id: 'operation.watch',
  method: 'GET',
  path: '/operations/:operation/watch',
  permission: 'operation.list',
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
  summary: 'Put back what was there before this operation',
  params: one,
  problems: [notUndoable],
})
