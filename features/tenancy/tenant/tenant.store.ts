import type { Db, JsonColumn } from '@quarterdeck/store'
import { type Generated, sql } from 'kysely'
import type { Quota } from './quota.contract.ts'
import type { Member } from './tenant.contract.ts'
import type { ProjectPart, TenantTree } from './tree.contract.ts'

interface TenantTable {
  id: Generated<string>
  name: string
  title: string | null
  clusters: JsonColumn<string[]>
  quota: JsonColumn<Quota>
  overcommit: number
  createTime: Generated<string>
}
const table = (db: Db) => db.withTables<{ tenant: TenantTable }>()

/** A tenant with its projects and their environments. */
export interface TenantRow extends Omit<TenantTree, 'projects'> {
  id: string
  title: string | null
  clusters: string[]
  createTime: string
  projects: (ProjectPart & { title: string | null; environments: PlacedEnvironment[] })[]
}
export interface PlacedEnvironment {
  name: string
  cluster: string
  namespace: string
  stage: string
  quota: Quota
}

/** Every tenant with all that is in it, by name. */
export const listTenantRows = async (db: Db): Promise<TenantRow[]> =>
  (await sql<TenantRow>`select * from tenant_tree order by name`.execute(db)).rows
export const findTenantRow = async (db: Db, name: string): Promise<TenantRow | undefined> =>
  (await sql<TenantRow>`select * from tenant_tree where name = ${name}`.execute(db)).rows[0]

/** The tenant that a project is in. */
export const findTenantOfProject = async (db: Db, project: string): Promise<TenantRow | undefined> =>
  (
    await sql<TenantRow>`select * from tenant_tree
      where projects::jsonb @> jsonb_build_array(jsonb_build_object('name', ${project}::text))`.execute(db)
  ).rows[0]

/** Keeps everybody else from changing quotas in a tenant until `tx` ends. False when it is not there. */
export const lockTenant = async (tx: Db, name: string): Promise<boolean> =>
  (await table(tx).selectFrom('tenant').select('id').where('name', '=', name).forUpdate().executeTakeFirst()) !==
  undefined

/** False when there is a tenant of this name. */
export async function insertTenant(
  db: Db,
  { clusters, quota, ...rest }: Pick<TenantRow, 'name' | 'title' | 'clusters' | 'quota' | 'overcommit'>,
): Promise<boolean> {
  const result = await table(db)
    .insertInto('tenant')
    .values({ ...rest, clusters: JSON.stringify(clusters), quota: JSON.stringify(quota) })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

export async function updateTenantRow(
  db: Db,
  { name, title, overcommit, clusters, quota }: Pick<TenantRow, 'name' | 'title' | 'clusters' | 'quota' | 'overcommit'>,
): Promise<void> {
  await table(db)
    .updateTable('tenant')
    .set({ title, overcommit, clusters: JSON.stringify(clusters), quota: JSON.stringify(quota) })
    .where('name', '=', name)
    .execute()
}

export const deleteTenantRow = (db: Db, name: string): Promise<unknown> =>
  table(db).deleteFrom('tenant').where('name', '=', name).execute()

/** Who has been granted a role for the platform, in a tenant, or in one of its projects; the nearest last. */
export async function listMembers(
  db: Db,
  { tenant, project }: { tenant: string; project?: string },
): Promise<Member[]> {
  type Row = Omit<Member, 'at' | 'expireTime'> & { tenant: string; project: string; expireTime: string | null }
  const { rows } = await sql<Row>`select * from place_member
    where (tenant = '' and project = '') or (tenant = ${tenant} and project = '')
      or (project <> '' and project = ${project ?? ''})
    order by tenant, project, name, role`.execute(db)
  return rows.map(({ name, kind, role, expireTime, ...place }) => ({
    name,
    kind,
    role,
    at: place.project !== '' ? 'project' : place.tenant !== '' ? 'tenant' : 'platform',
    ...(expireTime === null ? {} : { expireTime }),
  }))
}

/** What projects need of tenants. */
export const tenants = {
  list: listTenantRows,
  find: findTenantRow,
  ofProject: findTenantOfProject,
  lock: lockTenant,
  members: listMembers,
}
