import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { createClusters, openKeyFile } from '@quarterdeck/kube'
import { runReconcilers } from '@quarterdeck/reconcile'
import { findMigrations, type Log, lateStore, migrate, StoreError } from '@quarterdeck/store'
import { countSealed, findKubeconfig } from '../../../features/cluster/cluster/cluster.store.ts'
import { reconcilersOf } from './features.ts'

// A further replica beside servers on the same database: it shares their work, key by key. Log lines are JSON.
const usage = `Usage: DATABASE_URL=postgres://… node apps/controller/src/main.ts

  DATABASE_URL       the database that the servers use
  QUARTERDECK_HOME   folder with the file "key" of those servers (/var/lib/quarterdeck for root, else ~/.quarterdeck)`

const write = (level: number) => (fields: object, msg: string) =>
  console.log(JSON.stringify({ level, time: Date.now(), ...fields, msg }, errorAsText))
const errorAsText = (_key: string, value: unknown) => (value instanceof Error ? (value.stack ?? value.message) : value)
const log: Log = { info: write(30), warn: write(40), error: write(50) }

const databaseUrl = process.env.DATABASE_URL
if (!databaseUrl) {
  console.error(`DATABASE_URL is missing: a controller of its own needs the database that the servers use\n\n${usage}`)
  process.exit(2)
}
await run(databaseUrl).catch((error: unknown) => {
  console.error(error instanceof StoreError ? `${error.message}\n${error.cure}` : error)
  process.exit(1)
})

async function run(url: string): Promise<void> {
  const fallback = process.getuid?.() === 0 ? '/var/lib/quarterdeck' : join(homedir(), '.quarterdeck')
  const home = resolve(process.env.QUARTERDECK_HOME || fallback)
  const late = lateStore({ stateFolder: home, databaseUrl: url, asServer: true, logger: log })
  await late.open((owner) => migrate(owner, findMigrations(join(import.meta.dirname, '../../../features'))))
  const { store } = late
  const { db } = store
  const keyFile = await openKeyFile(join(home, 'key'), { sealedRows: await countSealed(db) })
  const clusters = createClusters({ load: (name) => findKubeconfig(db, keyFile, name) })
  const reconcilers = reconcilersOf({ db, clusters })
  const running = runReconcilers({ store, reconcilers, logger: log })
  log.info({ kinds: Object.keys(reconcilers) }, 'the controller runs')
  let stopping = false
  async function stop() {
    if (stopping) process.exit(1)
    stopping = true
    setTimeout(() => process.exit(1), 20_000).unref()
    await running.close()
    reconcilers.operation.close()
    await clusters.close()
    await store.close()
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop())
}
