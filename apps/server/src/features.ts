import { reconcilersOf } from '@quarterdeck/controller'
import type { Server } from '@quarterdeck/http'
import type { Clusters, KeyFile } from '@quarterdeck/kube'
import type { Reconciler } from '@quarterdeck/reconcile'
import type { Db, Store } from '@quarterdeck/store'
import { clusterRoutes } from '../../../features/cluster/cluster/cluster.routes.ts'
import type { Setup } from '../../../features/cluster/setup/setup.contract.ts'
import { setupRoutes } from '../../../features/cluster/setup/setup.routes.ts'
import { sessionRoutes } from '../../../features/tenancy/session/session.routes.ts'

/** What features are given. All of it can be handed out before the store is open. */
export interface Parts {
  store: Store
  db: Db
  clusters: Clusters
  keyFile: KeyFile
  setup: { read(): Promise<Setup>; retry(): void }
}

/** Binds every endpoint: one line a feature. */
export function bindFeatures(server: Server, { db, clusters, keyFile, setup }: Parts): void {
  setupRoutes(server, setup)
  sessionRoutes(server, { db })
  clusterRoutes(server, { db, clusters, keyFile, environmentsOf: async () => [] })
}

/** The reconcilers that this process runs: all of them, in the single-process default. */
export const reconcilers = ({ db, clusters }: Parts): Record<string, Reconciler> => reconcilersOf({ db, clusters })
