import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** Kind of fact, the table whose rows make it, the column that names it, and which updates matter. */
const FOLLOWED = [
  ['account', 'account', 'id', 'name, "disableTime", kind'],
  ['account', 'user_group_member', 'account', ''],
  ['group', 'user_group', 'id', 'name'],
  ['role', 'role', 'id', 'name, permissions'],
  ['grant', 'role_grant', 'id', ''],
  ['tenant', 'tenant', 'id', 'name'],
  ['project', 'project', 'id', 'name, tenant'],
  ['environment', 'environment', 'id', 'name, project, cluster, namespace'],
] as const

/**
 * What decisions are made of is read fact by fact: each change of one leaves its id in `authority_change`, with the
 * transaction that made it, so that whoever remembers the facts reads only those that have changed since.
 */
export const followAuthority: Migration = {
  async up(db) {
    await sql`drop view authority`.execute(db)
    await sql`create table authority_change (
      kind text not null,
      id uuid not null,
      xact xid8 not null default pg_current_xact_id(),
      time timestamptz not null default clock_timestamp()
    )`.execute(db)
    await sql`create index authority_change_xact on authority_change (xact)`.execute(db)
    await sql`create index authority_change_time on authority_change (time)`.execute(db)
    await sql`
      create function follow_authority() returns trigger language plpgsql as $$
      begin
        if tg_op <> 'INSERT' then
          insert into authority_change (kind, id) values (tg_argv[0], (to_jsonb(old) ->> tg_argv[1])::uuid);
        end if;
        if tg_op <> 'DELETE' then
          insert into authority_change (kind, id) values (tg_argv[0], (to_jsonb(new) ->> tg_argv[1])::uuid);
        end if;
        perform pg_notify('quarterdeck_authority', '');
        return null;
      end $$`.execute(db)
    for (const [kind, table, id, columns] of FOLLOWED) {
      await sql`drop trigger ${sql.ref(`${table}_told`)} on ${sql.table(table)}`.execute(db)
      await sql`create trigger ${sql.ref(`${table}_followed`)}
        after insert or delete or update ${sql.raw(columns === '' ? '' : `of ${columns}`)} on ${sql.table(table)}
        for each row execute function follow_authority(${sql.lit(kind)}, ${sql.lit(id)})`.execute(db)
    }
    await sql`drop function tell_authority()`.execute(db)
    await sql`create view authority_fact as
      select 'account' as kind, id, json_build_object('name', name, 'identity', identity, 'kind', account.kind,
        'disabled', "disableTime" is not null,
        'groups', array(select "group" from user_group_member where account = account.id order by 1)) as fact
      from account
      union all select 'group', id, json_build_object('name', name) from user_group
      union all select 'role', id, json_build_object('name', name, 'permissions', permissions) from role
      union all select 'grant', id, json_build_object('role', role, 'holder', coalesce(account, "group"),
        'place', coalesce(environment::text, project::text, tenant::text, ''),
        'expireMs', extract(epoch from "expireTime") * 1000) from role_grant
      union all select 'tenant', id, json_build_object('name', name) from tenant
      union all select 'project', id, json_build_object('name', name, 'parent', tenant) from project
      union all select 'environment', id, json_build_object('name', name, 'parent', project,
        'cluster', cluster, 'namespace', namespace) from environment`.execute(db)
  },
}
