import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** Where tokens count and whence they may come, when a one-time password was given in a session, and `qd login`. */
export const limitToken: Migration = {
  async up(db) {
    await sql`alter table session add column "verifyTime" timestamptz`.execute(db)
    await sql`alter table token
      add column within jsonb,
      add column sources jsonb not null default '[]',
      add column "lastPeer" text`.execute(db)
    await sql`comment on column token.sources is 'networks in CIDR form; empty: any'`.execute(db)
    await sql`drop view live_session, live_token`.execute(db)
    await sql`create view live_session as
      select session.*, account.id as account from session join account on account.name = session."userName"
      where account."disableTime" is null`.execute(db)
    await sql`create view live_token as
      select token.*, account.id as account from token join account on account.name = token."userName"
      where account."disableTime" is null`.execute(db)
    await sql`create table device_login (
      id uuid primary key default gen_random_uuid(),
      "secretHash" text not null unique,
      "codeHash" text not null unique,
      client text not null,
      peer text not null,
      days int not null,
      "createTime" timestamptz not null,
      "expireTime" timestamptz not null,
      "userName" text references account (name) on delete cascade,
      denied boolean not null default false
    )`.execute(db)
    await sql`comment on column device_login."userName" is 'who said yes; null while nobody has'`.execute(db)
  },
}
