import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** True only for the kubeconfig that the operator started the server with: its credential plugin may be run. */
export const addClusterAllowPlugin: Migration = {
  async up(db) {
    await sql`alter table cluster add column "allowPlugin" boolean not null default false`.execute(db)
  },
}
