import { endpoint, Name, pageOf, problemType, Time } from '@quarterdeck/kernel'
import { z } from 'zod'
import { changeEndpoint } from '../../delivery/operation/operation.contract.ts'

/** How near to customers: shown as a word in its own colour, always; never guessed from a name. */
export const Stage = z.enum(['dev', 'test', 'pre', 'prod'])
export type Stage = z.infer<typeof Stage>

/** A namespace on a cluster, with a stage. Source of truth: PostgreSQL; the namespace is derived from it. */
export const Environment = z.object({
  name: Name,
  cluster: Name,
  namespace: Name,
  stage: Stage,
  title: z.string().max(200).optional().describe('What people call it'),
  createTime: Time,
  state: z.enum(['Creating', 'Ready', 'Deleting', 'Failed', 'Unknown']),
  message: z.string().describe('Empty when Ready'),
  applications: z.int(),
})
export type Environment = z.infer<typeof Environment>

export const environmentInUse = problemType('environment-in-use', 409, 'The environment still holds applications')
export const namespaceTaken = problemType('namespace-taken', 409, 'The namespace belongs to another environment')

const one = z.object({ environment: Name })
export const listEnvironments = endpoint({
  id: 'environment.list',
  method: 'GET',
  path: '/environments',
  permission: 'environment.list',
  summary: 'Environments with their stage and cluster',
  response: pageOf(Environment),
})
export const getEnvironment = endpoint({
  id: 'environment.get',
  method: 'GET',
  path: '/environments/:environment',
  permission: 'environment.list',
  summary: 'One environment',
  params: one,
  response: Environment,
})
export const createEnvironment = changeEndpoint({
  id: 'environment.create',
  method: 'PUT',
  path: '/environments/:environment',
  permission: 'environment.create',
  summary: 'Make an environment: a namespace on a cluster, with a stage',
  params: one,
  body: z.strictObject({
    cluster: Name,
    stage: Stage,
    namespace: Name.optional().describe('Absent: the same as the environment'),
    title: z.string().max(200).optional(),
  }),
  problems: [namespaceTaken],
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
