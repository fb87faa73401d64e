import type { Db } from '@quarterdeck/store'
import { type Generated, sql } from 'kysely'

interface GroupTable {
  id: Generated<string>
  name: string
  title: string | null
  source: Generated<string>
  sourceKey: string | null
  createTime: Generated<string>
}
interface MemberTable {
  group: string
  account: string
}
/** Who belongs to what, by names. */
interface MembershipView {
  group: string
  groupName: string
  account: string
  user: string
  title: string | null
  kind: 'user' | 'machine'
  disabled: boolean
}
const table = (db: Db) =>
  db.withTables<{
    user_group: GroupTable
    user_group_member: MemberTable
    group_membership: MembershipView
    user_listing: { id: string; name: string }
  }>()

export interface GroupRow {
  id: string
  name: string
  title: string | null
  source: string
  createTime: string
  members: number
}
export type MemberRow = Pick<MembershipView, 'user' | 'title' | 'kind' | 'disabled'>

const escaped = (text: string) => text.replace(/[\\%_]/g, '\\$&')
const members = sql<number>`(select count(*)::int from group_membership where "group" = user_group.id)`.as('members')
const COLUMNS = ['id', 'name', 'title', 'source', 'createTime'] as const

function matching(db: Db, search: string | undefined) {
  const rows = table(db).selectFrom('user_group')
  if (!search) return rows
  const like = `%${escaped(search)}%`
  return rows.where((where) => where.or([where('name', 'ilike', like), where('title', 'ilike', like)]))
}

/** By name, only names after `after`. */
export const listGroupRows = (
  db: Db,
  { search, limit, after }: { search?: string | undefined; limit: number; after?: string | undefined },
): Promise<GroupRow[]> => {
  const rows = matching(db, search).select(COLUMNS).select(members).orderBy('name').limit(limit)
  return (after === undefined ? rows : rows.where('name', '>', after)).execute()
}
export const countGroups = async (db: Db, search: string | undefined): Promise<number> =>
  Number(
    (
      await matching(db, search)
        .select((select) => select.fn.countAll().as('count'))
        .executeTakeFirstOrThrow()
    ).count,
  )
export const findGroupRow = (db: Db, name: string): Promise<GroupRow | undefined> =>
  table(db).selectFrom('user_group').select(COLUMNS).select(members).where('name', '=', name).executeTakeFirst()

/** Makes a group. Undefined when the name is taken. */
export async function createGroupRow(db: Db, group: { name: string; title?: string | undefined }) {
  const made = await table(db)
    .insertInto('user_group')
    .values({ name: group.name, title: group.title ?? null })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('name')
    .executeTakeFirst()
  return made && findGroupRow(db, made.name)
}

export async function deleteGroupRow(db: Db, id: string): Promise<void> {
  await table(db).deleteFrom('user_group').where('id', '=', id).execute()
}

/** By user name, only names after `after`. */
export const listMemberRows = (
  db: Db,
  group: string,
  { limit, after }: { limit: number; after?: string | undefined },
): Promise<MemberRow[]> => {
  const rows = table(db)
    .selectFrom('group_membership')
    .select(['user', 'title', 'kind', 'disabled'])
    .where('group', '=', group)
    .orderBy('user')
    .limit(limit)
  return (after === undefined ? rows : rows.where('user', '>', after)).execute()
}

/** The id of an account. */
export const findAccountId = async (db: Db, user: string): Promise<string | undefined> =>
  (await table(db).selectFrom('user_listing').select('id').where('name', '=', user).executeTakeFirst())?.id

/** Safe to repeat. */
export async function addMember(db: Db, group: string, account: string): Promise<void> {
  await table(db)
    .insertInto('user_group_member')
    .values({ group, account })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Safe to repeat. */
export async function removeMember(db: Db, group: string, account: string): Promise<void> {
  await table(db).deleteFrom('user_group_member').where('group', '=', group).where('account', '=', account).execute()
}
