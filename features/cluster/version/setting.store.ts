import type { Db } from '@quarterdeck/store'
import { type Generated, sql } from 'kysely'
import type { KindVersions, VersionSettings } from './setting.contract.ts'

interface SettingTable {
  one: Generated<boolean>
  unrecorded: string[]
  keepDays: number
  updateTime: Generated<string>
  updatedBy: string
}
const table = (db: Db) => db.withTables<{ version_setting: SettingTable }>()

/** Told whenever the settings are others, to all processes. */
export const SETTING_CHANNEL = 'quarterdeck_version_setting'

/** Undefined while nobody has set any. */
export const findSettings = (
  db: Db,
): Promise<(VersionSettings & { updateTime: string; updatedBy: string }) | undefined> =>
  table(db)
    .selectFrom('version_setting')
    .select(['unrecorded', 'keepDays', 'updateTime', 'updatedBy'])
    .executeTakeFirst()

export async function saveSettings(db: Db, settings: VersionSettings, updatedBy: string): Promise<void> {
  const values = { ...settings, updatedBy }
  await table(db)
    .insertInto('version_setting')
    .values(values)
    .onConflict((on) => on.column('one').doUpdateSet({ ...values, updateTime: sql<string>`now()` }))
    .execute()
}

const ROWS = sql`object_version version join recorded_object object on object.id = version.object`
// As they are stored: nothing has to be unpacked for it.
const FIGURES = sql`
  object.resource,
  count(distinct object.id)::int as objects,
  count(*)::int as versions,
  (sum(pg_column_size(version.back)) + coalesce(sum(pg_column_size(object.content))
    filter (where version.number = object.number), 0))::float8 as bytes`

/** What is kept of each kind, the largest first. */
export const countVersions = async (db: Db): Promise<KindVersions[]> =>
  (
    await sql<KindVersions>`select ${FIGURES} from ${ROWS} group by object.resource order by bytes desc, resource`.execute(
      db,
    )
  ).rows

/** What `prune` with the same arguments deletes, kind by kind. */
export const countOlder = async (db: Db, before: string, clusters: readonly string[]): Promise<KindVersions[]> =>
  (
    await sql<KindVersions>`select ${FIGURES} from ${ROWS}
      where version.time < ${before} and (version.number < object.number
        or object."deleteTime" is not null or not object.cluster = any(${[...clusters]}))
      group by object.resource order by bytes desc, resource`.execute(db)
  ).rows
