import type { Json } from '@quarterdeck/kernel'
import type { Db } from '@quarterdeck/store'
import type { DefinitionOwner } from '../../delivery/operation/operation.contract.ts'
import type { Environment, Stage } from './environment.contract.ts'
import { definitionOf, type EnvironmentDefinition } from './environment.rules.ts'

/** One row; `operation` is the last that was accepted for it. */
export interface EnvironmentRow {
  name: string
  cluster: string
  namespace: string
  stage: Stage
  title: string | null
  createTime: string
  /** True: the namespace was there before the environment and outlives it. */
  adopted: boolean
  operation: string
  state: Exclude<Environment['state'], 'Unknown'>
  message: string
}

const table = (db: Db) => db.withTables<{ environment: EnvironmentRow }>()

export const find = (db: Db, name: string): Promise<EnvironmentRow | undefined> =>
  table(db).selectFrom('environment').selectAll().where('name', '=', name).executeTakeFirst()
export const list = (db: Db): Promise<EnvironmentRow[]> =>
  table(db).selectFrom('environment').selectAll().orderBy('name').execute()
export const findByNamespace = (db: Db, cluster: string, namespace: string): Promise<EnvironmentRow | undefined> =>
  table(db)
    .selectFrom('environment')
    .selectAll()
    .where('cluster', '=', cluster)
    .where('namespace', '=', namespace)
    .executeTakeFirst()
/** False when the environment is gone or going; true keeps it from going until `tx` ends. */
export const hold = async (tx: Db, name: string): Promise<boolean> =>
  (await table(tx)
    .selectFrom('environment')
    .select('name')
    .where('name', '=', name)
    .where('state', '<>', 'Deleting')
    .forShare()
    .executeTakeFirst()) !== undefined
/** The definition without what is observed of it. */
export const definition = ({ name, cluster, namespace, stage, title, createTime, adopted }: EnvironmentRow) =>
  ({
    name,
    cluster,
    namespace,
    stage,
    createTime,
    adopted,
    ...(title === null ? {} : { title }),
  }) satisfies EnvironmentDefinition

/** Keeps environments for operations. `applicationsIn` counts what would be lost with the namespace. */
export const environmentDefinitions = ({
  applicationsIn,
}: {
  applicationsIn(db: Db, environment: string): Promise<number>
}): DefinitionOwner<Db> => ({
  async find(tx, key) {
    const row = await find(tx, key)
    return { value: row ? (definition(row) as Json) : null, basis: row?.operation ?? null }
  },
  async blockers(tx, { key, after }) {
    const wanted = definitionOf(after)
    const other = wanted && (await findByNamespace(tx, wanted.cluster, wanted.namespace))
    if (other && other.name !== key) {
      return [{ pointer: '/namespace', detail: `Namespace ${other.namespace} belongs to environment ${other.name}.` }]
    }
    const count = wanted ? 0 : await applicationsIn(tx, key)
    if (count === 0) return []
    const many = count === 1 ? 'an application' : `${count} applications`
    return [{ pointer: '', detail: `Environment ${key} still holds ${many}; delete them first.` }]
  },
  async accept(tx, { key, after, basis }, { id }) {
    const wanted = definitionOf(after)
    if (!wanted) {
      // After the write, which keeps new applications out until this commits.
      const written = await change(tx, key, basis, { operation: id, state: 'Deleting', message: '' })
      return written && (await applicationsIn(tx, key)) === 0
    }
    const row = { ...wanted, title: wanted.title ?? null, operation: id, state: 'Creating' as const, message: '' }
    if (basis !== null) return change(tx, key, basis, row)
    const result = await table(tx)
      .insertInto('environment')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst()
    return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
  },
  async end(tx, { key, before, after }, { id, succeeded, applied }) {
    if (succeeded && after === null) {
      await table(tx).deleteFrom('environment').where('name', '=', key).where('operation', '=', id).execute()
    } else if (succeeded) await change(tx, key, id, { state: 'Ready', message: '' })
    else if (!applied && before === null) {
      await table(tx).deleteFrom('environment').where('name', '=', key).where('operation', '=', id).execute()
    } else if (!applied) await change(tx, key, id, { ...rowOf(before), state: 'Ready', message: '' })
    else await change(tx, key, id, { state: 'Failed', message: 'Its last operation failed; see there.' })
  },
})

const rowOf = (value: Json | null): Partial<EnvironmentRow> => {
  const known = definitionOf(value)
  return known ? { ...known, title: known.title ?? null } : {}
}

/** False when the row no longer is the one that `basis` wrote. */
async function change(db: Db, name: string, basis: string | null, values: Partial<EnvironmentRow>): Promise<boolean> {
  const result = await table(db)
    .updateTable('environment')
    .set(values)
    .where('name', '=', name)
    .where('operation', '=', basis ?? '00000000-0000-0000-0000-000000000000')
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}
