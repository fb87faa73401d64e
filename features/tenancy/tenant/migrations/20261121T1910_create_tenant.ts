import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** Tenants hold projects, projects hold environments. What was there before belongs to the project `default`. */
export const createTenant: Migration = {
  async up(db) {
    await sql`create table tenant (
      id uuid primary key default gen_random_uuid(),
      name text not null unique,
      title text,
      clusters jsonb not null default '[]',
      quota jsonb not null default '{}',
      "createTime" timestamptz not null default now()
    )`.execute(db)
    await sql`comment on column tenant.clusters is 'names of the clusters where it may have environments; empty: all'`.execute(
      db,
    )
    await sql`create table project (
      id uuid primary key default gen_random_uuid(),
      name text not null unique,
      tenant uuid not null references tenant (id),
      title text,
      quota jsonb not null default '{}',
      "createTime" timestamptz not null default now()
    )`.execute(db)
    await sql`with made as (insert into tenant (name, title) values ('default', 'Default') returning id)
      insert into project (name, title, tenant) select 'default', 'Default', id from made`.execute(db)
    await sql`alter table environment
      add column id uuid not null default gen_random_uuid() unique,
      add column project uuid references project (id)`.execute(db)
    await sql`update environment set project = (select id from project where name = 'default')`.execute(db)
    await sql`
      create function default_project() returns trigger language plpgsql as $$
      begin
        new.project := coalesce(new.project, (select id from project where name = 'default'));
        return new;
      end $$`.execute(db)
    await sql`create trigger environment_project before insert on environment for each row execute function default_project()`.execute(
      db,
    )
    for (const table of ['tenant', 'project']) {
      await sql`create trigger ${sql.ref(`${table}_told`)} after insert or update or delete on ${sql.table(table)}
        for each statement execute function tell_authority()`.execute(db)
    }
    await sql`create trigger environment_told after insert or delete or update of project, cluster, namespace, stage on environment
      for each statement execute function tell_authority()`.execute(db)
  },
}
