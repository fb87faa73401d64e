import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** The audit trail is read by time and by who acted. */
export const indexAuditEvent: Migration = {
  async up(db) {
    await sql`create index audit_event_time on audit_event (time)`.execute(db)
    await sql`create index audit_event_actor on audit_event (actor, sequence)`.execute(db)
  },
}
