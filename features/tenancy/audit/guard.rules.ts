import type { AuditGuard } from './audit.contract.ts'

/** One table of the trail, as it is guarded. */
interface TableGuard {
  table: string
  /** What the server's role could do to it besides appending. */
  may: readonly string[]
  /** Whether its trigger refuses changes. */
  refuses: boolean
}

/** `why`: why the server has no role of its own, and what to do. */
export function guardOf(tables: readonly TableGuard[], why: string | undefined): AuditGuard {
  const open = tables.filter(({ refuses }) => !refuses).map(({ table }) => table)
  const broad = tables.filter(({ may }) => may.length > 0)
  const said = [
    ...(open.length > 0 ? [`The trigger that refuses changes is gone or switched off: ${open.join(', ')}.`] : []),
    ...(broad.length > 0
      ? [why ?? `The server's role may ${broad.map(({ table, may }) => `${may.join(', ')} ${table}`).join('; ')}.`]
      : []),
  ]
  const appendOnly = broad.length === 0 ? 'privilege' : open.length === 0 ? 'trigger' : 'no'
  return { appendOnly, ...(said.length > 0 ? { remark: said.join(' ') } : {}) }
}
