import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** Local users, the one-time link of the first start, and sessions by the hash of their secret. */
export const createSession: Migration = {
  async up(db) {
    await sql`create table local_user (
      name text primary key,
      "passwordHash" text not null,
      "passwordTime" timestamptz not null default now()
    )`.execute(db)
    await sql`create table first_link (
      single boolean primary key default true check (single),
      "tokenHash" text not null
    )`.execute(db)
    await sql`create table session (
      id uuid primary key default gen_random_uuid(),
      "secretHash" text not null unique,
      "userName" text not null references local_user (name) on delete cascade,
      "createTime" timestamptz not null,
      "lastUseTime" timestamptz not null,
      "expireTime" timestamptz not null,
      peer text not null,
      client text not null
    )`.execute(db)
    await sql`create index session_user_name on session ("userName")`.execute(db)
  },
}
