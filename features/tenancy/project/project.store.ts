import type { Db, JsonColumn } from '@quarterdeck/store'
import type { Generated } from 'kysely'
import type { Quota } from '../tenant/quota.contract.ts'

interface ProjectTable {
  id: Generated<string>
  name: string
  tenant: string
  title: string | null
  quota: JsonColumn<Quota>
  createTime: Generated<string>
}
const table = (db: Db) => db.withTables<{ project: ProjectTable }>()

/** False when there is a project of this name. `tenant` is an id. */
export async function insertProject(
  db: Db,
  { quota, ...rest }: { name: string; tenant: string; title: string | null; quota: Quota },
): Promise<boolean> {
  const result = await table(db)
    .insertInto('project')
    .values({ ...rest, quota: JSON.stringify(quota) })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

export const updateProjectRow = (
  db: Db,
  { name, title, quota }: { name: string; title: string | null; quota: Quota },
): Promise<unknown> =>
  table(db)
    .updateTable('project')
    .set({ title, quota: JSON.stringify(quota) })
    .where('name', '=', name)
    .execute()

export const deleteProjectRow = (db: Db, name: string): Promise<unknown> =>
  table(db).deleteFrom('project').where('name', '=', name).execute()

/** When it was made, RFC 3339. */
export const createTimeOf = async (db: Db, name: string): Promise<string | undefined> =>
  (await table(db).selectFrom('project').select('createTime').where('name', '=', name).executeTakeFirst())?.createTime
