import type { Db } from '@quarterdeck/store'
import type { AuditSeal } from './audit.contract.ts'

const table = (db: Db) => db.withTables<{ audit_seal: AuditSeal }>()
const COLUMNS = ['sequence', 'hash', 'time', 'signature'] as const

export const listSeals = (db: Db): Promise<AuditSeal[]> =>
  table(db).selectFrom('audit_seal').select(COLUMNS).orderBy('sequence').execute()

export const lastSeal = (db: Db): Promise<AuditSeal | undefined> =>
  table(db).selectFrom('audit_seal').select(COLUMNS).orderBy('sequence', 'desc').limit(1).executeTakeFirst()

/** Keeps a seal; one that another replica has made for the same record stays. */
export async function createSeal(db: Db, seal: AuditSeal): Promise<void> {
  await table(db)
    .insertInto('audit_seal')
    .values(seal)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}
