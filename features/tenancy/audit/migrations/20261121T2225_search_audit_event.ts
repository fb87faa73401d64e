import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** The trail is searched by who, act, from where, when and by any part of what was done, however long it is. */
export const searchAuditEvent: Migration = {
  async up(db) {
    await sql`drop index audit_event_time`.execute(db)
    await sql`create index audit_event_time on audit_event (time, sequence)`.execute(db)
    await sql`create index audit_event_act on audit_event (act, sequence)`.execute(db)
    await sql`create index audit_event_peer on audit_event (peer, sequence)`.execute(db)
    // New records wait in a list of the index, which is looked through by each search, until the server sorts them in:
    // whoever writes one waits for none of that. A database that has no pg_trgm goes without the index.
    await sql`
      do $$ begin
        create extension if not exists pg_trgm;
        create index audit_event_text on audit_event using gin (lower(what || chr(10) || detail) gin_trgm_ops)
          with (fastupdate = on, gin_pending_list_limit = 262144);
      exception when insufficient_privilege or undefined_file or feature_not_supported then
        raise notice 'the audit trail is searched by text without an index: %', sqlerrm;
      end $$`.execute(db)
    // As the owner, which is what sorting in asks for. Answers how many pages were sorted in.
    await sql`
      create function sort_in_audit_text() returns bigint language sql security definer set search_path = pg_catalog as $$
        select coalesce(sum(gin_clean_pending_list(oid)), 0)::bigint from pg_class
          where relname = 'audit_event_text' and relnamespace = to_regnamespace('public') and relkind = 'i'
      $$`.execute(db)
  },
}
