import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** Each record carries the hash of the one before, and sequences have no gap: what is left out or altered shows. */
export const chainAuditEvent: Migration = {
  async up(db) {
    await sql`alter table audit_event alter column sequence drop identity`.execute(db)
    await sql`alter table audit_event add column hash text`.execute(db)
    // Epoch and JSON do not depend on the session's time zone or formats, so everybody computes the same.
    await sql`
      create function audit_event_hash(before text, event audit_event) returns text language sql stable as $$
        select encode(sha256(convert_to(jsonb_build_array(
          before, event.sequence, extract(epoch from event.time)::text, event.operation,
          event.actor, event.act, event.what, event.outcome, event.detail)::text, 'UTF8')), 'hex')
      $$`.execute(db)
    await sql`alter table audit_event disable trigger audit_event_append_only`.execute(db)
    await sql`
      do $$
      declare event audit_event; before text := ''; number bigint := 0;
      begin
        for event in select * from audit_event order by sequence loop
          number := number + 1;
          update audit_event set sequence = -number where sequence = event.sequence;
          event.sequence := number;
          before := audit_event_hash(before, event);
          update audit_event set sequence = number, hash = before where sequence = -number;
        end loop;
      end $$`.execute(db)
    await sql`alter table audit_event enable trigger audit_event_append_only`.execute(db)
    await sql`alter table audit_event alter column hash set not null`.execute(db)
    // One writer at a time from here to its commit, so that the last record is known; take it last of all locks.
    await sql`
      create function chain_audit_event() returns trigger language plpgsql as $$
      declare last audit_event;
      begin
        perform pg_advisory_xact_lock(hashtextextended('audit_event', 0));
        select * into last from audit_event order by sequence desc limit 1;
        new.sequence := coalesce(last.sequence, 0) + 1;
        new.hash := audit_event_hash(coalesce(last.hash, ''), new);
        return new;
      end $$`.execute(db)
    await sql`create trigger audit_event_chained before insert on audit_event
      for each row execute function chain_audit_event()`.execute(db)
  },
}
