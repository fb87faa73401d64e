import type { Db } from '@quarterdeck/store'
import type { Generated } from 'kysely'

interface DeviceLoginTable {
  id: Generated<string>
  secretHash: string
  codeHash: string
  client: string
  peer: string
  days: number
  createTime: string
  expireTime: string
  /** Who said yes. */
  userName: string | null
  denied: Generated<boolean>
}
const table = (db: Db) => db.withTables<{ device_login: DeviceLoginTable }>()

/** What asks, without its secrets. */
export interface DeviceLoginRow {
  id: string
  client: string
  peer: string
  days: number
  createTime: string
  expireTime: string
  userName: string | null
  denied: boolean
}
const COLUMNS = ['id', 'client', 'peer', 'days', 'createTime', 'expireTime', 'userName', 'denied'] as const

/** Keeps what asks and removes what is too old. False when the code is in use at this moment. */
export async function createDeviceLogin(
  tx: Db,
  row: Omit<DeviceLoginRow, 'id' | 'userName' | 'denied'> & { secretHash: string; codeHash: string },
): Promise<boolean> {
  await table(tx).deleteFrom('device_login').where('expireTime', '<', row.createTime).execute()
  const made = await table(tx)
    .insertInto('device_login')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()
  return made !== undefined
}

/** What asks with this code and has no answer yet. */
export const findByCode = (db: Db, codeHash: string, now: string): Promise<DeviceLoginRow | undefined> =>
  table(db)
    .selectFrom('device_login')
    .select(COLUMNS)
    .where('codeHash', '=', codeHash)
    .where('expireTime', '>', now)
    .where('userName', 'is', null)
    .where('denied', '=', false)
    .executeTakeFirst()

/** Answers what asks, once: with the name of who says yes, or null. Undefined when there is nothing to answer. */
export const answer = (
  tx: Db,
  codeHash: string,
  userName: string | null,
  now: string,
): Promise<DeviceLoginRow | undefined> =>
  table(tx)
    .updateTable('device_login')
    .set({ userName, denied: userName === null })
    .where('codeHash', '=', codeHash)
    .where('expireTime', '>', now)
    .where('userName', 'is', null)
    .where('denied', '=', false)
    .returning(COLUMNS)
    .executeTakeFirst()

export const findBySecret = (db: Db, secretHash: string, now: string): Promise<DeviceLoginRow | undefined> =>
  table(db)
    .selectFrom('device_login')
    .select(COLUMNS)
    .where('secretHash', '=', secretHash)
    .where('expireTime', '>', now)
    .executeTakeFirst()

/** Uses an answer up. False when somebody else has. */
export const useDeviceLogin = async (tx: Db, id: string): Promise<boolean> =>
  (await table(tx).deleteFrom('device_login').where('id', '=', id).returning('id').executeTakeFirst()) !== undefined
