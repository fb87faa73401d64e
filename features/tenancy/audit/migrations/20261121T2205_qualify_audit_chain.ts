import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/**
 * Whoever may only append can neither choose when a record was made nor how it is hashed, nor have the chain read from
 * a table of their own: pg_temp comes before public.
 */
export const qualifyAuditChain: Migration = {
  async up(db) {
    await sql`
      create or replace function chain_audit_event() returns trigger language plpgsql as $$
      declare last record;
      begin
        new."environmentId" := null;
        if new.environment is not null then
          select id into new."environmentId" from public.environment where name = new.environment;
        end if;
        perform pg_advisory_xact_lock(hashtextextended('audit_event', 0));
        select sequence, hash into last from public.audit_event order by sequence desc limit 1;
        new.sequence := coalesce(last.sequence, 0) + 1;
        new.time := clock_timestamp();
        new.format := 3;
        new.hash := public.audit_event_hash(coalesce(last.hash, ''), new);
        return new;
      end $$`.execute(db)
  },
}
