import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** Each record says where it was done and from where; the hash of new ones is over that, too. */
export const tellOriginOfAudit: Migration = {
  async up(db) {
    await sql`alter table audit_event
      add column environment text,
      add column peer text,
      add column client text,
      add column credential text,
      add column request text,
      add column format smallint not null default 1`.execute(db)
    await sql`alter table audit_event alter column format set default 2`.execute(db)
    await sql`create index audit_event_environment on audit_event (environment, sequence)`.execute(db)
    await sql`
      create or replace function audit_event_hash(before text, event audit_event) returns text language sql stable as $$
        select encode(sha256(convert_to((case event.format
          when 1 then jsonb_build_array(
            before, event.sequence, extract(epoch from event.time)::text, event.operation,
            event.actor, event.act, event.what, event.outcome, event.detail)
          else jsonb_build_array(
            before, event.sequence, extract(epoch from event.time)::text, event.operation,
            event.actor, event.act, event.what, event.outcome, event.detail, event.environment,
            event.peer, event.client, event.credential, event.request, event.format)
        end)::text, 'UTF8')), 'hex')
      $$`.execute(db)
  },
}
