import type { Db } from '@quarterdeck/store'
import { type Generated, sql } from 'kysely'
import type { RequestState } from './request.contract.ts'

interface RequestTable {
  id: Generated<string>
  account: string
  role: string
  roleName: string
  permission: string | null
  placeKind: 'tenant' | 'project' | 'environment' | null
  placeName: string | null
  place: string | null
  durationSeconds: number
  reason: string
  state: Generated<RequestState>
  createTime: Generated<string>
  decideTime: string | null
  decider: string | null
  decision: string | null
  grant: string | null
}
/** A request with the name of who asks. */
export interface RequestRow extends Omit<RequestTable, 'id' | 'state' | 'createTime'> {
  id: string
  state: RequestState
  createTime: string
  user: string
  /** createTime in microseconds since 1970, a whole number. */
  instant: string
}
const table = (db: Db) => db.withTables<{ grant_request: RequestTable; asked_grant: RequestRow }>()

export interface RequestFilter {
  state?: RequestState | undefined
  /** Only those of this account. */
  of?: string | undefined
  /** Only those of others. */
  notOf?: string | undefined
  /** Whose own ones are there whatever the place. */
  account: string
  /** Ids of places; undefined: all of them and the platform. */
  places: readonly string[] | undefined
  after?: { instant: string; id: string } | undefined
  limit: number
}

/** Newest first. */
export function listRequestRows(db: Db, filter: RequestFilter): Promise<RequestRow[]> {
  const { state, of, notOf, account, places, after, limit } = filter
  let query = table(db).selectFrom('asked_grant').selectAll()
  if (state !== undefined) query = query.where('state', '=', state)
  if (of !== undefined) query = query.where('account', '=', of)
  if (notOf !== undefined) query = query.where('account', '<>', notOf)
  if (places !== undefined) {
    query = query.where((where) =>
      where.or([where('account', '=', account), where('place', '=', sql<string>`any (${[...places]}::uuid[])`)]),
    )
  }
  if (after) {
    query = query.where(sql<boolean>`("createTime", id) < (
      timestamptz 'epoch' + ${after.instant}::bigint * interval '1 microsecond', ${after.id}::uuid)`)
  }
  return query.orderBy('createTime', 'desc').orderBy('id', 'desc').limit(limit).execute()
}

export const findRequest = (db: Db, id: string): Promise<RequestRow | undefined> =>
  table(db).selectFrom('asked_grant').selectAll().where('id', '=', id).executeTakeFirst()

/** Open requests of an account, for whom asking the same again or without end is refused. */
export const listOpenRequests = (db: Db, account: string): Promise<RequestRow[]> =>
  listRequestRows(db, { state: 'open', of: account, account, places: undefined, limit: 100 })

export const createRequestRow = async (
  tx: Db,
  row: Pick<
    RequestRow,
    'account' | 'role' | 'roleName' | 'permission' | 'placeKind' | 'placeName' | 'place' | 'durationSeconds' | 'reason'
  >,
): Promise<string> =>
  (await table(tx).insertInto('grant_request').values(row).returning('id').executeTakeFirstOrThrow()).id

/** False when it was decided or withdrawn meanwhile. */
export async function endRequest(
  tx: Db,
  id: string,
  end: { state: Exclude<RequestState, 'open'>; decider: string | null; decision: string | null; grant?: string },
): Promise<boolean> {
  const result = await table(tx)
    .updateTable('grant_request')
    .set({ ...end, decideTime: sql<string>`now()` })
    .where('id', '=', id)
    .where('state', '=', 'open')
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}
