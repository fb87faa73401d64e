import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** Grants with the names of what they join. */
export const viewGrantedRole: Migration = {
  async up(db) {
    await sql`create index role_grant_role on role_grant (role)`.execute(db)
    await sql`create index role_grant_expire on role_grant ("expireTime") where "expireTime" is not null`.execute(db)
    await sql`create index role_grant_create on role_grant ("createTime", id)`.execute(db)
    await sql`create view granted_role as
      select g.id, g.role as "roleId", role.name as role, role.title as "roleTitle", role.permissions,
        g.account, account.name as "user", g."group" as "groupId", user_group.name as "group",
        coalesce(g.environment, g.project, g.tenant) as place,
        tenant.name as tenant, project.name as project, environment.name as environment,
        g."expireTime", g."expireTime" <= clock_timestamp() as expired, g.grantor, g.reason, g."createTime",
        (extract(epoch from g."createTime") * 1000000)::bigint::text as instant
      from role_grant g
      join role on role.id = g.role
      left join account on account.id = g.account
      left join user_group on user_group.id = g."group"
      left join tenant on tenant.id = g.tenant
      left join project on project.id = g.project
      left join environment on environment.id = g.environment`.execute(db)
  },
}
