import { clusterUnreachable, isProblem, Problem } from '@quarterdeck/kernel'
import { type Clusters, IMPERSONATOR } from '@quarterdeck/kube'
import type { Reconciler } from '@quarterdeck/reconcile'
import type { Db } from '@quarterdeck/store'
import { projection } from './identity.rules.ts'
import { listClusters, readWanted, saveAccess } from './identity.store.ts'
import { make } from './make.reconciler.ts'

const EVERY_SECONDS = 60
const AGAIN_SECONDS = 15
const PENDING_SECONDS = 1

/**
 * Key: cluster name. Keeps there who acts for people, whom it may act as, and what has been granted to whom. What
 * somebody else has changed of it is put back within a minute.
 */
export const identityReconciler = ({ db, clusters }: { db: Db; clusters: Clusters }): Reconciler => ({
  keys: () => listClusters(db),
  async reconcile(name, { signal }) {
    const wanted = await readWanted(db, name)
    if (!wanted) return {}
    try {
      const cluster = await clusters.get(name)
      const made = await make(cluster, projection(wanted, await cluster.served({ signal }), IMPERSONATOR), wanted)
      const state = made.missing ? 'Missing' : made.refused.length > 0 ? 'Limited' : 'Ready'
      await saveAccess(db, name, { state, messages: made.refused.toSorted().slice(0, 50) })
      if (made.pending) return { requeueAfterSeconds: PENDING_SECONDS }
      return { requeueAfterSeconds: state === 'Ready' ? EVERY_SECONDS : AGAIN_SECONDS }
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      const isAway: boolean = isProblem(error, clusterUnreachable)
      // What was made there still is; that it cannot be reached is said where the cluster is observed.
      if (!isAway) await saveAccess(db, name, { state: 'Missing', messages: [error.message] })
      return { requeueAfterSeconds: AGAIN_SECONDS }
    }
  },
})
