import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** Tokens of qd and scripts, by the hash of their secret. */
export const createToken: Migration = {
  async up(db) {
    await sql`create table token (
      id uuid primary key default gen_random_uuid(),
      "secretHash" text not null unique,
      "userName" text not null references local_user (name) on delete cascade,
      name text not null,
      permissions jsonb not null,
      "createTime" timestamptz not null,
      "lastUseTime" timestamptz,
      "expireTime" timestamptz,
      unique ("userName", name)
    )`.execute(db)
  },
}
