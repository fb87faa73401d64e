import type { Db, JsonColumn } from '@quarterdeck/store'
import { type Generated, sql } from 'kysely'
import type { AuditSearchFilter } from './search.contract.ts'

interface SearchTable {
  account: string
  name: string
  owner: string
  shared: boolean
  filter: JsonColumn<AuditSearchFilter>
  changeTime: Generated<string>
}
/** A saved search as it is kept. */
export type SearchRow = Omit<SearchTable, 'filter' | 'changeTime'> & { filter: AuditSearchFilter; changeTime: string }

const table = (db: Db) => db.withTables<{ audit_search: SearchTable }>()
const COLUMNS = ['account', 'name', 'owner', 'shared', 'filter', 'changeTime'] as const

/** An account's own, then what others share, each by name. */
export const listSearches = (db: Db, account: string | undefined): Promise<SearchRow[]> =>
  table(db)
    .selectFrom('audit_search')
    .select(COLUMNS)
    .where((eb) => eb.or([eb('shared', '=', true), ...(account ? [eb('account', '=', account)] : [])]))
    .orderBy(sql`account is distinct from ${account ?? null}::uuid`)
    .orderBy('name')
    .orderBy('owner')
    .execute()

export const countSearches = async (db: Db, account: string): Promise<number> => {
  const { count } = await table(db)
    .selectFrom('audit_search')
    .select(sql<number>`count(*)`.as('count'))
    .where('account', '=', account)
    .executeTakeFirstOrThrow()
  return count
}

/** Makes it, or puts it in the place of the account's one of that name. */
export const saveSearch = (db: Db, row: Omit<SearchRow, 'changeTime'>): Promise<SearchRow> => {
  const values = { ...row, filter: JSON.stringify(row.filter), changeTime: sql<string>`now()` }
  return table(db)
    .insertInto('audit_search')
    .values(values)
    .onConflict((conflict) => conflict.columns(['account', 'name']).doUpdateSet(values))
    .returning(COLUMNS)
    .executeTakeFirstOrThrow()
}

/** False when the account has none of that name. */
export async function deleteSearch(db: Db, account: string, name: string): Promise<boolean> {
  const result = await table(db)
    .deleteFrom('audit_search')
    .where('account', '=', account)
    .where('name', '=', name)
    .executeTakeFirst()
  return result.numDeletedRows > 0n
}
