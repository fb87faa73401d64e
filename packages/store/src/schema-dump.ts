import { sql } from 'kysely'
import type { Db } from './db.ts'

/**
 * The schema as text: tables with their columns, constraints and indexes, in alphabetical order, the same for the same
 * migrations on every machine; without the record of migrations itself. For reading and comparing, not for restoring.
 */
export async function schemaDump(db: Db): Promise<string> {
  const [tables, columns, constraints, indexes, functions] = await Promise.all([
    names(db),
    columnsOf(db),
    constraintsOf(db),
    indexesOf(db),
    functionsOf(db),
  ])
  const parts = tables.map((table) => {
    const lines = [...columns, ...constraints].filter((row) => row.table === table).map((row) => `  ${row.text}`)
    const after = indexes.filter((row) => row.table === table).map((row) => `${row.text};\n`)
    return `create table "${table}" (\n${lines.join(',\n')}\n);\n${after.join('')}`
  })
  return [...parts, ...functions].join('\n')
}

interface Line {
  table: string
  text: string
}

async function names(db: Db): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select c.relname as name from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      and c.relname <> 'quarterdeck_migration' order by c.relname collate "C"`.execute(db)
  return rows.map((row) => row.name)
}

async function columnsOf(db: Db): Promise<Line[]> {
  const { rows } = await sql<Line>`
    select c.relname as table,
      quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
        || case when a.attgenerated = 's' then ' generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ') stored'
                when a.attidentity <> '' then ' generated ' || case a.attidentity when 'a' then 'always' else 'by default' end || ' as identity'
                when d.adbin is not null then ' default ' || pg_get_expr(d.adbin, d.adrelid) else '' end
        || case when a.attnotnull then ' not null' else '' end as text
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attnum > 0 and not a.attisdropped
    order by c.relname collate "C", a.attnum`.execute(db)
  return rows
}

async function constraintsOf(db: Db): Promise<Line[]> {
  const { rows } = await sql<Line>`
    select c.relname as table, 'constraint ' || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid) as text
    from pg_constraint k join pg_class c on c.oid = k.conrelid
    where k.connamespace = 'public'::regnamespace and k.contype <> 'n'
    order by c.relname collate "C", k.conname collate "C"`.execute(db)
  return rows
}

async function indexesOf(db: Db): Promise<Line[]> {
  const { rows } = await sql<Line>`
    select c.relname as table, pg_get_indexdef(i.indexrelid) as text
    from pg_index i join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid
    where c.relnamespace = 'public'::regnamespace
      and not exists (select from pg_constraint k where k.conindid = i.indexrelid)
    order by x.relname collate "C"`.execute(db)
  const triggers = await sql<Line>`
    select c.relname as table, pg_get_triggerdef(t.oid) as text
    from pg_trigger t join pg_class c on c.oid = t.tgrelid
    where c.relnamespace = 'public'::regnamespace and not t.tgisinternal order by t.tgname collate "C"`.execute(db)
  return [...rows, ...triggers.rows]
}

async function functionsOf(db: Db): Promise<string[]> {
  const { rows } = await sql<{ text: string }>`
    select pg_get_functiondef(p.oid) as text from pg_proc p
    where p.pronamespace = 'public'::regnamespace
      and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
    order by p.proname collate "C", p.oid`.execute(db)
  return rows.map((row) => `${row.text.trimEnd()};\n`)
}
