import { bind, type Server } from '@quarterdeck/http'
import type { Permission, Subject } from '@quarterdeck/kernel'
import { type AuditFilter, type AuditRecord, type AuditRow, checkAuditTrail, listAudit } from './audit.contract.ts'

/** The trail belongs to operations, so reading it is passed. */
export interface AuditRoutesOptions {
  /** Newest first. */
  list(filter: AuditFilter): Promise<AuditRow[]>
  /** Number of the last record, and the first that is broken. */
  check(): Promise<{ records: number; broken?: number }>
  /** The environments where a permission counts for somebody; undefined: everywhere. */
  environmentsWith(subject: Subject, permission: Permission): ReadonlySet<string> | undefined
}

export function auditRoutes(server: Server, { list, check, environmentsWith }: AuditRoutesOptions): void {
  bind(server, listAudit, async ({ subject, query: { limit, continue: from, ...filter } }) => {
    const before = from === undefined ? undefined : Number(from)
    const environments = environmentsWith(subject, listAudit.permission)
    const rows = await list({ ...filter, environments, before, limit: limit + 1 })
    const items = rows.slice(0, limit).map(toRecord)
    const last = items.at(-1)
    return { items, ...(rows.length > limit && last ? { continue: String(last.number) } : {}) }
  })
  bind(server, checkAuditTrail, async () => {
    const { records, broken } = await check()
    return { intact: broken === undefined, records, ...(broken === undefined ? {} : { brokenAt: broken }) }
  })
}

/** What is null in a row is absent in a record. */
export const toRecord = ({ sequence: number, ...row }: AuditRow): AuditRecord => ({
  number,
  ...(Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as Omit<AuditRecord, 'number'>),
})
