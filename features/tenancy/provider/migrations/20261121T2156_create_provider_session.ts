import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** What a provider has to know a session by, so that it is asked again and can end it. */
export const createProviderSession: Migration = {
  async up(db) {
    await sql`create table provider_session (
      session uuid primary key references session (id) on delete cascade,
      provider text not null references sign_in_provider (name) on delete cascade,
      key text not null,
      sid text,
      "sealedToken" text,
      "askTime" timestamptz not null
    )`.execute(db)
    await sql`comment on column provider_session.sid is 'what the provider calls its own session'`.execute(db)
    await sql`comment on column provider_session."sealedToken" is 'refresh token; null: the provider gave none'`.execute(
      db,
    )
    await sql`create index provider_session_due on provider_session (provider, "askTime")`.execute(db)
    await sql`create index provider_session_key on provider_session (provider, key)`.execute(db)
    await sql`create index provider_session_sid on provider_session (provider, sid)`.execute(db)
    await sql`create table logout_token (
      id text primary key,
      "expireTime" timestamptz not null
    )`.execute(db)
    await sql`comment on table logout_token is 'logout tokens that have been used, by the hash of provider and jti'`.execute(
      db,
    )
    await sql`update sign_in_provider set settings = settings || '{"askAgainMinutes": 15}' where kind = 'oidc'`.execute(
      db,
    )
  },
}
