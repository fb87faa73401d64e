import type { Db } from '@quarterdeck/store'
import { sql } from 'kysely'
import type { FactChange } from './fact.rules.ts'

/** PostgreSQL tells it when users, groups, roles, grants, tenants, projects or environments have changed. */
export const authorityChannel = 'quarterdeck_authority'

/** What decisions are made of, as it was at one instant of the store. */
export interface Read {
  changes: FactChange[]
  /** The instant, milliseconds since 1970. */
  nowMs: number
  /** Where to go on: the oldest transaction whose changes may not be among these. */
  since: string
}

interface Answer {
  now: number
  since: string
  changed: Pick<FactChange, 'kind' | 'id'>[]
  facts: FactChange[]
}

const NOW = sql`extract(epoch from clock_timestamp()) * 1000`
const SINCE = sql`pg_snapshot_xmin(pg_current_snapshot())::text`

/** Every fact there is. */
export async function readFacts(db: Db): Promise<Read> {
  const { rows } = await sql<Omit<Answer, 'changed'>>`
    select (${NOW})::float8 as now, ${SINCE} as since,
      (select coalesce(json_agg(one), '[]') from authority_fact one) as facts`.execute(db)
  const [row] = rows
  if (!row) throw new Error('PostgreSQL answers no row to a select without a table')
  return { changes: row.facts, nowMs: row.now, since: row.since }
}

/**
 * What was changed by transactions that `since` did not see, as it is now; some of it may be known already, since a
 * transaction that was under way then counts as not seen.
 */
export async function readChangedFacts(db: Db, since: string): Promise<Read> {
  const { rows } = await sql<Answer>`
    with changed as materialized (select distinct kind, id from authority_change where xact >= ${since}::xid8)
    select (${NOW})::float8 as now, ${SINCE} as since,
      (select coalesce(json_agg(changed), '[]') from changed) as changed,
      (select coalesce(json_agg(one), '[]') from authority_fact one where id = any (array(select id from changed)))
        as facts`.execute(db)
  const [row] = rows
  if (!row) throw new Error('PostgreSQL answers no row to a select without a table')
  const known = new Map(row.facts.map((fact) => [`${fact.kind} ${fact.id}`, fact]))
  const changes = row.changed.map((one) => known.get(`${one.kind} ${one.id}`) ?? (one as FactChange))
  return { changes, nowMs: row.now, since: row.since }
}

/** Forgets which facts changed long ago: whoever remembers facts looks every few minutes. */
export async function forgetOldChanges(db: Db): Promise<void> {
  await sql`delete from authority_change where time < now() - interval '1 hour'`.execute(db)
}

/** Gives an account the role `administrator` for the whole platform; once. */
export async function grantAdministrator(db: Db, account: string, grantor: string): Promise<void> {
  await sql`call grant_administrator(${account}, ${grantor})`.execute(db)
}
