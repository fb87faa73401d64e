import type { AuditSeal } from './audit.contract.ts'

/** Whether a day (UTC) has begun since the last seal, or there is none. */
export const isSealDue = (last: Pick<AuditSeal, 'time'> | undefined, now: string): boolean =>
  last === undefined || last.time.slice(0, 10) < now.slice(0, 10)
