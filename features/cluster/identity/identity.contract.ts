import { endpoint, Name, Time } from '@quarterdeck/kernel'
import { z } from 'zod'

/** Whether people get through to a cluster as themselves. */
export const ClusterAccess = z.object({
  state: z
    .enum(['Ready', 'Limited', 'Missing', 'Unknown'])
    .describe('Limited: some grants could not be made; Missing: nobody gets through; Unknown: not looked at yet'),
  messages: z.array(z.string()).describe('What could not be made there and why; empty when Ready'),
  observeTime: Time.optional(),
})
export type ClusterAccess = z.infer<typeof ClusterAccess>

export const getClusterAccess = endpoint({
  id: 'identity.get',
  method: 'GET',
  path: '/clusters/:cluster/identity',
  permission: 'cluster.list',
  summary: 'Whether people get through to a cluster as themselves, and what is missing',
  params: z.object({ cluster: Name }),
  response: ClusterAccess,
})
