import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findMigrations, migrate, openStore, schemaDump } from '@quarterdeck/store'
import { root } from '../stage.ts'

/** The schema as all migrations leave it on a real, empty PostgreSQL. */
export async function schemaReport(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-schema-'))
  chmodSync(folder, 0o755) // PostgreSQL may run as another user
  const store = await openStore({ stateFolder: folder, poolSize: 5, serverSettings: { fsync: 'off' } })
  try {
    await migrate(store, findMigrations(join(root, 'features')))
    return await schemaDump(store.db)
  } finally {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
