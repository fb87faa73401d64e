import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

export const createEnvironment: Migration = {
  async up(db) {
    await sql`
      create table environment (
        name text primary key,
        cluster text not null,
        namespace text not null,
        stage text not null check (stage in ('dev', 'test', 'pre', 'prod')),
        title text,
        "createTime" timestamptz not null,
        operation uuid not null,
        state text not null check (state in ('Creating', 'Ready', 'Deleting', 'Failed')),
        message text not null default '',
        unique (cluster, namespace)
      )`.execute(db)
  },
}
