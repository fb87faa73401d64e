import type { Reconciler } from '@quarterdeck/reconcile'
import type { Db } from '@quarterdeck/store'
import { listPresent, prune, record } from './version.store.ts'

interface Parts {
  db: Db
  clusters(): Promise<string[]>
  /**
   * Tells of objects of a cluster, as it is just now, which uid has that name; null when there is none, undefined while
   * that is not known.
   */
  uidsOf(cluster: string): (ref: { resource: string; namespace: string; name: string }) => string | null | undefined
  /** How long versions are kept. */
  keepDays(): Promise<number>
  now(): number
}

const EVERY_SECONDS = 600
const PAGE = 1_000
const DAY = 86_400_000

/** Key: cluster name, or '' for the age limit. Marks as deleted what went while nobody looked, and forgets what is old. */
export function versionReconciler({ db, clusters, uidsOf, keepDays, now }: Parts): Reconciler {
  /** When each key was last worked off whole: that all keys are looked through every minute is no reason to look at every object. */
  const done = new Map<string, number>()
  /** Answers whether of every object it was known what is there. */
  async function markGone(cluster: string, signal: AbortSignal): Promise<boolean> {
    let after = '0'
    let known = true
    while (!signal.aborted) {
      const present = await listPresent(db, cluster, after, PAGE)
      const uidOf = uidsOf(cluster)
      for (const { resource, kind, namespace, name, uid } of present) {
        const there = uidOf({ resource, namespace, name })
        known &&= there !== undefined
        if (there === undefined || there === uid) continue
        const unknown = { generation: 0, revision: '', manager: '', managedTime: '', content: '' }
        const gone = { ...unknown, change: 'deleted' as const, namespace, name, uid, time: now() }
        await record(db, { cluster, resource, kind }, [gone])
      }
      const last = present.at(-1)
      if (present.length < PAGE || !last) return known
      after = last.id
    }
    return false
  }
  return {
    keys: async () => ['', ...(await clusters())],
    async reconcile(cluster, { signal }) {
      const since = (now() - (done.get(cluster) ?? Number.NEGATIVE_INFINITY)) / 1_000
      if (since < EVERY_SECONDS) return { requeueAfterSeconds: EVERY_SECONDS - since }
      if (cluster !== '') {
        if (!(await markGone(cluster, signal))) return { requeueAfterSeconds: EVERY_SECONDS }
      } else {
        const before = new Date(now() - (await keepDays()) * DAY).toISOString()
        const registered = await clusters()
        while (!signal.aborted && (await prune(db, before, registered)));
      }
      done.set(cluster, now())
      return { requeueAfterSeconds: EVERY_SECONDS }
    },
  }
}
