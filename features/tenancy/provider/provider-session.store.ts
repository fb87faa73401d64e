import type { Db } from '@quarterdeck/store'

interface ProviderSessionTable {
  session: string
  provider: string
  /** What the provider knows the person by, as accounts have it. */
  key: string
  sid: string | null
  sealedToken: string | null
  askTime: string
}
const table = (db: Db) =>
  db.withTables<{
    provider_session: ProviderSessionTable
    logout_token: { id: string; expireTime: string }
    provider_account_state: { id: string; name: string; source: string; key: string }
  }>()

export async function createProviderSession(tx: Db, row: ProviderSessionTable): Promise<void> {
  await table(tx).insertInto('provider_session').values(row).execute()
}

/** A session of a provider with whose it is. */
export interface AskedSession {
  session: string
  key: string
  /** Refresh token. */
  sealedToken: string
  account: string
  user: string
}

const withAccount = (db: Db, provider: string) =>
  table(db)
    .selectFrom('provider_session')
    .innerJoin('provider_account_state', (join) =>
      join
        .onRef('provider_account_state.key', '=', 'provider_session.key')
        .onRef('provider_account_state.source', '=', 'provider_session.provider'),
    )
    .where('provider', '=', provider)

/** Sessions that can be asked about and were not since `before`, longest ago first. */
export const listDue = (db: Db, provider: string, before: string, limit: number): Promise<AskedSession[]> =>
  withAccount(db, provider)
    .select(['session', 'provider_session.key', 'sealedToken', 'id as account', 'name as user'])
    .where('askTime', '<=', before)
    .where('sealedToken', 'is not', null)
    .orderBy('askTime')
    .limit(limit)
    .execute() as Promise<AskedSession[]>

/** When a session of the provider was asked about longest ago; undefined when none can be asked about. */
export const findOldestAsk = async (db: Db, provider: string): Promise<string | undefined> =>
  (
    await table(db)
      .selectFrom('provider_session')
      .select('askTime')
      .where('provider', '=', provider)
      .where('sealedToken', 'is not', null)
      .orderBy('askTime')
      .limit(1)
      .executeTakeFirst()
  )?.askTime

export async function saveAsked(tx: Db, session: string, sealedToken: string, askTime: string): Promise<void> {
  await table(tx).updateTable('provider_session').set({ sealedToken, askTime }).where('session', '=', session).execute()
}

/** Refresh tokens are for whoever gave them and nobody else: forgets them when a provider is another one. */
export async function forgetTokens(tx: Db, provider: string): Promise<void> {
  await table(tx).updateTable('provider_session').set({ sealedToken: null }).where('provider', '=', provider).execute()
}

/** What a logout token names: a session of the provider, everybody's sessions of one person, or both. */
export interface LoggedOut {
  sid: string | undefined
  key: string | undefined
}

/** Sessions that a logout token means. One that the provider has given no name counts as any of its person. */
export const listLoggedOut = (
  tx: Db,
  provider: string,
  { sid, key }: LoggedOut,
): Promise<{ session: string; user: string }[]> => {
  let query = withAccount(tx, provider).select(['session', 'name as user'])
  if (key !== undefined) query = query.where('provider_session.key', '=', key)
  if (sid !== undefined) {
    query = query.where(({ eb, or }) =>
      or([eb('sid', '=', sid), ...(key === undefined ? [] : [eb('sid', 'is', null)])]),
    )
  }
  return query.execute()
}

/** False when this token was used before; forgets those that nobody accepts any more. */
export async function claimLogoutToken(tx: Db, id: string, expireTime: string, now: string): Promise<boolean> {
  await table(tx).deleteFrom('logout_token').where('expireTime', '<', now).execute()
  const made = await table(tx)
    .insertInto('logout_token')
    .values({ id, expireTime })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()
  return made !== undefined
}
