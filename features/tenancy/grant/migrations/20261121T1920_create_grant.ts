import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'
import { BUILT_IN_ROLES } from '../../role/built-in.contract.ts'

/** Roles, and who has been granted which of them where and until when. A grant goes with whom and what it names. */
export const createGrant: Migration = {
  async up(db) {
    await sql`create table role (
      id uuid primary key default gen_random_uuid(),
      name text not null unique,
      title text,
      permissions jsonb not null,
      "builtIn" boolean not null default false,
      "createTime" timestamptz not null default now()
    )`.execute(db)
    for (const { name, en, permissions } of BUILT_IN_ROLES) {
      await sql`insert into role (name, title, permissions, "builtIn")
        values (${name}, ${en}, ${JSON.stringify(permissions)}::jsonb, true)`.execute(db)
    }
    await sql`create table role_grant (
      id uuid primary key default gen_random_uuid(),
      role uuid not null references role (id),
      account uuid references account (id) on delete cascade,
      "group" uuid references user_group (id) on delete cascade,
      tenant uuid references tenant (id) on delete cascade,
      project uuid references project (id) on delete cascade,
      environment uuid references environment (id) on delete cascade,
      "expireTime" timestamptz,
      grantor text not null,
      reason text not null default '',
      "createTime" timestamptz not null default now(),
      check (num_nonnulls(account, "group") = 1),
      check (num_nonnulls(tenant, project, environment) <= 1),
      unique nulls not distinct (role, account, "group", tenant, project, environment)
    )`.execute(db)
    for (const column of ['account', 'group', 'tenant', 'project', 'environment']) {
      await sql`create index ${sql.ref(`role_grant_${column}`)} on role_grant (${sql.ref(column)})`.execute(db)
    }
    // Whoever could sign in until now could do everything.
    await sql`insert into role_grant (role, account, grantor, reason)
      select role.id, account.id, 'quarterdeck', 'Was there before there were roles'
      from account, role where role.name = 'administrator'`.execute(db)
    for (const table of ['role', 'role_grant']) {
      await sql`create trigger ${sql.ref(`${table}_told`)} after insert or update or delete on ${sql.table(table)}
        for each statement execute function tell_authority()`.execute(db)
    }
    // One row: everything that decisions are made of, at one instant.
    await sql`create view authority as
    select (extract(epoch from clock_timestamp()) * 1000)::float8 as now,
      (select coalesce(json_agg(json_build_object('id', id, 'name', name, 'identity', identity,
        'disabled', "disableTime" is not null, 'groups', (
          select coalesce(json_agg("group"), '[]') from user_group_member where account = account.id
        ))), '[]') from account) as accounts,
      (select coalesce(json_agg(json_build_object('id', id, 'name', name)), '[]') from user_group) as groups,
      (select coalesce(json_agg(json_build_object('permissions', role.permissions,
        'holder', coalesce(role_grant.account, role_grant."group"),
        'place', coalesce(role_grant.environment, role_grant.project, role_grant.tenant)::text,
        'expireMs', extract(epoch from role_grant."expireTime") * 1000)), '[]')
        from role_grant join role on role.id = role_grant.role) as grants,
      (select coalesce(json_agg(json_build_object('id', id, 'name', name)), '[]') from tenant) as tenants,
      (select coalesce(json_agg(json_build_object('id', id, 'name', name, 'tenant', tenant)), '[]') from project)
        as projects,
      (select coalesce(json_agg(json_build_object('id', environment.id, 'name', environment.name,
        'project', environment.project, 'tenant', project.tenant, 'cluster', cluster, 'namespace', namespace)), '[]')
        from environment join project on project.id = environment.project) as environments`.execute(db)
    await sql`
      create procedure grant_administrator(holder text, giver text) language sql as $$
        insert into role_grant (role, account, grantor, reason)
        select role.id, account.id, giver, 'The first administrator'
        from account, role where role.name = 'administrator' and account.name = holder
        on conflict do nothing
      $$`.execute(db)
  },
}
