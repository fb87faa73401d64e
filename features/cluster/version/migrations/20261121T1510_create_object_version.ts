import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

export const createObjectVersion: Migration = {
  async up(db) {
    // The newest content is kept whole; each version holds the way back to the one before it.
    await sql`
      create table recorded_object (
        id bigint generated always as identity primary key,
        cluster text not null,
        resource text not null,
        kind text not null,
        namespace text not null,
        name text not null,
        uid text not null,
        number integer not null,
        content text not null,
        "deleteTime" timestamptz,
        unique (cluster, resource, uid)
      )`.execute(db)
    await sql`create index on recorded_object (cluster, resource, namespace, name)`.execute(db)
    await sql`
      create table object_version (
        object bigint not null references recorded_object on delete cascade,
        number integer not null,
        time timestamptz not null,
        change text not null check (change in ('listed', 'added', 'changed', 'deleted')),
        generation bigint not null,
        revision text not null,
        manager text not null,
        "managedTime" timestamptz,
        back text not null,
        primary key (object, number)
      )`.execute(db)
    await sql`create index on object_version (time desc)`.execute(db)
  },
}
