import type { Migration } from '@quarterdeck/store'
import { sql } from 'kysely'

/** Whoever owns a project or tenant reads Secrets there, and now changes them as well. */
export const letOwnersWriteSecrets: Migration = {
  async up(db) {
    await sql`update role set permissions = permissions || '["secret.write"]'
      where name in ('project-owner', 'tenant-owner') and "builtIn" and not permissions @> '["secret.write"]'`.execute(
      db,
    )
  },
}
