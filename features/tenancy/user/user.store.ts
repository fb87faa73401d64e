import type { Db } from '@quarterdeck/store'
import { type Generated, sql } from 'kysely'
import type { User } from './user.contract.ts'

interface AccountTable {
  id: Generated<string>
  name: string
  kind: Generated<'user' | 'machine'>
  /** `local`, or the name of the sign-in provider. */
  source: Generated<string>
  /** What the provider knows them by. */
  sourceKey: string | null
  title: string | null
  email: string | null
  createTime: Generated<string>
  disableTime: string | null
  passwordHash: string | null
  passwordTime: string | null
}
interface PasswordLinkTable {
  account: string
  secretHash: string
  createTime: string
  expireTime: string
}
/** An account as lists show it; the view leaves secrets out. */
export interface UserRow {
  id: string
  name: string
  kind: 'user' | 'machine'
  source: string
  title: string | null
  email: string | null
  createTime: string
  disableTime: string | null
  lastSignInTime: string | null
  hasPassword: boolean
  linkExpireTime: string | null
  groups: string[]
}
const table = (db: Db) =>
  db.withTables<{
    account: AccountTable
    password_link: PasswordLinkTable
    user_listing: UserRow
    platform_administrator: { id: string }
  }>()

export interface UserFilter {
  search?: string | undefined
  kind?: User['kind'] | undefined
  state?: User['state'] | undefined
  source?: string | undefined
  group?: string | undefined
}

const escaped = (text: string) => text.replace(/[\\%_]/g, '\\$&')

function matching(db: Db, { search, kind, state, source, group }: UserFilter) {
  let rows = table(db).selectFrom('user_listing')
  if (search) {
    const like = `%${escaped(search)}%`
    rows = rows.where((where) =>
      where.or((['name', 'title', 'email'] as const).map((column) => where(column, 'ilike', like))),
    )
  }
  if (kind) rows = rows.where('kind', '=', kind)
  if (source) rows = rows.where('source', '=', source)
  if (group) rows = rows.where(sql<boolean>`groups ? ${group}`)
  if (state === 'disabled') rows = rows.where('disableTime', 'is not', null)
  if (state === 'active' || state === 'invited') {
    rows = rows.where('disableTime', 'is', null).where(sql<boolean>`(${awaited}) = ${state === 'invited'}`)
  }
  return rows
}
// Of a user with a password here who has not chosen one.
const awaited = sql`kind = 'user' and source = 'local' and not "hasPassword"`

/** By name, only names after `after`. */
export const listUserRows = (
  db: Db,
  { limit, after, ...filter }: UserFilter & { limit: number; after?: string | undefined },
): Promise<UserRow[]> => {
  const rows = matching(db, filter).selectAll().orderBy('name').limit(limit)
  return (after === undefined ? rows : rows.where('name', '>', after)).execute()
}
export const countUsers = async (db: Db, filter: UserFilter): Promise<number> =>
  Number(
    (
      await matching(db, filter)
        .select((select) => select.fn.countAll().as('count'))
        .executeTakeFirstOrThrow()
    ).count,
  )
export const findUserRow = (db: Db, name: string): Promise<UserRow | undefined> =>
  table(db).selectFrom('user_listing').selectAll().where('name', '=', name).executeTakeFirst()
/** What a new account has. Absent: a local user without title and e-mail address. */
export interface NewAccount {
  name: string
  kind?: User['kind']
  source?: string
  sourceKey?: string
  title?: string | undefined
  email?: string | undefined
}

/** Makes an account; its id. Undefined when the name is taken; then nothing has changed. */
export const createAccount = async (db: Db, { title, email, ...account }: NewAccount): Promise<string | undefined> =>
  (
    await table(db)
      .insertInto('account')
      .values({ ...account, title: title ?? null, email: email ?? null })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .returning('id')
      .executeTakeFirst()
  )?.id

/** Changes what is given. `disableTime` null enables. */
export async function updateAccount(
  db: Db,
  id: string,
  change: { title?: string | null; email?: string | null; disableTime?: string | null },
): Promise<void> {
  if (Object.keys(change).length === 0) return
  await table(db).updateTable('account').set(change).where('id', '=', id).execute()
}

/** Sessions, tokens, grants and memberships go with it. */
export async function deleteAccount(db: Db, id: string): Promise<void> {
  await table(db).deleteFrom('account').where('id', '=', id).execute()
}

/** The hash of a local user's password; undefined when there is none. */
export const findPasswordHash = async (db: Db, name: string): Promise<string | undefined> =>
  (await table(db).selectFrom('account').select('passwordHash').where('name', '=', name).executeTakeFirst())
    ?.passwordHash ?? undefined

/** Sets the password of a user who may or may not be there yet. */
export async function setPasswordHash(db: Db, name: string, passwordHash: string, now: string): Promise<void> {
  await table(db)
    .insertInto('account')
    .values({ name, passwordHash, passwordTime: now })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ passwordHash, passwordTime: now }))
    .execute()
}

/** Keeps the hash of a link in place of any before it. */
export async function setPasswordLink(db: Db, link: PasswordLinkTable): Promise<void> {
  const { account: _, ...rest } = link
  await table(db)
    .insertInto('password_link')
    .values(link)
    .onConflict((conflict) => conflict.column('account').doUpdateSet(rest))
    .execute()
}

/** The local user whose link this is, while it is valid and the user is not disabled. */
export const findPasswordLinkRow = (
  db: Db,
  secretHash: string,
  now: string,
): Promise<{ name: string; title: string | null; expireTime: string } | undefined> =>
  table(db)
    .selectFrom('password_link')
    .innerJoin('account', 'account.id', 'password_link.account')
    .select(['account.name', 'account.title', 'password_link.expireTime'])
    .where('password_link.secretHash', '=', secretHash)
    .where('password_link.expireTime', '>', now)
    .where('account.disableTime', 'is', null)
    .executeTakeFirst()

/** Uses a link up. False when somebody else has, or it is not valid. */
export const usePasswordLink = async (db: Db, secretHash: string, now: string): Promise<boolean> =>
  (await table(db)
    .deleteFrom('password_link')
    .where('secretHash', '=', secretHash)
    .where('expireTime', '>', now)
    .returning('account')
    .executeTakeFirst()) !== undefined

/** Makes links of a user stop working. */
export async function deletePasswordLink(db: Db, account: string): Promise<void> {
  await table(db).deleteFrom('password_link').where('account', '=', account).execute()
}

/** Whether anybody can do everything for the platform. */
export const hasAdministrator = async (db: Db): Promise<boolean> =>
  (await table(db).selectFrom('platform_administrator').select('id').limit(1).executeTakeFirst()) !== undefined

/**
 * How many can do everything for the platform and will still be able to tomorrow. Until `tx` ends nobody else who asks
 * is answered, so that two who take the last two away wait for each other.
 */
export async function countAdministrators(tx: Db): Promise<number> {
  await sql`select pg_advisory_xact_lock(hashtext('quarterdeck administrators'))`.execute(tx)
  const { count } = await table(tx)
    .selectFrom('platform_administrator')
    .select((select) => select.fn.countAll().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}
