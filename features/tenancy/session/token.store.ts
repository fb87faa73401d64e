import type { Db, JsonColumn } from '@quarterdeck/store'
import type { Generated } from 'kysely'
import { tellRevoked } from './session.store.ts'

interface TokenTable {
  id: Generated<string>
  secretHash: string
  userName: string
  name: string
  permissions: JsonColumn<string[]>
  createTime: string
  lastUseTime: string | null
  expireTime: string | null
}
const table = (db: Db) => db.withTables<{ token: TokenTable; live_token: TokenTable & { account: string } }>()

/** A row of the token table without its secret. */
export interface TokenRow {
  id: string
  userName: string
  name: string
  permissions: string[]
  createTime: string
  lastUseTime: string | null
  expireTime: string | null
}
const COLUMNS = ['id', 'userName', 'name', 'permissions', 'createTime', 'lastUseTime', 'expireTime'] as const

/** Keeps a new token. Undefined when the user has one of that name. */
export const createTokenRow = (
  db: Db,
  { permissions, ...row }: Omit<TokenRow, 'id' | 'lastUseTime'> & { secretHash: string },
): Promise<TokenRow | undefined> =>
  table(db)
    .insertInto('token')
    .values({ ...row, permissions: JSON.stringify(permissions) })
    .onConflict((conflict) => conflict.columns(['userName', 'name']).doNothing())
    .returning(COLUMNS)
    .executeTakeFirst()

/** Of an account that is not disabled, with the account's id. */
export const findToken = (db: Db, secretHash: string): Promise<(TokenRow & { account: string }) | undefined> =>
  table(db)
    .selectFrom('live_token')
    .select([...COLUMNS, 'account'])
    .where('secretHash', '=', secretHash)
    .executeTakeFirst()

export async function touchToken(db: Db, id: string, now: string): Promise<void> {
  await table(db).updateTable('token').set({ lastUseTime: now }).where('id', '=', id).execute()
}

export const listTokenRows = (db: Db, userName: string): Promise<TokenRow[]> =>
  table(db)
    .selectFrom('token')
    .select(COLUMNS)
    .where('userName', '=', userName)
    .orderBy('createTime', 'desc')
    .limit(1_000)
    .execute()

/** Revokes the user's token with this id. */
export async function deleteTokenRow(db: Db, userName: string, id: string): Promise<void> {
  await tellRevoked(db, userName)
  await table(db).deleteFrom('token').where('userName', '=', userName).where('id', '=', id).execute()
}

/** Revokes all tokens of a user but `exceptId`. */
export async function deleteTokens(db: Db, userName: string, exceptId: string | undefined): Promise<void> {
  await tellRevoked(db, userName)
  const all = table(db).deleteFrom('token').where('userName', '=', userName)
  await (exceptId === undefined ? all : all.where('id', '!=', exceptId)).execute()
}
