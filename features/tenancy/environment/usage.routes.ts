import { isProblem, quantityValue } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import { QUOTA_RESOURCES, quotaResources } from '../tenant/quota.contract.ts'
import type { Used } from '../tenant/tree.contract.ts'
import { quotaRef } from './arrangement.rules.ts'

/** What is used in an environment, as the status of its ResourceQuota says; undefined where nothing says it. */
export const usageReader =
  (clusterOf: (name: string) => Promise<Cluster>) =>
  async ({ cluster, namespace }: { cluster: string; namespace: string }): Promise<Used> => {
    try {
      const quota = await (await clusterOf(cluster)).get(quotaRef(namespace))
      const used: Record<string, string> | undefined = quota?.status?.used
      if (!used) return undefined
      return Object.fromEntries(
        quotaResources.flatMap((resource) => {
          const value = used[QUOTA_RESOURCES[resource].kubernetes]
          return value === undefined ? [] : [[resource, quantityValue(value)]]
        }),
      )
    } catch (error) {
      // A cluster that is away leaves the figure out; what it is allowed is known all the same.
      if (isProblem(error)) return undefined
      throw error
    }
  }
