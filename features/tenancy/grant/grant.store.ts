import type { Db } from '@quarterdeck/store'
import { type Generated, sql } from 'kysely'
import type { PlaceKind } from './fact.rules.ts'

interface GrantTable {
  id: Generated<string>
  role: string
  account: string | null
  group: string | null
  tenant: string | null
  project: string | null
  environment: string | null
  expireTime: string | null
  grantor: string
  reason: string
  createTime: Generated<string>
}
/** A grant with the names of what it joins. */
export interface GrantRow {
  id: string
  roleId: string
  role: string
  roleTitle: string | null
  permissions: string[]
  account: string | null
  user: string | null
  groupId: string | null
  group: string | null
  /** Id; null for the platform. */
  place: string | null
  tenant: string | null
  project: string | null
  environment: string | null
  expireTime: string | null
  /** By the clock of the store; null without an end. */
  expired: boolean | null
  grantor: string
  reason: string
  createTime: string
  /** createTime in microseconds since 1970, a whole number. */
  instant: string
}
const table = (db: Db) => db.withTables<{ role_grant: GrantTable; granted_role: GrantRow }>()

export interface GrantFilter {
  user?: string | undefined
  group?: string | undefined
  role?: string | undefined
  roleId?: string | undefined
  /** Ids of places, '' for the platform. Absent: anywhere. */
  places?: readonly string[] | undefined
  /** Only those after this one in the list. */
  after?: { instant: string; id: string } | undefined
  limit: number
}

function matching(db: Db, { user, group, role, roleId, places }: GrantFilter) {
  let query = table(db).selectFrom('granted_role').where('expired', 'is not', true)
  if (user !== undefined) query = query.where('user', '=', user)
  if (group !== undefined) query = query.where('group', '=', group)
  if (role !== undefined) query = query.where('role', '=', role)
  if (roleId !== undefined) query = query.where('roleId', '=', roleId)
  if (places === undefined) return query
  const ids = places.filter((place) => place !== '')
  return query.where((where) => {
    const within = where('place', '=', sql<string>`any (${ids}::uuid[])`)
    return places.includes('') ? where.or([within, where('place', 'is', null)]) : within
  })
}

/** Grants that count, newest first. */
export function listGrantRows(db: Db, filter: GrantFilter): Promise<GrantRow[]> {
  const { after, limit } = filter
  let query = matching(db, filter).selectAll()
  if (after) {
    query = query.where(sql<boolean>`("createTime", id) < (
      timestamptz 'epoch' + ${after.instant}::bigint * interval '1 microsecond', ${after.id}::uuid)`)
  }
  return query.orderBy('createTime', 'desc').orderBy('id', 'desc').limit(limit).execute()
}

export const countGrantRows = async (db: Db, filter: GrantFilter): Promise<number> => {
  const row = await matching(db, filter)
    .select(({ fn }) => fn.countAll<string>().as('total'))
    .executeTakeFirstOrThrow()
  return Number(row.total)
}

/** Also one that has run out and is not yet cleared away. */
export const findGrant = (db: Db, id: string): Promise<GrantRow | undefined> =>
  table(db).selectFrom('granted_role').selectAll().where('id', '=', id).executeTakeFirst()

export interface NewGrant {
  role: string
  holder: { kind: 'account' | 'group'; id: string }
  /** Undefined: the platform. */
  place: { kind: PlaceKind; id: string } | undefined
  expireTime?: string | null | undefined
  grantor: string
  reason: string
}

/** Id of the new grant; undefined when the same role is granted to the same holder at the same place and still counts. */
export async function createGrantRow(
  tx: Db,
  { role, holder, place, expireTime = null, grantor, reason }: NewGrant,
): Promise<string | undefined> {
  const nowhere = { tenant: null, project: null, environment: null }
  const row = {
    role,
    account: null,
    group: null,
    ...{ [holder.kind]: holder.id },
    ...nowhere,
    ...(place ? { [place.kind]: place.id } : {}),
    expireTime,
    grantor,
    reason,
  }
  // One that has run out and is not yet cleared away stands in nobody's way.
  await sql`delete from role_grant where role = ${role} and coalesce(account, "group") = ${holder.id}
    and coalesce(environment, project, tenant) is not distinct from ${place?.id ?? null}::uuid
    and "expireTime" <= clock_timestamp()`.execute(tx)
  const made = await table(tx)
    .insertInto('role_grant')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst()
  return made?.id
}

/** The grant that stands in the way of a new one like it. */
export const findSameGrant = (db: Db, { role, holder, place }: NewGrant): Promise<GrantRow | undefined> =>
  table(db)
    .selectFrom('granted_role')
    .selectAll()
    .where('roleId', '=', role)
    .where(holder.kind === 'account' ? 'account' : 'groupId', '=', holder.id)
    .where('place', 'is not distinct from', place?.id ?? null)
    .executeTakeFirst()

export async function updateGrantRow(tx: Db, id: string, expireTime: string | null): Promise<void> {
  await table(tx).updateTable('role_grant').set({ expireTime }).where('id', '=', id).execute()
}

/** False when it is gone already. */
export async function deleteGrantRow(tx: Db, id: string): Promise<boolean> {
  const result = await table(tx).deleteFrom('role_grant').where('id', '=', id).executeTakeFirst()
  return result.numDeletedRows > 0n
}

/** Ids of grants that have run out. */
export const listExpired = async (db: Db): Promise<string[]> =>
  (await table(db).selectFrom('granted_role').select('id').where('expired', '=', true).limit(1_000).execute()).map(
    ({ id }) => id,
  )

/** False when it is gone, or counts again by another end. */
export async function deleteExpired(tx: Db, id: string): Promise<boolean> {
  const result = await table(tx)
    .deleteFrom('role_grant')
    .where('id', '=', id)
    .where('expireTime', '<=', sql<string>`clock_timestamp()`)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}
