import type { Db, JsonColumn } from '@quarterdeck/store'
import type { Generated } from 'kysely'
import type { AuditSink } from './sink.contract.ts'

interface SinkTable {
  name: string
  kind: AuditSink['kind']
  settings: JsonColumn<SinkSettings>
  sealedSecret: string | null
  /** The last record that has arrived there. */
  sequence: number
  createTime: Generated<string>
  sentTime: string | null
  failures: Generated<number>
  message: Generated<string>
}
export interface SinkSettings {
  url: string
  /** PEM; absent: what this machine trusts. */
  authority?: string | undefined
}

/** Where records go. */
export interface Target {
  kind: AuditSink['kind']
  settings: SinkSettings
  secret: string | undefined
}

/** A sink as it is kept. */
export interface SinkRow {
  name: string
  kind: AuditSink['kind']
  settings: SinkSettings
  sealedSecret: string | null
  sequence: number
  sentTime: string | null
  failures: number
  message: string
}

const table = (db: Db) => db.withTables<{ audit_sink: SinkTable }>()
const COLUMNS = ['name', 'kind', 'settings', 'sealedSecret', 'sequence', 'sentTime', 'failures', 'message'] as const

export const listSinks = (db: Db): Promise<SinkRow[]> =>
  table(db).selectFrom('audit_sink').select(COLUMNS).orderBy('name').execute()

export const findSink = (db: Db, name: string): Promise<SinkRow | undefined> =>
  table(db).selectFrom('audit_sink').select(COLUMNS).where('name', '=', name).executeTakeFirst()

/** Makes or changes a sink; one that is there goes on where it was. An undefined secret stays as it is. */
export async function saveSink(
  db: Db,
  {
    name,
    kind,
    settings,
    sealedSecret,
    sequence,
  }: Pick<SinkRow, 'name' | 'kind' | 'settings' | 'sequence'> & {
    sealedSecret: string | null | undefined
  },
): Promise<void> {
  const changed = { kind, settings: JSON.stringify(settings), failures: 0, message: '' }
  const secret = sealedSecret === undefined ? {} : { sealedSecret }
  await table(db)
    .insertInto('audit_sink')
    .values({ ...changed, name, sequence, sealedSecret: sealedSecret ?? null, sentTime: null })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ ...changed, ...secret }))
    .execute()
}

/** False when there is none of this name. */
export async function deleteSink(db: Db, name: string): Promise<boolean> {
  const result = await table(db).deleteFrom('audit_sink').where('name', '=', name).executeTakeFirst()
  return result.numDeletedRows > 0n
}

/** How an attempt has ended: how far it is now, or why not. */
export async function noteSent(
  db: Db,
  name: string,
  sent: { sequence: number; sentTime: string } | { failures: number; message: string },
): Promise<void> {
  const values = 'sequence' in sent ? { ...sent, failures: 0, message: '' } : sent
  await table(db).updateTable('audit_sink').set(values).where('name', '=', name).execute()
}
