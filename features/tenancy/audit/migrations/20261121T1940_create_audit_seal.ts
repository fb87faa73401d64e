import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** Signed statements of what the last record of a day was, and where the trail is sent as it grows. */
export const createAuditSeal: Migration = {
  async up(db) {
    await sql`create table audit_seal (
      sequence bigint primary key,
      hash text not null,
      time timestamptz not null,
      signature text not null
    )`.execute(db)
    await sql`create trigger audit_seal_append_only before update or delete or truncate on audit_seal
      for each statement execute function refuse_change()`.execute(db)
    await sql`create table audit_sink (
      name text primary key,
      kind text not null check (kind in ('syslog', 'webhook')),
      settings jsonb not null,
      "sealedSecret" text,
      sequence bigint not null,
      "createTime" timestamptz not null default now(),
      "sentTime" timestamptz,
      failures int not null default 0,
      message text not null default ''
    )`.execute(db)
    await sql`comment on column audit_sink.sequence is 'the last record that has arrived there'`.execute(db)
  },
}
