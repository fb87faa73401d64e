import { endpoint, Name, PageQuery, pageOf, problemType, Time } from '@quarterdeck/kernel'
import { z } from 'zod'
import { BodyPlace, grantExists, isOnePlace, NOT_ONE_PLACE } from '../grant/grant.contract.ts'
import { exceedsOwn, PermissionName } from '../role/role.contract.ts'

const KnownPermissionName = PermissionName.exclude(['*'])
const Reason = z
  .string()
  .trim()
  .min(1, 'Say why')
  .max(500, 'At most 500 characters')
  .describe('Kept in the audit trail')
const DAY_SECONDS = 86_400

export const RequestState = z.enum(['open', 'approved', 'refused', 'withdrawn'])
export type RequestState = z.infer<typeof RequestState>

/** Somebody's wish for a role somewhere, for some time. */
export const GrantRequest = z.object({
  id: z.uuid(),
  user: z.string(),
  role: z.string(),
  permission: z.string().optional().describe('What was missing; the role is the smallest built-in one with it'),
  ...BodyPlace,
  durationSeconds: z.int().describe('How long it is asked for, from the approval on'),
  reason: z.string(),
  state: RequestState,
  createTime: Time,
  decideTime: Time.optional(),
  decider: z.string().optional(),
  decision: z.string().optional().describe('Why it was decided so'),
  grant: z.uuid().optional().describe('The grant that the approval has made'),
  mine: z.boolean(),
  decidable: z.boolean().describe('Whether who asks may approve or refuse it'),
})
export type GrantRequest = z.infer<typeof GrantRequest>

export const requestDecided = problemType('request-decided', 409, 'The request is no longer open')
export const requestNeedless = problemType('request-needless', 409, 'There is nothing to ask for')

const one = z.object({ request: z.uuid('The id of a request, as qd request list shows it') })

export const proposeRole = endpoint({
  id: 'grant-request.propose',
  method: 'GET',
  path: '/grant-requests/proposal',
  permission: 'self',
  summary: 'The built-in role with the fewest permissions that has this one',
  query: z.object({ permission: KnownPermissionName }),
  response: z.object({ role: z.string(), permissions: z.array(z.string()) }),
})
export const listRequests = endpoint({
  id: 'grant-request.list',
  method: 'GET',
  path: '/grant-requests',
  permission: 'self',
  summary: 'My requests, and those that I could grant; newest first',
  query: PageQuery.extend({
    state: RequestState.optional(),
    which: z
      .enum(['mine', 'to-decide', 'all'])
      .default('all')
      .describe('to-decide: those of others that I could grant'),
  }),
  response: pageOf(GrantRequest),
})
export const createRequest = endpoint({
  id: 'grant-request.create',
  method: 'POST',
  path: '/grant-requests',
  permission: 'self',
  summary: 'Ask for a role, or for the smallest built-in role with a permission; those who could grant it see it',
  body: z
    .strictObject({
      role: Name.optional(),
      permission: KnownPermissionName.optional(),
      ...BodyPlace,
      durationSeconds: z
        .int()
        .min(300, 'At least 300 seconds')
        .max(366 * DAY_SECONDS, 'At most 366 days')
        .default(7 * DAY_SECONDS)
        .describe('How long it is needed, from the approval on'),
      reason: Reason,
    })
    .refine(({ role, permission }) => (role === undefined) !== (permission === undefined), {
      path: ['role'],
      message: 'Name either a role or a permission',
    })
    .refine(isOnePlace, NOT_ONE_PLACE),
  response: GrantRequest,
  status: 201,
  problems: [requestNeedless],
})
export const approveRequest = endpoint({
  id: 'grant-request.approve',
  method: 'POST',
  path: '/grant-requests/:request/approve',
  permission: 'self',
  summary: 'Grant what is asked for, until an end; nobody decides on a request of their own',
  params: one,
  body: z.strictObject({
    expireTime: Time.optional().describe('Absent: as long as was asked for, from now on'),
    reason: z.string().max(500).default(''),
  }),
  response: GrantRequest,
  problems: [requestDecided, grantExists, exceedsOwn],
})
export const refuseRequest = endpoint({
  id: 'grant-request.refuse',
  method: 'POST',
  path: '/grant-requests/:request/refuse',
  permission: 'self',
  summary: 'Refuse a request with a reason; whoever could grant it may',
  params: one,
  body: z.strictObject({ reason: Reason }),
  response: GrantRequest,
  problems: [requestDecided],
})
export const withdrawRequest = endpoint({
  id: 'grant-request.withdraw',
  method: 'DELETE',
  path: '/grant-requests/:request',
  permission: 'self',
  summary: 'Withdraw a request of mine that is open',
  params: one,
  response: z.null(),
  problems: [requestDecided],
})
