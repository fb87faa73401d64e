import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Db, findMigrations, lateStore, migrate, type Store, transaction } from '@quarterdeck/store'
import { sql } from 'kysely'
import { audit } from '../features/delivery/operation/operation.store.ts'
import { type BenchOptions, percentile, type Result, result } from './measure.ts'

const AT_ONCE = 32
const SECONDS = 8
const PACED_A_SECOND = 500

interface Run {
  perSecond: number
  times: number[]
}

/** W18: changes that are written down in the audit trail, each durable before it is answered. */
export async function auditedMutations({ rounds = 2 }: BenchOptions): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-w18-'))
  chmodSync(folder, 0o755)
  const { store, open } = lateStore({ stateFolder: folder, poolSize: AT_ONCE, asServer: true })
  try {
    await open(prepare)
    const change = (db: Db) => sql`insert into thing (text) values ('a change')`.execute(db)
    const plain = () => transaction(store.db, change)
    const audited = () =>
      transaction(store.db, async (tx) => {
        await change(tx)
        const what = 'one/dev/application/shop'
        await audit(tx, { operation: null, actor: 'ann', act: 'thing.make', what, outcome: 'succeeded', detail: '' })
      })
    for (const act of [plain, audited]) await flatOut(act, 1)
    const [bare, full, pacedBare, pacedFull]: Run[][] = [[], [], [], []]
    for (let round = 0; round < rounds; round++) {
      for (const [act, runs, pacedRuns] of [
        [plain, bare, pacedBare],
        [audited, full, pacedFull],
      ] as const) {
        runs?.push(await flatOut(act, SECONDS))
        pacedRuns?.push(await paced(act, SECONDS))
      }
    }
    const all = (runs: Run[] = []) => runs.flatMap(({ times }) => times)
    const rate = (runs: Run[] = []) => Math.round(Math.max(...runs.map(({ perSecond }) => perSecond)))
    const added = (share: number) =>
      Math.round((percentile(all(pacedFull), share) - percentile(all(pacedBare), share)) * 10) / 10
    const measured = {
      auditedPerSecond: rate(full),
      addedP99Ms: added(0.99),
      addedP50Ms: added(0.5),
      auditedP50Ms: percentile(all(pacedFull), 0.5),
      auditedP99Ms: percentile(all(pacedFull), 0.99),
      records: await count(store),
    }
    const peers = { withoutAudit: { perSecond: rate(bare), p99Ms: percentile(all(pacedBare), 0.99) } }
    const remark = `Embedded PostgreSQL with fsync, in this process's pool of ${AT_ONCE} connections that act as the server's role; a transaction that inserts one row, with and without its record in the chained audit trail. Rate: ${AT_ONCE} at once; added: at ${PACED_A_SECOND} a second.`
    return result('W18', 0, { auditedPerSecond: 2_000, addedP99Ms: 3 }, measured, peers, remark)
  } finally {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** As the owner, before the server's sessions are opened. */
async function prepare(owner: Pick<Store, 'connect'>): Promise<void> {
  await migrate(owner, findMigrations(join(import.meta.dirname, '../features')))
  const session = await owner.connect()
  await session.query('create table thing (id bigint generated always as identity primary key, text text)')
  await session.close()
}

async function flatOut(act: () => Promise<unknown>, seconds: number): Promise<Run> {
  const times: number[] = []
  const began = performance.now()
  const work = async () => {
    while (performance.now() - began < seconds * 1_000) {
      const start = performance.now()
      await act()
      times.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return { perSecond: times.length / ((performance.now() - began) / 1_000), times }
}

async function paced(act: () => Promise<unknown>, seconds: number): Promise<Run> {
  const times: number[] = []
  const under: Promise<unknown>[] = []
  const began = performance.now()
  for (let sent = 0; sent < PACED_A_SECOND * seconds; sent++) {
    const wait = began + (sent * 1_000) / PACED_A_SECOND - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    const start = performance.now()
    under.push(act().then(() => times.push(performance.now() - start)))
  }
  await Promise.all(under)
  return { perSecond: PACED_A_SECOND, times }
}

async function count({ db }: Store): Promise<number> {
  const { rows } = await sql<{ count: string }>`select count(*) from audit_event`.execute(db)
  return Number(rows[0]?.count)
}
