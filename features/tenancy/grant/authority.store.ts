import type { Db } from '@quarterdeck/store'
import { sql } from 'kysely'
import type { AuthorityState, EnvironmentFact, GrantFact } from './authority.rules.ts'

/** PostgreSQL tells it when users, groups, roles, grants, tenants, projects or environments have changed. */
export const authorityChannel = 'quarterdeck_authority'

interface AccountRow {
  id: string
  name: string
  identity: string
  disabled: boolean
  groups: string[]
}

/** Everything that decisions are made of, at one instant of the store, and that instant. */
export async function readAuthority(db: Db): Promise<{ state: AuthorityState; nowMs: number }> {
  const { rows } = await sql<{
    now: number
    accounts: AccountRow[]
    groups: { id: string; name: string }[]
    grants: (Omit<GrantFact, 'expireMs'> & { expireMs: number | null })[]
    tenants: { id: string; name: string }[]
    projects: { id: string; name: string; tenant: string }[]
    environments: (EnvironmentFact & { name: string })[]
  }>`
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
  const [row] = rows
  if (!row) throw new Error('PostgreSQL answers no row to a select without a table')
  const state: AuthorityState = {
    accounts: new Map(row.accounts.map(({ id, ...account }) => [id, account])),
    groups: new Map(row.groups.map(({ id, ...group }) => [id, group])),
    grants: row.grants.map(({ place, expireMs, ...grant }) => ({
      ...grant,
      place: place ?? '',
      ...(expireMs === null ? {} : { expireMs }),
    })),
    tenants: new Map(row.tenants.map(({ name, ...tenant }) => [name, tenant])),
    projects: new Map(row.projects.map(({ name, ...project }) => [name, project])),
    environments: new Map(row.environments.map(({ name, ...environment }) => [name, environment])),
  }
  return { state, nowMs: row.now }
}

/** Gives an account the role `administrator` for the whole platform; once. */
export async function grantAdministrator(db: Db, account: string, grantor: string): Promise<void> {
  await sql`insert into role_grant (role, account, grantor, reason)
    select role.id, account.id, ${grantor}, 'The first administrator'
    from account, role where role.name = 'administrator' and account.name = ${account}
    on conflict do nothing`.execute(db)
}
