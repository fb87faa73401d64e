import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** What belongs to other features, as far as clusters are told of it. */
export const viewRegistered: Migration = {
  async up(db) {
    await sql`create view registered_cluster as select name from cluster`.execute(db)
    await sql`create view native_place as select cluster, namespace from environment`.execute(db)
    await sql`create view cluster_person as
      select account.name, identity as user, account.id::text as uid, account."createTime", array(
        select 'quarterdeck:group:' || user_group.name from user_group_member
        join user_group on user_group.id = user_group_member."group" where user_group_member.account = account.id
      ) as groups
      from account where "disableTime" is null`.execute(db)
  },
}
