import type { Server } from '@quarterdeck/http'
import { hint, type Reconciler } from '@quarterdeck/reconcile'
import type { ServerRole } from '@quarterdeck/store'
import {
  checkAudit,
  guardOfAudit,
  hashesOfAudit,
  listAuditRows,
  sortInAuditText,
} from '../../../features/delivery/operation/audit.store.ts'
import type { AuditFilter } from '../../../features/tenancy/audit/audit.contract.ts'
import { auditRoutes } from '../../../features/tenancy/audit/audit.routes.ts'
import { guardOf } from '../../../features/tenancy/audit/guard.rules.ts'
import { openSealer, type Sealer } from '../../../features/tenancy/audit/seal.reconciler.ts'
import { listSeals } from '../../../features/tenancy/audit/seal.store.ts'
import { searchRoutes } from '../../../features/tenancy/audit/search.routes.ts'
import { send } from '../../../features/tenancy/audit/send.routes.ts'
import { sinkRoutes } from '../../../features/tenancy/audit/sink.routes.ts'
import { sinkOwner, watchTrail } from '../../../features/tenancy/audit/trail.reconciler.ts'
import { type Parts, recordAct } from './parts.ts'

/** What is to be said where the server has no database role of its own. */
export const roleRemark = (role: ServerRole | undefined): string | undefined =>
  role && 'reason' in role
    ? `The audit trail is append-only by its triggers alone, for the server acts as the owner of the database: ${role.reason}. ${role.cure}.`
    : undefined

/** The audit trail: its endpoints, and who checks, seals and sends it. */
export function auditTrail(server: Server, { db, store, keyFile, log, authority }: Parts): Reconciler {
  const list = (filter: AuditFilter) => listAuditRows(db, filter)
  let opened: Sealer | undefined
  const sealer = () => {
    opened ??= openSealer(keyFile.derive('seals of the audit trail'))
    return opened
  }
  const { check, lastCheck, reconciler } = watchTrail({
    db,
    sealer,
    list,
    sortIn: () => sortInAuditText(db),
    hashesOf: (numbers) => hashesOfAudit(db, numbers),
    guard: async () => guardOf(await guardOfAudit(db), roleRemark(store.serverRole())),
    checkChain: () => checkAudit(db),
    send,
    open: (sealed, owner) => keyFile.open(sealed, owner),
    log,
    now: () => new Date().toISOString(),
  })
  auditRoutes(server, {
    list,
    check,
    lastCheck,
    seals: async () => ({ publicKey: sealer().publicKey, items: await listSeals(db) }),
    record: (entry) => recordAct(db, entry),
    environmentsWith: authority.environmentsWith,
  })
  server.figures.push(() => {
    const found = lastCheck()
    const help = 'Whether the audit trail was as it was written when it was last checked'
    return found
      ? [{ name: 'quarterdeck_audit_intact', help, type: 'gauge', values: [{ value: found.intact ? 1 : 0 }] }]
      : []
  })
  searchRoutes(server, { db, record: recordAct })
  sinkRoutes(server, {
    db,
    list,
    send,
    seal: (secret, sink) => keyFile.seal(secret, sinkOwner(sink)),
    open: (sealed, sink) => keyFile.open(sealed, sinkOwner(sink)),
    record: recordAct,
    hint: (tx, sink) => hint(tx, 'audit', `sink/${sink}`),
  })
  return reconciler
}
