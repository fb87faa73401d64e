import type { Clusters } from '@quarterdeck/kube'
import type { Reconciler } from '@quarterdeck/reconcile'
import type { Db } from '@quarterdeck/store'
import { clusterReconciler } from '../../../features/cluster/cluster/cluster.reconciler.ts'

/** What reconcilers are given. */
export interface Parts {
  db: Db
  clusters: Clusters
}

/** Every reconciler by the kind of its keys: one line a feature. */
export const reconcilersOf = ({ db, clusters }: Parts): Record<string, Reconciler> => ({
  cluster: clusterReconciler({ db, clusters }),
})
