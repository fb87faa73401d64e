import type { Clusters } from '@quarterdeck/kube'
import type { Reconciler } from '@quarterdeck/reconcile'
import type { Db } from '@quarterdeck/store'
import { applicationDefinitions, countIn } from '../../../features/application/application/application.store.ts'
import { rolloutOf } from '../../../features/application/application/rollout.rules.ts'
import { clusterReconciler } from '../../../features/cluster/cluster/cluster.reconciler.ts'
import { look } from '../../../features/cluster/cluster/look.routes.ts'
import { actFor } from '../../../features/cluster/identity/acting.routes.ts'
import { identityReconciler } from '../../../features/cluster/identity/identity.reconciler.ts'
import { operateAs } from '../../../features/cluster/identity/operating.routes.ts'
import type { DefinitionOwner } from '../../../features/delivery/operation/operation.contract.ts'
import { operationReconciler } from '../../../features/delivery/operation/operation.reconciler.ts'
import { actsAs, namespaceOf, type OperationRow } from '../../../features/delivery/operation/operation.rules.ts'
import { environmentDefinitions, hold } from '../../../features/tenancy/environment/environment.store.ts'
import { placing } from '../../../features/tenancy/tenant/placing.store.ts'

/** Who keeps what operations make, by owner: one line a feature that is changed through operations. */
export const definitions: Record<string, DefinitionOwner<Db>> = {
  application: applicationDefinitions({ holdEnvironment: hold }),
  environment: environmentDefinitions({ applicationsIn: countIn, placing }),
}

/** What reconcilers are given. */
export interface Parts {
  db: Db
  clusters: Clusters
}

/** Every reconciler by the kind of its keys: one line a feature. */
export function reconcilersOf({ db, clusters }: Parts) {
  const operating = operateAs(db, clusters.get, actFor({ clusters, identityOf: () => undefined }))
  const actingFor = (row: OperationRow) => operating({ ...row, namespace: namespaceOf(row.target), as: actsAs(row) })
  return {
    cluster: clusterReconciler({ db, clusters, look }),
    identity: identityReconciler({ db, clusters }),
    operation: operationReconciler({ db, clusterOf: clusters.get, actingFor, rolloutOf, definitions }),
  } satisfies Record<string, Reconciler>
}
