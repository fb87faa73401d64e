import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** Who is to be known to clusters, what they have been granted there, and how far each cluster has been told. */
export const createProjection: Migration = {
  async up(db) {
    await sql`create table installation (id uuid not null default gen_random_uuid())`.execute(db)
    await sql`comment on table installation is 'one row: what this installation makes in clusters carries its id'`.execute(
      db,
    )
    await sql`create table cluster_projection (
      cluster text primary key references cluster (name) on delete cascade,
      state text not null check (state in ('Ready', 'Limited', 'Missing')),
      messages jsonb not null,
      "observeTime" timestamptz not null default now()
    )`.execute(db)
    await sql`create view cluster_identity as
      select 'user' as kind, identity as name, id::text as uid from account where "disableTime" is null
      union all select 'group', 'quarterdeck:group:' || name, '' from user_group`.execute(db)
    // A row for each environment that a grant reaches; one without a cluster for a grant that reaches everything.
    await sql`create view native_grant as
      with held as (
        select role_grant.*, role.name as "roleName", role.permissions,
          case when role_grant.account is null then 'Group' else 'User' end as "holderKind",
          coalesce(account.identity, 'quarterdeck:group:' || user_group.name) as holder
        from role_grant join role on role.id = role_grant.role
          left join account on account.id = role_grant.account
          left join user_group on user_group.id = role_grant."group"
        where account."disableTime" is null
      )
      select id::text, role::text, "roleName", permissions, "holderKind", holder, "expireTime",
        null::text as cluster, null::text as namespace
      from held where num_nonnulls(tenant, project, environment) = 0
      union all
      select held.id::text, role::text, "roleName", permissions, "holderKind", holder, "expireTime",
        environment.cluster, environment.namespace
      from held
        join environment on environment.id = held.environment
          or environment.project = held.project
          or environment.project in (select id from project where project.tenant = held.tenant)`.execute(db)
  },
}
