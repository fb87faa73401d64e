import type { AuditRecord, AuditRow } from './audit.contract.ts'

/** What is null in a row is absent in a record. */
export const toRecord = ({ sequence: number, ...row }: AuditRow): AuditRecord => ({
  number,
  ...(Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as Omit<AuditRecord, 'number'>),
})
