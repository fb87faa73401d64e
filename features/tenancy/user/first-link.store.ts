import type { Db } from '@quarterdeck/store'
import type { Generated } from 'kysely'

interface FirstLinkTable {
  single: Generated<boolean>
  tokenHash: string
}
const table = (db: Db) => db.withTables<{ first_link: FirstLinkTable }>()

/** Keeps the hash of the one-time link of the first start in place of any before it. */
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
