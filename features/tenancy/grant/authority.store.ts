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
    select * from authority`.execute(db)
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
  await sql`call grant_administrator(${account}, ${grantor})`.execute(db)
}
