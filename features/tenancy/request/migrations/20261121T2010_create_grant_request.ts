import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/**
 * What people have asked for. A place is kept by name, as it was asked for, and by id where there was one of that name:
 * asking about a place that one may not see tells nothing about whether it is there.
 */
export const createGrantRequest: Migration = {
  async up(db) {
    await sql`create table grant_request (
      id uuid primary key default gen_random_uuid(),
      account uuid not null references account (id) on delete cascade,
      role uuid not null,
      "roleName" text not null,
      permission text,
      "placeKind" text check ("placeKind" in ('tenant', 'project', 'environment')),
      "placeName" text,
      place uuid,
      "durationSeconds" int not null,
      reason text not null,
      state text not null default 'open' check (state in ('open', 'approved', 'refused', 'withdrawn')),
      "createTime" timestamptz not null default now(),
      "decideTime" timestamptz,
      decider text,
      decision text,
      "grant" uuid,
      check (("placeKind" is null) = ("placeName" is null))
    )`.execute(db)
    await sql`comment on column grant_request."placeKind" is 'null: the platform'`.execute(db)
    await sql`create index grant_request_account on grant_request (account)`.execute(db)
    await sql`create index grant_request_create on grant_request ("createTime", id)`.execute(db)
    await sql`create view asked_grant as
      select request.*, account.name as "user",
        (extract(epoch from request."createTime") * 1000000)::bigint::text as instant
      from grant_request request join account on account.id = request.account`.execute(db)
  },
}
