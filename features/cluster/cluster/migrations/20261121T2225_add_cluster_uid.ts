import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/**
 * Which cluster a registration is: the uid of its namespace kube-system, which no other cluster has. `otherUid`: what was
 * found behind it instead.
 */
export const addClusterUid: Migration = {
  async up(db) {
    await sql`alter table cluster add column uid text, add column "otherUid" text`.execute(db)
  },
}
