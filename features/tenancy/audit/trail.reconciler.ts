import type { Reconciler } from '@quarterdeck/reconcile'
import type { Db, Log } from '@quarterdeck/store'
import type { AuditCheck, AuditFilter, AuditGuard, AuditRecord, AuditRow } from './audit.contract.ts'
import { toRecord } from './record.rules.ts'
import type { Sealer } from './seal.reconciler.ts'
import { isSealDue } from './seal.rules.ts'
import { createSeal, lastSeal, listSeals } from './seal.store.ts'
import { findSink, listSinks, noteSent, type SinkRow, type Target } from './sink.store.ts'

export interface TrailOptions {
  db: Db
  sealer(): Sealer
  /** Newest first, or the oldest first with `after`. */
  list(filter: AuditFilter): Promise<AuditRow[]>
  /** Hashes by number, of those of these records that are there. */
  hashesOf(numbers: readonly number[]): Promise<ReadonlyMap<number, string>>
  /** Makes new records quick to find by text. */
  sortIn(): Promise<void>
  /** How the records are guarded from being changed. */
  guard(): Promise<AuditGuard>
  /** Number of the last record, and the first that is broken. */
  checkChain(): Promise<{ records: number; broken?: number }>
  /** Throws Error with a sentence. */
  send(target: Target, records: readonly AuditRecord[]): Promise<void>
  /** Opens a sink's secret. */
  open(sealed: string, owner: string): string
  log: Log
  now(): string
}

/** The trail as it is watched over. */
export interface Trail {
  reconciler: Reconciler
  /** Computes the chain anew and compares it with the seals. */
  check(): Promise<AuditCheck>
  lastCheck(): AuditCheck | undefined
}

const CHECK_SECONDS = 30
const END_SECONDS = 5
// Computing the chain costs PostgreSQL a second a hundred thousand records or so: a twentieth of the time at most.
const SHARE = 20
const AT_ONCE = 500
const LOOK_SECONDS = 2
const LONGEST_PAUSE_SECONDS = 300
const SINK = 'sink/'

/** Who owns the sealed secret of a sink: it opens nowhere else. */
export const sinkOwner = (name: string): string => `audit-sink/${name}`

/** Keys: `trail` checks the chain and seals it daily, `end` looks at its end and sorts new records in, `sink/NAME` sends what has not arrived there. */
export function watchTrail(options: TrailOptions): Trail {
  const { db, list, log, now } = options
  let last: AuditCheck | undefined
  /** The newest record, when it was last looked at: a tail that is cut off leaves a chain that is whole. */
  let seen: Pick<AuditRow, 'sequence' | 'hash'> | undefined

  async function check(): Promise<AuditCheck> {
    const [{ records, broken }, seals, guard] = await Promise.all([
      options.checkChain(),
      listSeals(db),
      options.guard(),
    ])
    const [brokenSeal, missingFrom] = await Promise.all([firstBroken(seals), missing()])
    last = {
      intact: broken === undefined && brokenSeal === undefined && missingFrom === undefined,
      checkTime: now(),
      records,
      seals: seals.length,
      ...(broken === undefined ? {} : { brokenAt: broken }),
      ...(brokenSeal === undefined ? {} : { brokenSeal }),
      ...(missingFrom === undefined ? {} : { missingFrom }),
      ...guard,
    }
    if (!last.intact) log.error({ ...last }, 'the audit trail is not as it was written')
    return last
  }

  /** Number of the first sealed record that its seal does not agree with, or whose seal is not ours. */
  async function firstBroken(seals: Awaited<ReturnType<typeof listSeals>>): Promise<number | undefined> {
    const sealer = options.sealer()
    const hashes = await options.hashesOf(seals.map(({ sequence }) => sequence))
    return seals.find((seal) => hashes.get(seal.sequence) !== seal.hash || !sealer.isOurs(seal))?.sequence
  }

  /** Number of a record that was the last one once, here or where records have been sent, and is not there any more. */
  async function missing(): Promise<number | undefined> {
    const [[newest], sinks] = await Promise.all([list({ limit: 1 }), listSinks(db)])
    if (seen && (await options.hashesOf([seen.sequence])).get(seen.sequence) !== seen.hash) return seen.sequence
    const sent = Math.max(0, ...sinks.map(({ sequence }) => sequence))
    if (sent > (newest?.sequence ?? 0)) return sent
    if (newest) seen = { sequence: newest.sequence, hash: newest.hash }
    return undefined
  }

  async function seal(): Promise<void> {
    const [made, [newest]] = await Promise.all([lastSeal(db), list({ limit: 1 })])
    const time = now()
    if (!newest || made?.sequence === newest.sequence || !isSealDue(made, time)) return
    await createSeal(db, options.sealer().seal({ sequence: newest.sequence, hash: newest.hash, time }))
  }

  async function deliver(sink: SinkRow): Promise<number> {
    const rows = await list({ after: sink.sequence, limit: AT_ONCE })
    const newest = rows.at(-1)
    if (!newest) return LOOK_SECONDS
    const secret = sink.sealedSecret === null ? undefined : options.open(sink.sealedSecret, sinkOwner(sink.name))
    const target: Target = { kind: sink.kind, settings: sink.settings, secret }
    try {
      await options.send(target, rows.map(toRecord))
    } catch (error) {
      const failures = sink.failures + 1
      await noteSent(db, sink.name, { failures, message: (error as Error).message.slice(0, 500) })
      return Math.min(LOOK_SECONDS * 2 ** Math.min(failures, 10), LONGEST_PAUSE_SECONDS)
    }
    await noteSent(db, sink.name, { sequence: newest.sequence, sentTime: now() })
    return rows.length === AT_ONCE ? 0 : LOOK_SECONDS
  }

  return {
    check,
    lastCheck: () => last,
    reconciler: {
      keys: async () => ['trail', 'end', ...(await listSinks(db)).map(({ name }) => `${SINK}${name}`)],
      async reconcile(key) {
        if (key.startsWith(SINK)) {
          const sink = await findSink(db, key.slice(SINK.length))
          return sink ? { requeueAfterSeconds: await deliver(sink) } : {}
        }
        if (key === 'end') {
          if ((await missing()) !== undefined && last?.missingFrom === undefined) await check()
          // What is not sorted in now is found all the same, and sorted in the next time.
          await options.sortIn().catch((error: Error) => log.warn({ error: error.message }, 'sorting in takes longer'))
          return { requeueAfterSeconds: END_SECONDS }
        }
        const began = performance.now()
        await seal()
        const { intact } = await check()
        const tookSeconds = (performance.now() - began) / 1000
        return { requeueAfterSeconds: intact ? Math.max(CHECK_SECONDS, tookSeconds * SHARE) : CHECK_SECONDS }
      },
    },
  }
}
