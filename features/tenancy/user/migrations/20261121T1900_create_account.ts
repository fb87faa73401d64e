import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/**
 * Users and machine accounts. A row's id is given once and names may come again; `identity` is what clusters call it and
 * is never given again either. Groups hold accounts. Whoever remembers who may do what is told of every change.
 */
export const createAccount: Migration = {
  async up(db) {
    await sql`alter table local_user rename to account`.execute(db)
    await sql`alter table account
      add column id uuid not null default gen_random_uuid() unique,
      add column identity text unique,
      add column kind text not null default 'user' check (kind in ('user', 'machine')),
      add column source text not null default 'local',
      add column "sourceKey" text,
      add column title text,
      add column email text,
      add column "createTime" timestamptz not null default now(),
      add column "disableTime" timestamptz,
      add column "lastSignInTime" timestamptz,
      alter column "passwordHash" drop not null,
      alter column "passwordTime" drop not null,
      alter column "passwordTime" drop default,
      add unique (source, "sourceKey")`.execute(db)
    await sql`comment on column account.source is 'local, or the name of the sign-in provider'`.execute(db)
    await sql`comment on column account."sourceKey" is 'what the provider knows them by: issuer and sub, or the entry''s id'`.execute(
      db,
    )
    await sql`create table used_identity (identity text primary key)`.execute(db)
    await sql`
      create function give_identity() returns trigger language plpgsql as $$
      declare number int := 1; wanted text;
      begin
        loop
          wanted := 'quarterdeck:user:' || new.name || case when number = 1 then '' else '~' || number end;
          insert into used_identity values (wanted) on conflict do nothing;
          exit when found;
          number := number + 1;
        end loop;
        new.identity := wanted;
        return new;
      end $$`.execute(db)
    await sql`create trigger account_identity before insert on account for each row execute function give_identity()`.execute(
      db,
    )
    await sql`insert into used_identity select 'quarterdeck:user:' || name from account`.execute(db)
    await sql`update account set identity = 'quarterdeck:user:' || name`.execute(db)
    await sql`alter table account alter column identity set not null`.execute(db)
    await sql`create table user_group (
      id uuid primary key default gen_random_uuid(),
      name text not null unique,
      title text,
      source text not null default 'local',
      "sourceKey" text,
      "createTime" timestamptz not null default now(),
      unique (source, "sourceKey")
    )`.execute(db)
    await sql`create table user_group_member (
      "group" uuid not null references user_group (id) on delete cascade,
      account uuid not null references account (id) on delete cascade,
      primary key ("group", account)
    )`.execute(db)
    await sql`create index user_group_member_account on user_group_member (account)`.execute(db)
    await sql`
      create function tell_authority() returns trigger language plpgsql as $$
      begin
        perform pg_notify('quarterdeck_authority', '');
        return null;
      end $$`.execute(db)
    for (const table of ['user_group', 'user_group_member']) {
      await sql`create trigger ${sql.ref(`${table}_told`)} after insert or update or delete on ${sql.table(table)}
        for each statement execute function tell_authority()`.execute(db)
    }
    // Not at every sign-in: only what decides what somebody may.
    await sql`create trigger account_told after insert or delete or update of name, "disableTime", kind on account
      for each statement execute function tell_authority()`.execute(db)
    await sql`create view live_session as
      select session.*, account.id as account from session join account on account.name = session."userName"
      where account."disableTime" is null`.execute(db)
    await sql`create view live_token as
      select token.*, account.id as account from token join account on account.name = token."userName"
      where account."disableTime" is null`.execute(db)
  },
}
