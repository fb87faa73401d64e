import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** What is recorded of objects and for how long; without a row, what the server was started with. */
export const createVersionSetting: Migration = {
  async up(db) {
    await sql`
      create table version_setting (
        one boolean primary key default true check (one),
        unrecorded text[] not null,
        "keepDays" integer not null check ("keepDays" between 1 and 36500),
        "updateTime" timestamptz not null default now(),
        "updatedBy" text not null
      )`.execute(db)
    await sql`
      create function tell_version_setting() returns trigger language plpgsql as $$
      begin
        perform pg_notify('quarterdeck_version_setting', '');
        return null;
      end $$`.execute(db)
    await sql`create trigger version_setting_told after insert or update or delete on version_setting
      for each statement execute function tell_version_setting()`.execute(db)
  },
}
