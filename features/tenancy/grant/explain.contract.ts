import { endpoint, PageQuery, pageOf, Time } from '@quarterdeck/kernel'
import { z } from 'zod'
import { PermissionName } from '../role/role.contract.ts'
import { PlaceQuery, UserText } from './grant.contract.ts'

const KnownPermissionName = PermissionName.exclude(['*'])

/** The grant through which somebody has a permission. */
export const Through = z.object({
  grant: z.uuid(),
  role: z.string(),
  group: z.string().optional().describe('They have it as a member of this group'),
  tenant: z.string().optional(),
  project: z.string().optional(),
  environment: z.string().optional(),
  platform: z.literal(true).optional(),
  expireTime: Time.optional(),
})
export type Through = z.infer<typeof Through>

export const HeldPermission = z.object({ permission: z.string(), through: z.array(Through) })
export type HeldPermission = z.infer<typeof HeldPermission>

/** Whether somebody may do something somewhere, and why. */
export const Verdict = z.object({
  user: z.string(),
  permission: z.string(),
  allowed: z.boolean(),
  detail: z.string().describe('A sentence: through what, or what is missing and who could grant it'),
  through: z.array(Through),
  grantedBy: z.array(z.string()).describe('Users who could grant it; empty when it is allowed'),
})
export type Verdict = z.infer<typeof Verdict>

export const listUserPermissions = endpoint({
  id: 'user-permission.list',
  method: 'GET',
  path: '/users/:user/permissions',
  permission: 'self',
  summary: 'What somebody may do at a place, each with the grants it comes from; of others with grant.list there',
  params: z.object({ user: UserText }),
  query: z.object(PlaceQuery),
  response: z.object({ user: z.string(), disabled: z.boolean(), items: z.array(HeldPermission) }),
})
export const getUserPermission = endpoint({
  id: 'user-permission.get',
  method: 'GET',
  path: '/users/:user/permissions/:permission',
  permission: 'self',
  summary: 'Whether somebody may do one thing at a place, and why; of others with grant.list there',
  params: z.object({ user: UserText, permission: KnownPermissionName }),
  query: z.object(PlaceQuery),
  response: Verdict,
})
export const listHolders = endpoint({
  id: 'holder.list',
  method: 'GET',
  path: '/holders',
  permission: 'grant.list',
  reach: 'anywhere',
  summary: 'Who may do one thing at a place, each with the grants it comes from',
  query: PageQuery.extend({ permission: KnownPermissionName, ...PlaceQuery }),
  response: pageOf(z.object({ user: z.string(), machine: z.boolean(), through: z.array(Through) })),
})
