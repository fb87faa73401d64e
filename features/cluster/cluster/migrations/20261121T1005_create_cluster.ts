import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** Registered clusters; the kubeconfig is sealed with the key file, the rest is what was last seen. */
export const createCluster: Migration = {
  async up(db) {
    await sql`create table cluster (
      name text primary key,
      title text not null,
      origin text not null check (origin in ('local', 'kubeconfig')),
      simulated boolean not null,
      server text not null,
      context text,
      "sealedKubeconfig" text not null,
      "createTime" timestamptz not null default now(),
      "observeTime" timestamptz,
      observation jsonb
    )`.execute(db)
  },
}
