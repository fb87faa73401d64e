import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** One-time passwords, their recovery codes, and when a code is asked for. Whoever remembers these is told of changes. */
export const createOneTimePassword: Migration = {
  async up(db) {
    await sql`create table one_time_password (
      account uuid primary key references account (id) on delete cascade,
      "sealedSecret" text not null,
      "createTime" timestamptz not null,
      "confirmTime" timestamptz,
      "wrongCodes" int not null default 0,
      "wrongTime" timestamptz
    )`.execute(db)
    await sql`comment on column one_time_password."wrongCodes" is 'in a row, since the last right one'`.execute(db)
    // Every step counts once, whichever process is asked.
    await sql`create table used_step (
      account uuid not null references one_time_password (account) on delete cascade,
      step bigint not null,
      primary key (account, step)
    )`.execute(db)
    await sql`create table recovery_code (
      account uuid not null references one_time_password (account) on delete cascade,
      "codeHash" text not null,
      "useTime" timestamptz,
      primary key (account, "codeHash")
    )`.execute(db)
    await sql`create table one_time_rule (
      position int primary key,
      roles jsonb not null,
      stages jsonb not null,
      acts jsonb not null,
      "maxAgeMinutes" int not null check ("maxAgeMinutes" > 0)
    )`.execute(db)
    await sql`
      create function tell_one_time() returns trigger language plpgsql as $$
      begin
        perform pg_notify('quarterdeck_one_time', '');
        return null;
      end $$`.execute(db)
    await sql`create trigger one_time_rule_told after insert or update or delete on one_time_rule
      for each statement execute function tell_one_time()`.execute(db)
    await sql`create trigger one_time_password_told after insert or delete or update of "confirmTime" on one_time_password
      for each statement execute function tell_one_time()`.execute(db)
    await sql`create function account_id(wanted text) returns uuid language sql stable as $$
      select id from account where name = wanted
    $$`.execute(db)
    // One row: everything that decides whether a code is needed, at one instant.
    await sql`create view one_time_fact as
    select
      (select coalesce(json_agg(json_build_object('id', id, 'kind', kind,
        'enrolled', exists (select from one_time_password as p where p.account = account.id and p."confirmTime" is not null),
        'roles', (
          select coalesce(json_agg(distinct role.name), '[]') from role_grant join role on role.id = role_grant.role
          where (role_grant."expireTime" is null or role_grant."expireTime" > now())
            and (role_grant.account = account.id or role_grant."group" in (
              select "group" from user_group_member where user_group_member.account = account.id))
        ))), '[]') from account) as accounts,
      (select coalesce(json_agg(json_build_object('name', name, 'stage', stage)), '[]') from environment) as environments,
      (select coalesce(json_agg(name), '[]') from role) as roles,
      (select coalesce(json_agg(json_build_object('roles', roles, 'stages', stages, 'acts', acts,
        'maxAgeMinutes', "maxAgeMinutes") order by position), '[]') from one_time_rule) as rules`.execute(db)
  },
}
