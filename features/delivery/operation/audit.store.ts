import type { Db } from '@quarterdeck/store'
import { sql } from 'kysely'
import type { AuditFilter, AuditRow } from '../../tenancy/audit/audit.contract.ts'

const table = (db: Db) => db.withTables<{ audit_event: AuditRow }>()

const COLUMNS = [
  'sequence',
  'time',
  'operation',
  'actor',
  'act',
  'what',
  'outcome',
  'detail',
  'environment',
  'peer',
  'client',
  'credential',
  'request',
  'hash',
] as const

/** A regular expression of PostgreSQL that finds a text where no longer name goes on before or after it. */
const wholeWords = (text: string) =>
  `(^|[^[:alnum:]._-])${text.replace(/[^\p{L}\p{N} ]/gu, (sign) => `\\${sign}`)}($|[^[:alnum:]._-])`

/** What the index of the trail's text is over. */
const searched = sql<string>`lower(what || chr(10) || detail)`

/** That a text is part of the other, whatever its case. */
const holds = (text: string) => sql<boolean>`${searched} like lower(${`%${text.replace(/[\\%_]/g, '\\$&')}%`})`

/** Records, newest first; with `after` the oldest first. Within a span of time they are in the order of their times. */
export function listAuditRows(db: Db, filter: AuditFilter): Promise<AuditRow[]> {
  return auditQuery(db, filter).execute()
}

/** The query of listAuditRows. */
export function auditQuery(db: Db, filter: AuditFilter) {
  const { what, about, text, environments, since, until, before, after } = filter
  const order = after === undefined ? 'desc' : 'asc'
  const inTime = since !== undefined || until !== undefined
  let query = table(db).selectFrom('audit_event').select(COLUMNS).limit(filter.limit)
  if (inTime) query = query.orderBy('time', order)
  query = query.orderBy('sequence', order)
  for (const column of ['actor', 'act', 'operation', 'environment', 'peer', 'outcome'] as const) {
    const value = filter[column]
    if (value !== undefined) query = query.where(column, '=', value)
  }
  // What the index finds is looked at again where it is more than was asked for.
  for (const part of [what, about, text]) if (part !== undefined) query = query.where(holds(part))
  if (what !== undefined) query = query.where(sql<boolean>`strpos(lower(what), lower(${what})) > 0`)
  if (about !== undefined) query = query.where(sql<boolean>`what ~* ${wholeWords(about)}`)
  if (environments !== undefined) {
    // Of the environments that have these names now, not of earlier ones.
    query = query
      .where('environment', 'in', [...environments, ''])
      .where(sql<boolean>`"environmentId" = environment_id(environment)`)
  }
  if (since !== undefined) query = query.where('time', '>=', since)
  if (until !== undefined) query = query.where('time', '<', until)
  if (before !== undefined) query = query.where(beyond('<', before, inTime))
  if (after) query = query.where(beyond('>', after, inTime))
  return query
}

/** That a record comes before or after this one, in the order that is asked for. */
const beyond = (sign: '<' | '>', sequence: number, inTime: boolean) =>
  inTime
    ? sql<boolean>`(time, sequence) ${sql.raw(sign)} (select time, sequence from audit_event where sequence = ${sequence})`
    : sql<boolean>`sequence ${sql.raw(sign)} ${sequence}`

/** Sorts new records into the index of the trail's text; whoever writes them does not wait for that. */
export async function sortInAuditText(db: Db): Promise<void> {
  await sql`select sort_in_audit_text()`.execute(db)
}

/** Hashes of these records, by sequence; of those that are there. */
export async function hashesOfAudit(db: Db, sequences: readonly number[]): Promise<Map<number, string>> {
  if (sequences.length === 0) return new Map()
  const rows = await table(db)
    .selectFrom('audit_event')
    .select(['sequence', 'hash'])
    .where('sequence', '=', sql<number>`any(${[...sequences]}::bigint[])`)
    .execute()
  return new Map(rows.map(({ sequence, hash }) => [sequence, hash]))
}

/** What the session's role could do to a table of the trail, and whether its trigger refuses that. */
export interface TableGuard {
  table: string
  /** Empty: append alone. */
  may: string[]
  refuses: boolean
}

/** How the tables of the trail are guarded, for whoever `db` acts as. */
export async function guardOfAudit(db: Db): Promise<TableGuard[]> {
  const { rows } = await sql<TableGuard>`
    select t.name as table,
      array(select privilege from unnest(array['update', 'delete', 'truncate', 'trigger']) privilege
        where has_table_privilege(c.oid, privilege)
          or (privilege = 'update' and has_any_column_privilege(c.oid, privilege))
        union all select 'own' where pg_has_role(c.relowner, 'member')) as may,
      exists (select from pg_trigger where tgrelid = c.oid and tgfoid = to_regproc('public.refuse_change')
        and tgenabled in ('O', 'A')) as refuses
    from unnest(array['audit_event', 'audit_seal']) t(name)
      join pg_class c on c.oid = to_regclass('public.' || t.name)`.execute(db)
  return rows
}

// Each statement stays well below the time that one may take, however long the trail is.
const AT_ONCE = 20_000

/**
 * Sequence of the first record that is not what was written, or whose forerunner is missing; `broken` undefined: all of
 * the `records` are well.
 */
export async function checkAudit(db: Db, atOnce = AT_ONCE): Promise<{ records: number; broken?: number }> {
  const { rows: ends } = await sql<{ last: number }>`
    select coalesce(max(sequence), 0) as last from audit_event`.execute(db)
  const last = ends[0]?.last ?? 0
  for (let from = 1; from <= last; from += atOnce) {
    const { rows } = await sql<{ sequence: number }>`
      select sequence from (
        select sequence, hash, coalesce(lag(sequence) over following, 0) as forerunner,
          audit_event_hash(coalesce(lag(hash) over following, ''), audit_event) as expected
        from audit_event where sequence >= ${from - 1} and sequence < ${from + atOnce}
        window following as (order by sequence)
      ) as chain
      where sequence >= ${from} and (hash <> expected or sequence <> forerunner + 1)
      order by sequence limit 1`.execute(db)
    if (rows[0]) return { records: last, broken: rows[0].sequence }
  }
  return { records: last }
}
