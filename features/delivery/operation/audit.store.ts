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

/** Records, newest first; with `after` the oldest first. */
export function listAuditRows(db: Db, filter: AuditFilter): Promise<AuditRow[]> {
  const {
    actor,
    act,
    what,
    about,
    operation,
    outcome,
    environment,
    environments,
    peer,
    since,
    until,
    before,
    after,
    limit,
  } = filter
  let query = table(db)
    .selectFrom('audit_event')
    .select(COLUMNS)
    .orderBy('sequence', after === undefined ? 'desc' : 'asc')
    .limit(limit)
  if (actor !== undefined) query = query.where('actor', '=', actor)
  if (act !== undefined) query = query.where('act', '=', act)
  if (what !== undefined) query = query.where(sql<boolean>`strpos(lower(what), lower(${what})) > 0`)
  if (about !== undefined) query = query.where(sql<boolean>`what ~* ${wholeWords(about)}`)
  if (operation !== undefined) query = query.where('operation', '=', operation)
  if (environment !== undefined) query = query.where('environment', '=', environment)
  if (environments !== undefined) {
    // Of the environments that have these names now, not of earlier ones.
    query = query
      .where('environment', 'in', [...environments, ''])
      .where(sql<boolean>`"environmentId" = environment_id(environment)`)
  }
  if (peer !== undefined) query = query.where('peer', '=', peer)
  if (outcome !== undefined) query = query.where('outcome', '=', outcome)
  if (since !== undefined) query = query.where('time', '>=', since)
  if (until !== undefined) query = query.where('time', '<', until)
  if (after !== undefined) query = query.where('sequence', '>', after)
  if (before !== undefined) query = query.where('sequence', '<', before)
  return query.execute()
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
