import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

export const createApplication: Migration = {
  async up(db) {
    await sql`
      create table application (
        environment text not null references environment (name),
        name text not null,
        definition jsonb not null,
        operation uuid not null,
        changing boolean not null,
        deleting boolean not null default false,
        "changeTime" timestamptz not null,
        primary key (environment, name)
      )`.execute(db)
  },
}
