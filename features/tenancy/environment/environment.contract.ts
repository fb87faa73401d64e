import { endpoint, Name, pageOf, problemType, quantityValue, Time } from '@quarterdeck/kernel'
import { z } from 'zod'
import { changeEndpoint } from '../../delivery/operation/operation.contract.ts'
import { Amount, Quota, QuotaUse } from '../tenant/quota.contract.ts'

/** How near to customers: shown as a word in its own colour, always; never guessed from a name. */
export const Stage = z.enum(['dev', 'test', 'pre', 'prod'])
export type Stage = z.infer<typeof Stage>

/** Who its pods may speak with: each other and the name service; those of the project as well; everybody. */
export const Isolation = z.enum(['isolated', 'project', 'open'])
export type Isolation = z.infer<typeof Isolation>

/** What pods may be: Kubernetes' Pod Security Standards. */
export const PodSecurity = z.enum(['privileged', 'baseline', 'restricted'])
export type PodSecurity = z.infer<typeof PodSecurity>

const Amounts = z.strictObject({ cpu: Amount.optional(), memory: Amount.optional() })
type Amounts = z.infer<typeof Amounts>
const isOrdered = (low: Amounts | undefined, high: Amounts | undefined) =>
  (['cpu', 'memory'] as const).every(
    (one) =>
      low?.[one] === undefined || high?.[one] === undefined || quantityValue(low[one]) <= quantityValue(high[one]),
  )

/** What containers get that say nothing, and the most that one may ask for. */
export const Limits = z
  .strictObject({
    request: Amounts.optional().describe('Requested for a container that requests nothing'),
    limit: Amounts.optional().describe('Limit of a container that has none'),
    most: Amounts.optional().describe('The highest limit that a container may have'),
  })
  .refine(({ request, limit }) => isOrdered(request, limit), { path: ['request'], error: 'No more than limit' })
  .refine(({ limit, most }) => isOrdered(limit, most), { path: ['limit'], error: 'No more than most' })
  .refine(({ request, most }) => isOrdered(request, most), { path: ['request'], error: 'No more than most' })
export type Limits = z.infer<typeof Limits>

/** A namespace on a cluster, with a stage. Source of truth: PostgreSQL; the namespace is derived from it. */
export const Environment = z.object({
  name: Name,
  project: Name,
  tenant: Name,
  cluster: Name,
  namespace: Name,
  stage: Stage,
  title: z.string().max(200).optional().describe('What people call it'),
  quota: Quota,
  limits: Limits.optional(),
  isolation: Isolation.optional().describe('Absent until it has been brought up to date'),
  podSecurity: PodSecurity.optional().describe('Absent until it has been brought up to date'),
  createTime: Time,
  state: z.enum(['Creating', 'Ready', 'Deleting', 'Failed', 'Unknown']),
  message: z.string().describe('Empty when Ready'),
  applications: z.int(),
})
export type Environment = z.infer<typeof Environment>

/** An environment as its own page has it. */
export const EnvironmentDetail = Environment.extend({
  use: z.array(QuotaUse),
  outdated: z
    .array(z.string())
    .describe('What of it is missing or otherwise on the cluster; changing it, even in nothing, puts it right'),
})
export type EnvironmentDetail = z.infer<typeof EnvironmentDetail>

export const environmentInUse = problemType('environment-in-use', 409, 'The environment still holds applications')
export const namespaceTaken = problemType('namespace-taken', 409, 'The namespace belongs to another environment')

const one = z.object({ environment: Name })
const changeable = {
  title: z.string().max(200).optional(),
  project: Name.optional().describe('Another one of the same tenant moves it there'),
  quota: Quota.optional().describe('Absent: as it is'),
  limits: Limits.optional().describe('Absent: as they are'),
  isolation: Isolation.optional().describe(
    'Absent: as it is; isolated for a new namespace, open for one that is there',
  ),
  podSecurity: PodSecurity.optional().describe(
    'Absent: as it is; baseline for a new namespace, privileged for one that is there',
  ),
}
export const listEnvironments = endpoint({
  id: 'environment.list',
  method: 'GET',
  path: '/environments',
  permission: 'environment.list',
  reach: 'anywhere',
  summary: 'Environments that one may see, with their stage and cluster',
  query: z.object({ project: Name.optional(), tenant: Name.optional() }),
  response: pageOf(Environment),
})
export const getEnvironment = endpoint({
  id: 'environment.get',
  method: 'GET',
  path: '/environments/:environment',
  permission: 'environment.list',
  summary: 'One environment with what of its quota is used and what is missing on the cluster',
  params: one,
  response: EnvironmentDetail,
})
export const createEnvironment = changeEndpoint({
  id: 'environment.create',
  method: 'PUT',
  path: '/environments/:environment',
  permission: 'environment.create',
  reach: 'anywhere',
  summary: 'Make an environment in a project: a namespace on a cluster, with a stage, quota, limits and isolation',
  params: one,
  body: z.strictObject({
    cluster: Name,
    stage: Stage,
    namespace: Name.optional().describe('Absent: the same as the environment'),
    ...changeable,
  }),
  problems: [namespaceTaken],
})
export const updateEnvironment = changeEndpoint({
  id: 'environment.update',
  method: 'PATCH',
  path: '/environments/:environment',
  permission: 'environment.update',
  summary: 'Change an environment. With an empty body it is brought up to date and what is missing put back',
  params: one,
  body: z.strictObject({ stage: Stage.optional(), ...changeable }),
})
export const deleteEnvironment = changeEndpoint({
  id: 'environment.delete',
  method: 'DELETE',
  path: '/environments/:environment',
  permission: 'environment.delete',
  summary: 'Delete an environment and its namespace',
  params: one,
  problems: [environmentInUse],
})
