import type { Server } from '@quarterdeck/http'
import type { AuditEntry } from '@quarterdeck/kernel'
import type { Reconciler } from '@quarterdeck/reconcile'
import type { Db } from '@quarterdeck/store'
import type { OpenAuthority } from '../../../features/tenancy/grant/authority.routes.ts'
import { explainRoutes } from '../../../features/tenancy/grant/explain.routes.ts'
import { grantReconciler } from '../../../features/tenancy/grant/grant.reconciler.ts'
import { giveAsked, grantCounts, grantedTo, grantRoutes } from '../../../features/tenancy/grant/grant.routes.ts'
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
  const { refresh, missing, now } = authority
  const { decisions } = authority
  const { facts } = decisions
  grantRoutes(server, { db, authority, record, keepAnAdministrator })
  explainRoutes(server, { authority })
  const grants = { grantCounts: () => grantCounts(authority), grantedTo }
  roleRoutes(server, { db, record, missing, refresh, ...grants })
  requestRoutes(server, {
    db,
    record,
    missing,
    refresh,
    now,
    roles: {
      named(name) {
        const id = facts.idOf('role', name)
        const role = id === undefined ? undefined : facts.roles.get(id)
        return id === undefined || !role ? undefined : { id, permissions: role.permissions }
      },
      get: (id) => facts.roles.get(id),
    },
    places: {
      idOf: (scope) => decisions.idOf(scope),
      scopeOf: (id) => facts.scopeOf(id),
      with: (subject, permission) => decisions.placesWith(subject, permission, now()),
    },
    give: (tx, subject, grant) => giveAsked(tx, { authority, record }, subject, grant),
  })
  return grantReconciler({ db, record })
}
