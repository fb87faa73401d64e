import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** Operations and records belong to an environment by its id: one that gets its name later has nothing of it. */
export const bindToEnvironment: Migration = {
  async up(db) {
    await sql`alter table operation add column "environmentId" uuid`.execute(db)
    await sql`update operation set "environmentId" = environment_id_at(environment, "acceptTime")
      where environment is not null`.execute(db)
    await sql`alter table audit_event add column "environmentId" uuid`.execute(db)
    // No hash is over it in records that are there already.
    await sql`alter table audit_event disable trigger audit_event_append_only`.execute(db)
    await sql`update audit_event set "environmentId" = environment_id_at(environment, time)
      where environment is not null`.execute(db)
    await sql`alter table audit_event enable trigger audit_event_append_only`.execute(db)
    await sql`alter table audit_event alter column format set default 3`.execute(db)
    await sql`
      create or replace function audit_event_hash(before text, event audit_event) returns text language sql stable as $$
        select encode(sha256(convert_to((case event.format
          when 1 then jsonb_build_array(
            before, event.sequence, extract(epoch from event.time)::text, event.operation,
            event.actor, event.act, event.what, event.outcome, event.detail)
          when 2 then jsonb_build_array(
            before, event.sequence, extract(epoch from event.time)::text, event.operation,
            event.actor, event.act, event.what, event.outcome, event.detail, event.environment,
            event.peer, event.client, event.credential, event.request, event.format)
          else jsonb_build_array(
            before, event.sequence, extract(epoch from event.time)::text, event.operation,
            event.actor, event.act, event.what, event.outcome, event.detail, event.environment, event."environmentId",
            event.peer, event.client, event.credential, event.request, event.format)
        end)::text, 'UTF8')), 'hex')
      $$`.execute(db)
    await sql`
      create or replace function chain_audit_event() returns trigger language plpgsql as $$
      declare last audit_event;
      begin
        new."environmentId" := environment_id(new.environment);
        perform pg_advisory_xact_lock(hashtextextended('audit_event', 0));
        select * into last from audit_event order by sequence desc limit 1;
        new.sequence := coalesce(last.sequence, 0) + 1;
        new.hash := audit_event_hash(coalesce(last.hash, ''), new);
        return new;
      end $$`.execute(db)
  },
}
