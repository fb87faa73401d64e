import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** What is kept about an environment is bound to its id: a name may be given again. */
export const tellEnvironmentId: Migration = {
  async up(db) {
    await sql`
      create function environment_id(text) returns uuid language sql stable as
        'select id from environment where name = $1'`.execute(db)
    await sql`
      create function environment_id_at(text, timestamptz) returns uuid language sql stable as
        'select id from environment where name = $1 and "createTime" <= $2'`.execute(db)
  },
}
