import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** Whether the namespace was there before the environment, so that it outlives it. */
export const addEnvironmentAdopted: Migration = {
  async up(db) {
    await sql`alter table environment add column adopted boolean not null default false`.execute(db)
  },
}
