import type { Db, JsonColumn } from '@quarterdeck/store'
import type { Generated } from 'kysely'

interface RoleTable {
  id: Generated<string>
  name: string
  title: string | null
  permissions: JsonColumn<string[]>
  builtIn: Generated<boolean>
  createTime: Generated<string>
}
const table = (db: Db) => db.withTables<{ role: RoleTable }>()

export interface RoleRow {
  id: string
  name: string
  title: string | null
  permissions: string[]
  builtIn: boolean
  createTime: string
}

/** Built-in ones first, in the order in which they were made; then by name. */
export const listRoleRows = (db: Db): Promise<RoleRow[]> =>
  table(db).selectFrom('role').selectAll().orderBy('builtIn', 'desc').orderBy('name').limit(1_000).execute()

export const findRole = (db: Db, name: string): Promise<RoleRow | undefined> =>
  table(db).selectFrom('role').selectAll().where('name', '=', name).executeTakeFirst()

/** Keeps others from changing it until `tx` ends. */
export const findRoleForUpdate = (tx: Db, name: string): Promise<RoleRow | undefined> =>
  table(tx).selectFrom('role').selectAll().where('name', '=', name).forUpdate().executeTakeFirst()

/** Undefined when there is one of that name. */
export const createRoleRow = (
  db: Db,
  { permissions, ...row }: Pick<RoleRow, 'name' | 'title' | 'permissions'>,
): Promise<RoleRow | undefined> =>
  table(db)
    .insertInto('role')
    .values({ ...row, permissions: JSON.stringify(permissions) })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returningAll()
    .executeTakeFirst()

export const updateRoleRow = (
  db: Db,
  id: string,
  { title, permissions }: { title?: string | undefined; permissions?: readonly string[] | undefined },
): Promise<RoleRow> =>
  table(db)
    .updateTable('role')
    .set({
      ...(title === undefined ? {} : { title }),
      ...(permissions === undefined ? {} : { permissions: JSON.stringify(permissions) }),
    })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()

export async function deleteRoleRow(db: Db, id: string): Promise<void> {
  await table(db).deleteFrom('role').where('id', '=', id).execute()
}
