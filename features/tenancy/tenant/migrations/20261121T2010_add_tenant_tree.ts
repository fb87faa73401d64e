import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** Over-commit of tenants; what an environment is given; tenants with all that is in them, and members, as views. */
export const addTenantTree: Migration = {
  async up(db) {
    await sql`alter table tenant add column overcommit float8 not null default 1 check (overcommit between 1 and 100)`.execute(
      db,
    )
    await sql`comment on column tenant.overcommit is 'by how much the parts may together exceed the whole; 1: not'`.execute(
      db,
    )
    await sql`alter table environment
      add column quota jsonb not null default '{}',
      add column limits jsonb,
      add column isolation text check (isolation in ('isolated', 'project', 'open')),
      add column "podSecurity" text check ("podSecurity" in ('privileged', 'baseline', 'restricted'))`.execute(db)
    await sql`comment on column environment.isolation is 'null: made before environments had anything but a namespace'`.execute(
      db,
    )
    await sql`create function project_id(text) returns uuid language sql stable as 'select id from project where name = $1'`.execute(
      db,
    )
    await sql`create view placed_environment as
      select environment.name, cluster, namespace, stage, environment.title, environment."createTime", operation, state,
        message, adopted, environment.quota, limits, isolation, "podSecurity", project.name as project,
        tenant.name as tenant
      from environment join project on project.id = environment.project join tenant on tenant.id = project.tenant`.execute(
      db,
    )
    await sql`create view tenant_tree as
      select id, name, title, clusters, quota, overcommit, "createTime", (
        select coalesce(json_agg(json_build_object('name', name, 'title', title, 'quota', quota, 'environments', (
          select coalesce(json_agg(json_build_object('name', name, 'cluster', cluster, 'namespace', namespace,
            'stage', stage, 'quota', quota) order by name), '[]')
          from environment where environment.project = project.id
        )) order by name), '[]') from project where project.tenant = tenant.id
      ) as projects
      from tenant`.execute(db)
    await sql`create view place_member as
      select coalesce(tenant.name, '') as tenant, coalesce(project.name, '') as project,
        coalesce(account.name, user_group.name) as name,
        case when account.id is null then 'group' else account.kind end as kind,
        role.name as role, role_grant."expireTime"
      from role_grant join role on role.id = role_grant.role
        left join account on account.id = role_grant.account
        left join user_group on user_group.id = role_grant."group"
        left join project on project.id = role_grant.project
        left join tenant on tenant.id = role_grant.tenant
      where role_grant.environment is null`.execute(db)
  },
}
