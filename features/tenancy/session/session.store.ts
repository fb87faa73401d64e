import { type Db, notify } from '@quarterdeck/store'
import { type Generated, sql } from 'kysely'
import { IDLE_SECONDS, MOST_SESSIONS } from './session.rules.ts'

interface SessionTable {
  id: Generated<string>
  secretHash: string
  userName: string
  createTime: string
  lastUseTime: string
  expireTime: string
  /** When a one-time password was last given in it. */
  verifyTime: string | null
  peer: string
  client: string
  /** Name of the sign-in provider that it came from; null: a password of this platform. */
  provider: string | null
}
/** An account that is not disabled, as signing in needs it. */
export interface SignInAccount {
  id: string
  name: string
  kind: 'user' | 'machine'
  source: string
  title: string | null
  /** Null: does not sign in with a password kept here. */
  passwordHash: string | null
  groups: string[]
}
const table = (db: Db) =>
  db.withTables<{
    session: SessionTable
    live_session: SessionTable & { account: string }
    sign_in_account: SignInAccount
    user_listing: { name: string }
  }>()

/** A row of the session table without its secret. */
export type SessionRow = Omit<SessionTable, 'id' | 'secretHash' | 'provider'> & { id: string }
/** The same with the id of the account. */
export type OwnedSessionRow = SessionRow & { account: string }

/** Undefined when there is no such account or it is disabled. */
export const findSignInAccount = (db: Db, name: string): Promise<SignInAccount | undefined> =>
  table(db).selectFrom('sign_in_account').selectAll().where('name', '=', name).executeTakeFirst()

/** Whether there is such an account, disabled or not. */
export const accountExists = async (db: Db, name: string): Promise<boolean> =>
  (await table(db).selectFrom('user_listing').select('name').where('name', '=', name).executeTakeFirst()) !== undefined

const COLUMNS = ['id', 'userName', 'createTime', 'lastUseTime', 'expireTime', 'verifyTime', 'peer', 'client'] as const

export const createSessionRow = (
  db: Db,
  row: Omit<SessionRow, 'id' | 'verifyTime'> & { secretHash: string; provider: string | null },
): Promise<SessionRow> => table(db).insertInto('session').values(row).returning(COLUMNS).executeTakeFirstOrThrow()

/** Of an account that is not disabled. */
export const findSession = (db: Db, secretHash: string): Promise<OwnedSessionRow | undefined> =>
  table(db)
    .selectFrom('live_session')
    .select([...COLUMNS, 'account'])
    .where('secretHash', '=', secretHash)
    .executeTakeFirst()

export async function touchSession(db: Db, id: string, now: string): Promise<void> {
  await table(db).updateTable('session').set({ lastUseTime: now }).where('id', '=', id).execute()
}

/** Notes that a one-time password was given in a session. */
export async function verifySession(tx: Db, userName: string, id: string, now: string): Promise<void> {
  await tellRevoked(tx, userName)
  await table(tx)
    .updateTable('session')
    .set({ verifyTime: now })
    .where('id', '=', id)
    .where('userName', '=', userName)
    .execute()
}

/** When a session began; undefined when it has ended. */
export const findSessionTime = async (db: Db, id: string): Promise<string | undefined> =>
  (await table(db).selectFrom('session').select('createTime').where('id', '=', id).executeTakeFirst())?.createTime

export const listSessionRows = (db: Db, userName: string): Promise<SessionRow[]> =>
  table(db)
    .selectFrom('session')
    .select(COLUMNS)
    .where('userName', '=', userName)
    .orderBy('createTime', 'desc')
    .limit(1_000)
    .execute()

/** Whoever remembers sessions and tokens listens here; the payload is a user's name. */
export const revokedChannel = 'quarterdeck_revoked'

/** Tells every process, when `tx` commits, that sessions or tokens of this user have ended or are another. */
export const tellRevoked = (tx: Db, userName: string): Promise<void> => notify(tx, revokedChannel, userName)

/** Ends one session of this user. False when there is none such. */
export async function deleteSessionRow(db: Db, userName: string, id: string): Promise<boolean> {
  await tellRevoked(db, userName)
  const gone = await table(db)
    .deleteFrom('session')
    .where('userName', '=', userName)
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst()
  return gone !== undefined
}

/** Ends all sessions of a user but `exceptId`. */
export async function deleteSessions(db: Db, userName: string, exceptId: string | undefined): Promise<void> {
  await tellRevoked(db, userName)
  const all = table(db).deleteFrom('session').where('userName', '=', userName)
  await (exceptId === undefined ? all : all.where('id', '!=', exceptId)).execute()
}

/** Ends the sessions of a user that were unused for longest, so that there is room for one more. */
export async function deleteSurplusSessions(tx: Db, userName: string): Promise<void> {
  const kept = table(tx)
    .selectFrom('session')
    .select('id')
    .where('userName', '=', userName)
    .orderBy('lastUseTime', 'desc')
    .limit(MOST_SESSIONS - 1)
  const gone = await table(tx)
    .deleteFrom('session')
    .where('userName', '=', userName)
    .where('id', 'not in', kept)
    .returning('id')
    .execute()
  if (gone.length > 0) await tellRevoked(tx, userName)
}

/** Ends these sessions, and tells every process when `tx` commits. */
export async function endSessions(tx: Db, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await tellEnded(tx, await table(tx).deleteFrom('session').where('id', 'in', ids).returning('userName').execute())
}

/** Ends all sessions that came from a sign-in provider; how many. */
export async function endProviderSessions(tx: Db, provider: string): Promise<number> {
  const ended = await table(tx).deleteFrom('session').where('provider', '=', provider).returning('userName').execute()
  await tellEnded(tx, ended)
  return ended.length
}

async function tellEnded(tx: Db, ended: readonly { userName: string }[]): Promise<void> {
  for (const user of new Set(ended.map(({ userName }) => userName))) await tellRevoked(tx, user)
}

/** How many live sessions came from which sign-in provider. */
export async function countProviderSessions(db: Db, now: string): Promise<ReadonlyMap<string, number>> {
  const rows = await table(db)
    .selectFrom('session')
    .select(({ fn }) => ['provider', fn.countAll<number>().as('count')])
    .where('provider', 'is not', null)
    .where('expireTime', '>', now)
    .where('lastUseTime', '>', sql<string>`${now}::timestamptz - make_interval(secs => ${IDLE_SECONDS})`)
    .groupBy('provider')
    .execute()
  return new Map(rows.map(({ provider, count }) => [provider ?? '', count]))
}

/** Removes what has ended, so that the table does not grow; correctness does not rest on it. */
export async function deleteEndedSessions(db: Db, now: string): Promise<void> {
  await table(db)
    .deleteFrom('session')
    .where((where) =>
      where.or([
        where('expireTime', '<', now),
        where('lastUseTime', '<', sql<string>`${now}::timestamptz - make_interval(secs => ${IDLE_SECONDS})`),
      ]),
    )
    .execute()
}
