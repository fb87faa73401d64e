import { bind, type Server } from '@quarterdeck/http'
import { type AuditEntry, done, type Permission, type Subject } from '@quarterdeck/kernel'
import {
  type AuditCheck,
  type AuditFilter,
  type AuditRow,
  type AuditSeal,
  checkAuditTrail,
  exportAudit,
  listAudit,
  listAuditSeals,
} from './audit.contract.ts'
import { toRecord } from './record.rules.ts'

/** The trail belongs to operations, so reading it is passed. */
export interface AuditRoutesOptions {
  /** Newest first, or the oldest first with `after`. */
  list(filter: AuditFilter): Promise<AuditRow[]>
  /** Computes the chain anew. */
  check(): Promise<AuditCheck>
  /** What was found last; undefined before the first time. */
  lastCheck(): AuditCheck | undefined
  seals(): Promise<{ publicKey: string; items: AuditSeal[] }>
  /** Writes to the trail. */
  record(entry: AuditEntry): Promise<unknown>
  /** The environments where a permission counts for somebody; undefined: everywhere. */
  environmentsWith(subject: Subject, permission: Permission): ReadonlySet<string> | undefined
}

const AT_ONCE = 1_000

export function auditRoutes(server: Server, options: AuditRoutesOptions): void {
  const { list, environmentsWith } = options
  bind(server, listAudit, async ({ subject, query: { limit, continue: from, ...filter } }) => {
    const before = from === undefined ? undefined : Number(from)
    const environments = environmentsWith(subject, listAudit.permission)
    const rows = await list({ ...filter, environments, before, limit: limit + 1 })
    const items = rows.slice(0, limit).map(toRecord)
    const last = items.at(-1)
    return { items, ...(rows.length > limit && last ? { continue: String(last.number) } : {}) }
  })
  bind(server, checkAuditTrail, async ({ query }) => (query.last && options.lastCheck()) || options.check())
  bind(server, listAuditSeals, () => options.seals())
  bind(server, exportAudit, async ({ subject, query, signal }) => {
    const environments = environmentsWith(subject, exportAudit.permission)
    const asked = Object.entries(query).map(([name, value]) => `${name} ${value}`)
    const detail = asked.length > 0 ? `Records with ${asked.join(', ')}` : 'All records'
    await options.record(done(exportAudit, subject.name, 'audit trail', detail))
    return exported(options, { ...query, environments, limit: AT_ONCE }, signal)
  })
}

async function* exported({ list }: AuditRoutesOptions, filter: AuditFilter, signal: AbortSignal) {
  for (let after = 0; !signal.aborted; ) {
    const rows = await list({ ...filter, after })
    for (const row of rows) yield toRecord(row)
    const last = rows.at(-1)
    if (!last || rows.length < AT_ONCE) return
    after = last.sequence
  }
}
