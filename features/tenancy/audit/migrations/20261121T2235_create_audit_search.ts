import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** Questions to the audit trail that somebody has kept under a name. */
export const createAuditSearch: Migration = {
  async up(db) {
    await sql`create table audit_search (
      account uuid not null references account (id) on delete cascade,
      name text not null,
      owner text not null,
      shared boolean not null,
      filter jsonb not null,
      "changeTime" timestamptz not null default now(),
      primary key (account, name)
    )`.execute(db)
    await sql`create index audit_search_shared on audit_search (name) where shared`.execute(db)
  },
}
