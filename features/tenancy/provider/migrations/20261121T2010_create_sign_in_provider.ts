import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** Sign-in providers, sign-ins that are under way, and accounts and groups as providers know them. */
export const createSignInProvider: Migration = {
  async up(db) {
    await sql`create table sign_in_provider (
      name text primary key,
      title text not null,
      kind text not null check (kind in ('oidc', 'ldap')),
      enabled boolean not null,
      settings jsonb not null,
      "sealedSecret" text,
      revision uuid not null default gen_random_uuid(),
      "createTime" timestamptz not null,
      "syncTime" timestamptz,
      "syncMessage" text not null default ''
    )`.execute(db)
    await sql`create table sign_in_attempt (
      "stateHash" text primary key,
      "browserHash" text not null,
      provider text not null references sign_in_provider (name) on delete cascade,
      nonce text not null,
      "codeVerifier" text not null,
      next text not null,
      "expireTime" timestamptz not null
    )`.execute(db)
    await sql`create index sign_in_attempt_expire on sign_in_attempt ("expireTime")`.execute(db)
    await sql`create table absent_account (
      account uuid primary key references account (id) on delete cascade
    )`.execute(db)
    await sql`comment on table absent_account is 'accounts that were disabled because their directory no longer has them'`.execute(
      db,
    )
    // Found by what the provider knows them by and by nothing else; made under a name that is free.
    await sql`
      create function provider_account(given_source text, given_key text, wanted text, given_title text, given_email text)
      returns table (id uuid, name text, made boolean, disabled boolean) language plpgsql as $$
      declare number int := 1;
      begin
        loop
          return query update account as a set title = given_title, email = given_email
            where a.source = given_source and a."sourceKey" = given_key
            returning a.id, a.name, false, a."disableTime" is not null;
          exit when found;
          return query insert into account as a (name, source, "sourceKey", title, email)
            values (left(wanted, 63 - case when number = 1 then 0 else length('-' || number) end)
              || case when number = 1 then '' else '-' || number end, given_source, given_key, given_title, given_email)
            on conflict do nothing
            returning a.id, a.name, true, false;
          exit when found;
          number := number + 1;
        end loop;
      end $$`.execute(db)
    // Membership in groups of this source, and of no other, becomes what is given; false when it is so already.
    await sql`
      create function provider_groups(member uuid, given_source text, given_keys text[], wanted text[])
      returns boolean language plpgsql as $$
      declare number int; at int; made uuid; had text[];
      begin
        select coalesce(array_agg(g."sourceKey" order by g."sourceKey"), '{}') into had
          from user_group_member m join user_group g on g.id = m."group"
          where m.account = member and g.source = given_source;
        if had = (select coalesce(array_agg(k order by k), '{}') from unnest(given_keys) as k) then return false; end if;
        for at in 1 .. coalesce(array_length(given_keys, 1), 0) loop
          number := 1;
          loop
            exit when exists (select from user_group g where g.source = given_source and g."sourceKey" = given_keys[at]);
            insert into user_group (name, title, source, "sourceKey")
              values (left(wanted[at], 63 - case when number = 1 then 0 else length('-' || number) end)
                || case when number = 1 then '' else '-' || number end, given_keys[at], given_source, given_keys[at])
              on conflict do nothing returning id into made;
            exit when made is not null;
            number := number + 1;
          end loop;
          made := null;
        end loop;
        delete from user_group_member m using user_group g
          where g.id = m."group" and m.account = member and g.source = given_source
            and not g."sourceKey" = any (given_keys);
        insert into user_group_member ("group", account)
          select g.id, member from user_group g where g.source = given_source and g."sourceKey" = any (given_keys)
          on conflict do nothing;
        return true;
      end $$`.execute(db)
    await sql`create view provider_account_state as
      select account.id, account.name, account.source, account."sourceKey" as key,
        account."disableTime" is not null as disabled,
        exists (select from absent_account where absent_account.account = account.id) as absent
      from account where account."sourceKey" is not null`.execute(db)
    await sql`
      create function provider_account_enabled(member uuid, enabled boolean) returns boolean language plpgsql as $$
      begin
        update account set "disableTime" = case when enabled then null else now() end
          where id = member and ("disableTime" is null) <> enabled;
        return found;
      end $$`.execute(db)
  },
}
