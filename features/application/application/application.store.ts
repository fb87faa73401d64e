import type { Json } from '@quarterdeck/kernel'
import type { Db, JsonColumn } from '@quarterdeck/store'
import type { DefinitionOwner } from '../../delivery/operation/operation.contract.ts'
import { type ApplicationDefinition, fromKey } from './definition.rules.ts'

/** One application of one environment; `operation` is the last that was accepted for it. */
export interface ApplicationRow {
  environment: string
  name: string
  definition: ApplicationDefinition
  operation: string
  /** True until that operation has ended. */
  changing: boolean
  deleting: boolean
  changeTime: string
}
type ApplicationTable = Omit<ApplicationRow, 'definition'> & { definition: JsonColumn<ApplicationDefinition> }

const table = (db: Db) => db.withTables<{ application: ApplicationTable }>()

export const find = (db: Db, environment: string, name: string): Promise<ApplicationRow | undefined> =>
  table(db)
    .selectFrom('application')
    .selectAll()
    .where('environment', '=', environment)
    .where('name', '=', name)
    .executeTakeFirst()
export const list = (db: Db, environment: string): Promise<ApplicationRow[]> =>
  table(db).selectFrom('application').selectAll().where('environment', '=', environment).orderBy('name').execute()

/** How many applications each environment holds, those being deleted included. */
export const countByEnvironment = async (db: Db): Promise<Record<string, number>> =>
  Object.fromEntries(
    (
      await table(db)
        .selectFrom('application')
        .select(({ fn }) => ['environment', fn.countAll<number>().as('count')])
        .groupBy('environment')
        .execute()
    ).map(({ environment, count }) => [environment, count]),
  )

/** How many applications one environment holds. */
export const countIn = async (db: Db, environment: string): Promise<number> =>
  (await countByEnvironment(db))[environment] ?? 0

/** Keeps applications for operations. `holdEnvironment` is false when the environment is gone or going. */
export const applicationDefinitions = ({
  holdEnvironment,
}: {
  holdEnvironment(tx: Db, environment: string): Promise<boolean>
}): DefinitionOwner<Db> => ({
  async find(tx, key) {
    const { environment, name } = fromKey(key)
    const row = await find(tx, environment, name)
    return { value: row ? (row.definition as unknown as Json) : null, basis: row?.operation ?? null }
  },
  async blockers() {
    return []
  },
  async accept(tx, { key, after, basis }, { id, acceptTime }) {
    const { environment, name } = fromKey(key)
    if (!(await holdEnvironment(tx, environment))) return false
    const marks = { operation: id, changing: true, deleting: after === null, changeTime: acceptTime }
    if (basis !== null) {
      const values = after === null ? marks : { ...marks, definition: JSON.stringify(after) }
      return change(tx, key, basis, values)
    }
    // Nothing there and nothing wanted: an undo of what was never made.
    if (after === null) return true
    const result = await table(tx)
      .insertInto('application')
      .values({ environment, name, definition: JSON.stringify(after), ...marks })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst()
    return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
  },
  async end(tx, { key, before, after }, { id, succeeded, applied }) {
    const rest = { changing: false, deleting: false }
    if (succeeded) await (after === null ? remove(tx, key, id) : change(tx, key, id, rest))
    else if (applied) await change(tx, key, id, rest)
    // Nothing reached the cluster, so what was there before is what holds.
    else if (before === null) await remove(tx, key, id)
    else await change(tx, key, id, { ...rest, definition: JSON.stringify(before) })
  },
})

/** False when the row no longer is the one that `basis` wrote. */
async function change(
  db: Db,
  key: string,
  basis: string,
  values: Partial<Omit<ApplicationRow, 'definition'>> & { definition?: string },
): Promise<boolean> {
  const { environment, name } = fromKey(key)
  const result = await table(db)
    .updateTable('application')
    .set(values)
    .where('environment', '=', environment)
    .where('name', '=', name)
    .where('operation', '=', basis)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

const remove = (db: Db, key: string, operation: string) =>
  table(db)
    .deleteFrom('application')
    .where('environment', '=', fromKey(key).environment)
    .where('name', '=', fromKey(key).name)
    .where('operation', '=', operation)
    .execute()
