import { bind, type Server } from '@quarterdeck/http'
import { type AuditFilter, type AuditRow, checkAuditTrail, listAudit } from './audit.contract.ts'

/** The trail belongs to operations, so reading it is passed. */
export interface AuditRoutesOptions {
  /** Newest first. */
  list(filter: AuditFilter): Promise<AuditRow[]>
  /** Number of the last record, and the first that is broken. */
  check(): Promise<{ records: number; broken?: number }>
}

export function auditRoutes(server: Server, { list, check }: AuditRoutesOptions): void {
  bind(server, listAudit, async ({ query: { limit, continue: from, ...filter } }) => {
    const before = from === undefined ? undefined : Number(from)
    const rows = await list({ ...filter, before, limit: limit + 1 })
    const items = rows.slice(0, limit).map(({ sequence: number, operation, ...record }) => ({
      number,
      ...record,
      ...(operation === null ? {} : { operation }),
    }))
    const last = items.at(-1)
    return { items, ...(rows.length > limit && last ? { continue: String(last.number) } : {}) }
  })
  bind(server, checkAuditTrail, async () => {
    const { records, broken } = await check()
    return { intact: broken === undefined, records, ...(broken === undefined ? {} : { brokenAt: broken }) }
  })
}
