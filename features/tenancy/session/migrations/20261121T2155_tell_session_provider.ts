import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** Sessions say which sign-in provider they came from, so that they end with it. */
export const tellSessionProvider: Migration = {
  async up(db) {
    await sql`alter table session add column provider text`.execute(db)
    await sql`comment on column session.provider is 'name of the sign-in provider; null: a password of this platform'`.execute(
      db,
    )
    await sql`update session set provider = account.source
      from account where account.name = session."userName" and account."sourceKey" is not null`.execute(db)
    await sql`create index session_provider on session (provider) where provider is not null`.execute(db)
  },
}
