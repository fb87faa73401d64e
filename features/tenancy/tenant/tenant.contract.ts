import { endpoint, Name, pageOf, problemType, Time } from '@quarterdeck/kernel'
import { z } from 'zod'
import { Quota, QuotaUse } from './quota.contract.ts'

/** Somebody who has been granted a role at a place or further up. */
export const Member = z.object({
  name: z.string(),
  kind: z.enum(['user', 'machine', 'group']),
  role: z.string(),
  at: z.enum(['platform', 'tenant', 'project']).describe('Where it was granted'),
  expireTime: Time.optional(),
})
export type Member = z.infer<typeof Member>

export const Title = z.string().max(200).describe('What people call it')
export const Overcommit = z
  .number()
  .min(1)
  .max(100)
  .describe('By how much the parts may together exceed the whole; 1: not')

/** A department, customer or partner: projects with environments on some of the clusters, within a quota. */
export const Tenant = z.object({
  name: Name,
  title: Title.optional(),
  clusters: z.array(Name).describe('Where it may have environments; empty: on every cluster'),
  quota: Quota,
  overcommit: Overcommit,
  createTime: Time,
  projects: z.int(),
  environments: z.int(),
  use: z.array(QuotaUse).describe('Of what is limited or has been given away'),
})
export type Tenant = z.infer<typeof Tenant>

/** A tenant as its own page has it. */
export const TenantDetail = Tenant.extend({
  members: z.array(Member).optional().describe('Absent for whoever may not see grants there'),
})
export type TenantDetail = z.infer<typeof TenantDetail>

export const tenantTaken = problemType('tenant-name-taken', 409, 'There is a tenant of this name')
export const tenantInUse = problemType('tenant-in-use', 409, 'The tenant still holds projects')
export const quotaExceeded = problemType('quota-exceeded', 422, 'The quotas do not add up')

const one = z.object({ tenant: Name })
const changeable = {
  title: Title,
  clusters: z.array(Name).max(100),
  quota: Quota,
  overcommit: Overcommit,
}
export const listTenants = endpoint({
  id: 'tenant.list',
  method: 'GET',
  path: '/tenants',
  permission: 'tenant.list',
  reach: 'anywhere',
  summary: 'Tenants that one may see, with what they have been given',
  response: pageOf(Tenant),
})
export const getTenant = endpoint({
  id: 'tenant.get',
  method: 'GET',
  path: '/tenants/:tenant',
  permission: 'tenant.list',
  summary: 'One tenant with its members and what of its quota is reserved, used and free',
  params: one,
  response: TenantDetail,
})
export const createTenant = endpoint({
  id: 'tenant.create',
  method: 'POST',
  path: '/tenants',
  permission: 'tenant.create',
  summary: 'Make a tenant',
  body: z.strictObject({ name: Name, ...z.strictObject(changeable).partial().shape }),
  response: Tenant,
  status: 201,
  problems: [tenantTaken],
})
export const updateTenant = endpoint({
  id: 'tenant.update',
  method: 'PATCH',
  path: '/tenants/:tenant',
  permission: 'tenant.update',
  summary: 'Change a tenant. Clusters, quota and over-commit need quota.update for the platform',
  params: one,
  body: z.strictObject(changeable).partial(),
  response: Tenant,
  problems: [quotaExceeded],
})
export const deleteTenant = endpoint({
  id: 'tenant.delete',
  method: 'DELETE',
  path: '/tenants/:tenant',
  permission: 'tenant.delete',
  summary: 'Delete a tenant that holds no projects, with what was granted in it',
  params: one,
  response: z.null(),
  status: 204,
  problems: [tenantInUse],
})
