import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** When a one-time password was last given with a token: qd asks for it on the terminal. */
export const verifyToken: Migration = {
  async up(db) {
    await sql`alter table token add column "verifyTime" timestamptz`.execute(db)
    await sql`drop view live_token`.execute(db)
    await sql`create view live_token as
      select token.*, account.id as account from token join account on account.name = token."userName"
      where account."disableTime" is null`.execute(db)
  },
}
