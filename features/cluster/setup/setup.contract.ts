import { endpoint, Name } from '@quarterdeck/kernel'
import { z } from 'zod'

/** One stage of the first start. `percent` only where it can be known. */
export const SetupStage = z.object({
  id: z.string().describe('store, binaries, control-plane, node, addons, images, environment'),
  title: z.string(),
  state: z.enum(['waiting', 'running', 'done', 'failed']),
  detail: z.string(),
  percent: z.number().min(0).max(100).optional(),
  elapsedSeconds: z.number().optional(),
})

/** How far the platform is: the page that a stranger sees first. Holds nothing secret. */
export const Setup = z.object({
  ready: z.boolean(),
  version: z.string(),
  administrator: z
    .enum(['missing', 'present', 'unknown'])
    .describe('missing: use the one-time link printed on the terminal'),
  clusterOrigin: z.enum(['kubeconfig', 'local', 'none']),
  clusterMode: z.enum(['node', 'simulated', 'none']),
  stages: z.array(SetupStage),
  remarks: z
    .array(z.string())
    .describe('Plain sentences about this machine: IPVS is absent, containers are simulated …'),
  waysOut: z
    .array(z.object({ title: z.string(), detail: z.string(), command: z.string().optional() }))
    .describe('What to do when a stage has failed'),
  firstEnvironment: Name.optional(),
})
export type Setup = z.infer<typeof Setup>

export const getSetup = endpoint({
  id: 'setup.get',
  method: 'GET',
  path: '/setup',
  permission: 'anonymous',
  summary: 'How far the platform is with starting',
  response: Setup,
})
export const retrySetup = endpoint({
  id: 'setup.retry',
  method: 'POST',
  path: '/setup/retry',
  permission: 'cluster.register',
  summary: 'Try the failed stage again',
  response: Setup,
})
