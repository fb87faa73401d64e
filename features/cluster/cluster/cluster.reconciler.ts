import type { Clusters } from '@quarterdeck/kube'
import type { Reconciler } from '@quarterdeck/reconcile'
import type { Db } from '@quarterdeck/store'
import { type ClusterRow, findCluster, findRevision, listClusterRows } from './cluster.store.ts'
import type { Observation } from './observation.rules.ts'

const EVERY_SECONDS = 30
const UNREACHABLE_SECONDS = 10

export interface ClusterReconcilerOptions {
  db: Db
  clusters: Clusters
  /** Looks at a registered cluster and keeps what was seen. */
  look(db: Db, clusters: Clusters, row: ClusterRow): Promise<Observation>
}

/** Key: cluster name. Looks at the cluster and records what it saw; a cluster that does not answer holds up no other. */
export const clusterReconciler = ({ db, clusters, look }: ClusterReconcilerOptions): Reconciler => ({
  keys: async () => (await listClusterRows(db)).map(({ name }) => name),
  async reconcile(name) {
    const [row, revision] = await Promise.all([findCluster(db, name), findRevision(db, name)])
    if (!row || revision === undefined) {
      await clusters.invalidate(name)
      return {}
    }
    // Another process may have been given the new kubeconfig.
    await clusters.refresh(name, revision)
    const observation = await look(db, clusters, row)
    return { requeueAfterSeconds: observation.state === 'Unreachable' ? UNREACHABLE_SECONDS : EVERY_SECONDS }
  },
})
