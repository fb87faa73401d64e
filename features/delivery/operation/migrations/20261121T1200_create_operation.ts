import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

export const createOperation: Migration = {
  async up(db) {
    await sql`
      create table operation (
        id uuid primary key,
        sequence bigint generated always as identity unique,
        type text not null,
        summary text not null,
        actor text not null,
        reason text,
        cluster text not null,
        environment text,
        application text,
        target text not null,
        intent jsonb not null,
        plan jsonb not null,
        steps jsonb not null,
        conditions jsonb not null default '[]',
        results jsonb not null default '[]',
        progress jsonb,
        state text not null check (state in ('Accepted', 'Running', 'Unknown', 'Succeeded', 'Failed')),
        "acceptTime" timestamptz not null,
        "startTime" timestamptz,
        "endTime" timestamptz,
        undoes uuid references operation (id),
        "undoneBy" uuid references operation (id)
      )`.execute(db)
    await sql`create index operation_unfinished on operation (target, sequence)
      where state not in ('Succeeded', 'Failed')`.execute(db)
    await sql`create index operation_target on operation (target, sequence desc)`.execute(db)
    await sql`create index operation_environment on operation (environment, sequence desc)`.execute(db)
    await sql`create table idempotency_key (
        subject text not null,
        key text not null,
        digest text not null,
        operation uuid not null references operation (id) deferrable initially deferred,
        "createTime" timestamptz not null default now(),
        primary key (subject, key)
      )`.execute(db)
    await sql`create table audit_event (
        sequence bigint generated always as identity primary key,
        time timestamptz not null default clock_timestamp(),
        operation uuid not null,
        actor text not null,
        act text not null,
        what text not null,
        outcome text not null check (outcome in ('intent', 'succeeded', 'failed')),
        detail text not null
      )`.execute(db)
    await sql`create index audit_event_operation on audit_event (operation)`.execute(db)
    await sql`create function refuse_change() returns trigger language plpgsql as
      $$ begin raise exception '% is append-only', tg_table_name; end $$`.execute(db)
    await sql`create trigger audit_event_append_only before update or delete or truncate on audit_event
      for each statement execute function refuse_change()`.execute(db)
  },
}
