import type { Scope } from '@quarterdeck/kernel'
import type { Db, JsonColumn } from '@quarterdeck/store'
import type { ColumnType, Generated } from 'kysely'
import { deleteSessions, tellRevoked } from './session.store.ts'

interface TokenTable {
  id: Generated<string>
  secretHash: string
  userName: string
  name: string
  permissions: JsonColumn<string[]>
  within: ColumnType<Scope | null, string | null, never>
  sources: JsonColumn<string[]>
  createTime: string
  lastUseTime: string | null
  lastPeer: string | null
  expireTime: string | null
  /** When a one-time password was last given with it. */
  verifyTime: Generated<string | null>
}
const table = (db: Db) => db.withTables<{ token: TokenTable; live_token: TokenTable & { account: string } }>()

/** A row of the token table without its secret. */
export interface TokenRow {
  id: string
  userName: string
  name: string
  permissions: string[]
  /** Null: wherever its owner may. */
  within: Scope | null
  /** Networks in CIDR form; empty: any. */
  sources: string[]
  createTime: string
  lastUseTime: string | null
  lastPeer: string | null
  expireTime: string | null
}
const COLUMNS = [
  'id',
  'userName',
  'name',
  'permissions',
  'within',
  'sources',
  'createTime',
  'lastUseTime',
  'lastPeer',
  'expireTime',
] as const

/** Keeps a new token. Undefined when the user has one of that name. */
export const createTokenRow = (
  db: Db,
  { permissions, within, sources, ...row }: Omit<TokenRow, 'id' | 'lastUseTime' | 'lastPeer'> & { secretHash: string },
): Promise<TokenRow | undefined> =>
  table(db)
    .insertInto('token')
    .values({
      ...row,
      permissions: JSON.stringify(permissions),
      within: within && JSON.stringify(within),
      sources: JSON.stringify(sources),
    })
    .onConflict((conflict) => conflict.columns(['userName', 'name']).doNothing())
    .returning(COLUMNS)
    .executeTakeFirst()

/** Of an account that is not disabled, with the account's id. */
export const findToken = (
  db: Db,
  secretHash: string,
): Promise<(TokenRow & { account: string; verifyTime: string | null }) | undefined> =>
  table(db)
    .selectFrom('live_token')
    .select([...COLUMNS, 'account', 'verifyTime'])
    .where('secretHash', '=', secretHash)
    .executeTakeFirst()

/** Notes that a one-time password was given with a token. */
export async function verifyToken(tx: Db, userName: string, id: string, verifyTime: string): Promise<void> {
  await tellRevoked(tx, userName)
  await table(tx)
    .updateTable('token')
    .set({ verifyTime })
    .where('id', '=', id)
    .where('userName', '=', userName)
    .execute()
}

/** Notes when a token was used, and from which address. */
export async function touchToken(db: Db, id: string, now: string, peer: string): Promise<void> {
  await table(db).updateTable('token').set({ lastUseTime: now, lastPeer: peer }).where('id', '=', id).execute()
}

export const listTokenRows = (db: Db, userName: string): Promise<TokenRow[]> =>
  table(db)
    .selectFrom('token')
    .select(COLUMNS)
    .where('userName', '=', userName)
    .orderBy('createTime', 'desc')
    .limit(1_000)
    .execute()

/** Networks that a token may be used from; none when it is gone. */
export const findTokenSources = async (db: Db, id: string): Promise<string[]> =>
  (await table(db).selectFrom('token').select('sources').where('id', '=', id).executeTakeFirst())?.sources ?? []

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

/** Ends the sessions and tokens of a user; `kept` stays: a session, a token, or with `tokens` all of them. */
export async function endCredentials(
  tx: Db,
  userName: string,
  kept: { session?: string | undefined; token?: string | undefined; tokens?: boolean } = {},
): Promise<void> {
  await deleteSessions(tx, userName, kept.session)
  if (!kept.tokens) await deleteTokens(tx, userName, kept.token)
}
