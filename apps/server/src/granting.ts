import type { Server } from '@quarterdeck/http'
import type { AuditEntry } from '@quarterdeck/kernel'
import type { Reconciler } from '@quarterdeck/reconcile'
import type { Db } from '@quarterdeck/store'
import { grantsForRequests } from '../../../features/tenancy/grant/asked.routes.ts'
import type { OpenAuthority } from '../../../features/tenancy/grant/authority.routes.ts'
import { explainRoutes } from '../../../features/tenancy/grant/explain.routes.ts'
import { grantReconciler } from '../../../features/tenancy/grant/grant.reconciler.ts'
import { grantCounts, grantedTo, grantRoutes } from '../../../features/tenancy/grant/grant.routes.ts'
import { requestRoutes } from '../../../features/tenancy/request/request.routes.ts'
import { roleRoutes } from '../../../features/tenancy/role/role.routes.ts'
import { keepAnAdministrator } from '../../../features/tenancy/user/user.routes.ts'

interface Parts {
  db: Db
  authority: OpenAuthority
  record(tx: Db, entry: AuditEntry): Promise<unknown>
}

/** Roles, grants, requests for them and what explains them. Answers the reconciler that clears ended grants away. */
export function granting(server: Server, { db, authority, record }: Parts): Reconciler {
  grantRoutes(server, { db, authority, record, keepAnAdministrator })
  explainRoutes(server, { authority })
  const { missing, refresh } = authority
  roleRoutes(server, { db, record, missing, refresh, grantCounts: () => grantCounts(authority), grantedTo })
  requestRoutes(server, { db, record, ...grantsForRequests({ authority, record }) })
  return grantReconciler({ db, record })
}
