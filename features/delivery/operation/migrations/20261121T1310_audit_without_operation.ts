import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** What is no operation is audited too: signing in, terminals, tokens, clusters. */
export const auditWithoutOperation: Migration = {
  async up(db) {
    await sql`alter table audit_event alter column operation drop not null`.execute(db)
  },
}
