import type { Json } from '@quarterdeck/kernel'
import type { Db, JsonColumn } from '@quarterdeck/store'
import { type RawBuilder, sql } from 'kysely'
import type { Blocker, DefinitionOwner } from '../../delivery/operation/operation.contract.ts'
import type { Quota } from '../tenant/quota.contract.ts'
import type { Environment, Isolation, Limits, PodSecurity, Stage } from './environment.contract.ts'
import { definitionOf, type EnvironmentDefinition } from './environment.rules.ts'

/** One row; `operation` is the last that was accepted for it. */
export interface EnvironmentRow {
  name: string
  /** Names. */
  project: string
  tenant: string
  cluster: string
  namespace: string
  stage: Stage
  title: string | null
  createTime: string
  /** True: the namespace was there before the environment and outlives it. */
  adopted: boolean
  quota: Quota
  limits: Limits | null
  /** Null: made before environments had anything but a namespace. */
  isolation: Isolation | null
  podSecurity: PodSecurity | null
  operation: string
  state: Exclude<Environment['state'], 'Unknown'>
  message: string
}

/** As it is written: the project by its id. */
type EnvironmentTable = Omit<EnvironmentRow, 'tenant' | 'quota' | 'limits'> & {
  quota: JsonColumn<Quota>
  limits: JsonColumn<Limits> | null
}

const table = (db: Db) => db.withTables<{ environment: EnvironmentTable }>()
const view = (db: Db) => db.withTables<{ placed_environment: EnvironmentRow }>().selectFrom('placed_environment')

export const find = (db: Db, name: string): Promise<EnvironmentRow | undefined> =>
  view(db).selectAll().where('name', '=', name).executeTakeFirst()
export const list = (db: Db): Promise<EnvironmentRow[]> => view(db).selectAll().orderBy('name').execute()
export const findByNamespace = (db: Db, cluster: string, namespace: string): Promise<EnvironmentRow | undefined> =>
  view(db).selectAll().where('cluster', '=', cluster).where('namespace', '=', namespace).executeTakeFirst()
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
export function definition(row: EnvironmentRow): EnvironmentDefinition {
  const { name, project, tenant, cluster, namespace, stage, createTime, adopted, quota } = row
  const { title, limits, isolation, podSecurity } = row
  return {
    ...{ name, project, tenant, cluster, namespace, stage, createTime, adopted, quota },
    ...(title === null ? {} : { title }),
    ...(limits === null ? {} : { limits }),
    ...(isolation === null ? {} : { isolation }),
    ...(podSecurity === null ? {} : { podSecurity }),
  }
}

export interface EnvironmentDefinitionsOptions {
  /** Counts what would be lost with the namespace. */
  applicationsIn(db: Db, environment: string): Promise<number>
  /**
   * Why an environment cannot be as it is wanted within its project: quotas, clusters. With `lock` nobody else changes
   * anything about that until `tx` ends.
   */
  placing(tx: Db, wanted: EnvironmentDefinition, options: { lock: boolean }): Promise<Blocker[]>
}

/** Keeps environments for operations. */
export const environmentDefinitions = ({
  applicationsIn,
  placing,
}: EnvironmentDefinitionsOptions): DefinitionOwner<Db> => ({
  async find(tx, key) {
    const row = await find(tx, key)
    return { value: row ? (definition(row) as Json) : null, basis: row?.operation ?? null }
  },
  needs({ key, before, after }) {
    const [was, wanted] = [definitionOf(before), definitionOf(after)]
    if (!wanted) return [{ permission: 'environment.delete', scope: { environment: key } }]
    const create = { permission: 'environment.create', scope: { project: wanted.project } } as const
    if (!was) return [create]
    const update = { permission: 'environment.update', scope: { environment: key } } as const
    return was.project === wanted.project ? [update] : [update, create]
  },
  async blockers(tx, { key, after }) {
    const wanted = definitionOf(after)
    const other = wanted && (await findByNamespace(tx, wanted.cluster, wanted.namespace))
    if (other && other.name !== key) {
      return [{ pointer: '/namespace', detail: `Namespace ${other.namespace} belongs to environment ${other.name}.` }]
    }
    if (wanted) return placing(tx, wanted, { lock: false })
    const count = await applicationsIn(tx, key)
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
    if ((await placing(tx, wanted, { lock: true })).length > 0) return false
    const row = { ...columnsOf(wanted), operation: id, state: 'Creating' as const, message: '' }
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
    } else if (!applied) {
      const known = definitionOf(before)
      await change(tx, key, id, { ...(known ? columnsOf(known) : {}), state: 'Ready', message: '' })
    } else await change(tx, key, id, { state: 'Failed', message: 'Its last operation failed; see there.' })
  },
})

/** The id of a project, of its name. */
const projectId = (name: string): RawBuilder<string> => sql<string>`project_id(${name})`

const columnsOf = ({ tenant: _, project, quota, limits, ...plain }: EnvironmentDefinition) => ({
  ...plain,
  project: projectId(project),
  title: plain.title ?? null,
  isolation: plain.isolation ?? null,
  podSecurity: plain.podSecurity ?? null,
  quota: JSON.stringify(quota),
  limits: limits ? JSON.stringify(limits) : null,
})

type Written = Partial<ReturnType<typeof columnsOf>> & Partial<Pick<EnvironmentRow, 'operation' | 'state' | 'message'>>

/** False when the row no longer is the one that `basis` wrote. */
async function change(db: Db, name: string, basis: string | null, values: Written): Promise<boolean> {
  const result = await table(db)
    .updateTable('environment')
    .set(values as never)
    .where('name', '=', name)
    .where('operation', '=', basis ?? '00000000-0000-0000-0000-000000000000')
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}
