import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** Links with which somebody chooses a password, by the hash of their secret, and what others may read of accounts. */
export const createPasswordLink: Migration = {
  async up(db) {
    await sql`create table password_link (
      account uuid primary key references account (id) on delete cascade,
      "secretHash" text not null unique,
      "createTime" timestamptz not null,
      "expireTime" timestamptz not null
    )`.execute(db)
    await sql`create view group_membership as
      select user_group.id as "group", user_group.name as "groupName", account.id as account, account.name as user,
        account.title, account.kind, account."disableTime" is not null as disabled
      from user_group_member
      join user_group on user_group.id = user_group_member."group"
      join account on account.id = user_group_member.account`.execute(db)
    await sql`create view user_listing as
      select account.id, account.name, account.kind, account.source, account.title, account.email,
        account."createTime", account."disableTime", account."lastSignInTime",
        account."passwordHash" is not null as "hasPassword", password_link."expireTime" as "linkExpireTime",
        (select coalesce(jsonb_agg("groupName" order by "groupName"), '[]') from group_membership
          where group_membership.account = account.id) as groups
      from account left join password_link on password_link.account = account.id`.execute(db)
    await sql`create view sign_in_account as
      select account.id, account.name, account.kind, account.source, account.title, account.email,
        account."passwordHash",
        (select coalesce(jsonb_agg("groupName" order by "groupName"), '[]') from group_membership
          where group_membership.account = account.id) as groups
      from account where "disableTime" is null`.execute(db)
    // Whoever could do everything for the platform and will still be able to tomorrow.
    await sql`create view platform_administrator as
      select distinct account.id from account
      join role_grant on role_grant.account = account.id
        or role_grant."group" in (select "group" from user_group_member where account = account.id)
      join role on role.id = role_grant.role
      where role.name = 'administrator' and role_grant."expireTime" is null
        and num_nonnulls(role_grant.tenant, role_grant.project, role_grant.environment) = 0
        and account.kind = 'user' and account."disableTime" is null
        and (account."passwordHash" is not null or account.source <> 'local')`.execute(db)
    await sql`
      create function note_sign_in() returns trigger language plpgsql as $$
      begin
        update account set "lastSignInTime" = new."createTime" where name = new."userName";
        return null;
      end $$`.execute(db)
    await sql`create trigger session_noted after insert on session for each row execute function note_sign_in()`.execute(
      db,
    )
  },
}
