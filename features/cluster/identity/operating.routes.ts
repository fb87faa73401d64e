import { clusterForbidden } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import type { Db } from '@quarterdeck/store'
import type { Acting } from './acting.routes.ts'
import { findPerson } from './identity.store.ts'

/** A change that was accepted, as far as it matters as whom it is carried out. */
export interface Accepted {
  cluster: string
  namespace: string
  as: 'platform' | 'executor' | 'person'
  /** Name of the user. */
  actor: string
  acceptTime: string
}

/** As whom operations write to clusters. */
export const operateAs =
  (db: Db, clusterOf: (name: string) => Promise<Cluster>, { executorOf, personOf }: Acting) =>
  async ({ cluster, namespace, as, actor, acceptTime }: Accepted): Promise<{ cluster: Cluster; fallback?: string }> => {
    const registered = await clusterOf(cluster)
    if (as === 'platform') return { cluster: registered }
    if (as === 'executor') {
      const executor = await executorOf(cluster, namespace)
      if (executor) return { cluster: executor }
      const fallback = `Namespace ${namespace} has no executor yet, so this is carried out with the credential that the cluster is registered with. Bring the environment up to date to give it one.`
      return { cluster: registered, fallback }
    }
    const person = await findPerson(db, actor, acceptTime)
    if (!person)
      throw clusterForbidden({ detail: `${actor}, in whose name this is done, is disabled or not there any more.` })
    return { cluster: await personOf(person, cluster) }
  }
