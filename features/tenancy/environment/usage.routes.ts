import { isProblem, quantityValue } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import { type ClusterState, EVERYTHING, type Mirror } from '@quarterdeck/mirror'
import { QUOTA_RESOURCES, quotaResources } from '../tenant/quota.contract.ts'
import type { Used } from '../tenant/tree.contract.ts'
import { quotaRef } from './arrangement.rules.ts'

export interface UsageOptions {
  /** Throws notFound for a cluster that is not registered. */
  clusterOf: (name: string) => Promise<Cluster>
  /** Undefined while it is not open yet. Absent: API servers are asked. */
  mirrored?: () => MirroredQuotas | undefined
}

export type MirroredQuotas = Pick<Mirror, 'clusters' | 'find' | 'kind'>

const RESOURCE = 'resourcequotas'

/**
 * What is used in an environment, as the status of its ResourceQuota says; undefined where nothing says it. The mirror
 * is asked as long as it is live; only else does it take a request.
 */
export const usageReader =
  ({ clusterOf, mirrored = () => undefined }: UsageOptions) =>
  async ({ cluster, namespace }: { cluster: string; namespace: string }): Promise<Used> => {
    const mirror = mirrored()
    if (mirror && isLive(mirror.clusters(), cluster)) return usedOf(mirroredUse(mirror, cluster, namespace))
    try {
      const quota = await (await clusterOf(cluster)).get(quotaRef(namespace))
      return usedOf(quota?.status?.used)
    } catch (error) {
      // A cluster that is away leaves the figure out; what it is allowed is known all the same.
      if (isProblem(error)) return undefined
      throw error
    }
  }

const isLive = (states: ClusterState[], cluster: string): boolean =>
  states.some(
    (one) => one.cluster === cluster && one.kinds.some((kind) => kind.resource === RESOURCE && kind.state === 'live'),
  )

/** `pods: 3/10`, as its row has it. */
const ENTRY = /^(.+): ([^/]+)\/[^/]+$/

/** The `used` of a ResourceQuota, from its row. */
function mirroredUse(mirror: MirroredQuotas, cluster: string, namespace: string): Record<string, string> | undefined {
  const { name } = quotaRef(namespace)
  const row = mirror.find({ resource: RESOURCE, cluster, namespace, name }, EVERYTHING)
  if (!row) return undefined
  const { columns = [] } = mirror.kind(RESOURCE) ?? {}
  const texts = columns.flatMap((column, at) =>
    column.name === 'requests' || column.name === 'limits' ? ((row.values[at] as string[] | null) ?? []) : [],
  )
  const entries = texts.map((text) => ENTRY.exec(text)).filter((found) => found !== null)
  if (entries.length === 0) return undefined
  return Object.fromEntries(entries.map(([, resource = '', used = '']) => [resource, used]))
}

function usedOf(used: Record<string, string> | undefined): Used {
  if (!used) return undefined
  return Object.fromEntries(
    quotaResources.flatMap((resource) => {
      const value = used[QUOTA_RESOURCES[resource].kubernetes]
      return value === undefined ? [] : [[resource, quantityValue(value)]]
    }),
  )
}
