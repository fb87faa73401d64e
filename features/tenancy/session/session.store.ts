import { type Db, notify } from '@quarterdeck/store'
import { type Generated, sql } from 'kysely'
import { IDLE_SECONDS } from './session.rules.ts'

interface AccountTable {
  id: Generated<string>
  name: string
  passwordHash: string | null
  passwordTime: string | null
  disableTime: string | null
}
interface FirstLinkTable {
  single: Generated<boolean>
  tokenHash: string
}
interface SessionTable {
  id: Generated<string>
  secretHash: string
  userName: string
  createTime: string
  lastUseTime: string
  expireTime: string
  peer: string
  client: string
}
type LiveSessionView = SessionTable & { account: string }
const table = (db: Db) =>
  db.withTables<{
    account: AccountTable
    first_link: FirstLinkTable
    session: SessionTable
    live_session: LiveSessionView
  }>()

/** A row of the session table without its secret. */
export type SessionRow = Omit<SessionTable, 'id' | 'secretHash'> & { id: string }
/** The same with the id of the account. */
export type OwnedSessionRow = SessionRow & { account: string }

/** The hash of a user's password; undefined when there is no such user, or none who signs in with a password now. */
export const findPasswordHash = async (db: Db, name: string): Promise<string | undefined> =>
  (
    await table(db)
      .selectFrom('account')
      .select('passwordHash')
      .where('name', '=', name)
      .where('disableTime', 'is', null)
      .executeTakeFirst()
  )?.passwordHash ?? undefined

/** Makes the user. False when it is there already; then nothing has changed. */
export async function createUser(db: Db, name: string, passwordHash: string, now: string): Promise<boolean> {
  const made = await table(db)
    .insertInto('account')
    .values({ name, passwordHash, passwordTime: now })
    .onConflict((conflict) => conflict.doNothing())
    .returning('name')
    .executeTakeFirst()
  return made !== undefined
}

/** Sets the password of a user who may or may not be there yet. */
export async function setPasswordHash(db: Db, name: string, passwordHash: string, now: string): Promise<void> {
  await table(db)
    .insertInto('account')
    .values({ name, passwordHash, passwordTime: now })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ passwordHash, passwordTime: now }))
    .execute()
}

/** Keeps the hash of the one-time link in place of any before it. */
export async function setFirstLink(db: Db, tokenHash: string): Promise<void> {
  await table(db)
    .insertInto('first_link')
    .values({ tokenHash })
    .onConflict((conflict) => conflict.column('single').doUpdateSet({ tokenHash }))
    .execute()
}

export const findFirstLink = async (db: Db): Promise<string | undefined> =>
  (await table(db).selectFrom('first_link').select('tokenHash').executeTakeFirst())?.tokenHash

export async function deleteFirstLink(db: Db): Promise<void> {
  await table(db).deleteFrom('first_link').execute()
}

const COLUMNS = ['id', 'userName', 'createTime', 'lastUseTime', 'expireTime', 'peer', 'client'] as const

export const createSessionRow = (db: Db, row: Omit<SessionRow, 'id'> & { secretHash: string }): Promise<SessionRow> =>
  table(db).insertInto('session').values(row).returning(COLUMNS).executeTakeFirstOrThrow()

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

/** Tells every process, when `tx` commits, that sessions or tokens of this user have ended. */
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
