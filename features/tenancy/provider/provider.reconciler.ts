import type { Reconciler } from '@quarterdeck/reconcile'
import type { Db } from '@quarterdeck/store'
import { findProvider, listProviderRows } from './provider.store.ts'

const EVERY_SECONDS = 15 * 60

/** Somebody may have signed in meanwhile; they are asked about no earlier than a minute later. */
const LOOK_SECONDS = 60

/**
 * Key: a provider's name. Compares directories with those who have signed in, every 15 minutes, and asks OIDC providers
 * about their sessions when that is due, on one process.
 */
export const providerReconciler = ({
  db,
  sync,
  askAgain,
  now = Date.now,
}: {
  db: Db
  sync(provider: string): Promise<string>
  /** Seconds until it is due again; undefined while nobody is to be asked about. */
  askAgain(provider: string): Promise<number | undefined>
  now?: () => number
}): Reconciler => ({
  async keys() {
    return (await listProviderRows(db)).filter(({ enabled }) => enabled).map(({ name }) => name)
  },
  async reconcile(name) {
    const row = await findProvider(db, name)
    if (!row?.enabled) return {}
    if (row.settings.kind === 'oidc') {
      const due = await askAgain(name)
      return { requeueAfterSeconds: Math.min(due ?? LOOK_SECONDS, LOOK_SECONDS) }
    }
    const passed = row.syncTime === null ? EVERY_SECONDS : (now() - Date.parse(row.syncTime)) / 1_000
    if (passed >= 0 && passed < EVERY_SECONDS) return { requeueAfterSeconds: Math.ceil(EVERY_SECONDS - passed) }
    // That it could not be asked is told on its page; it is asked again as usual.
    await sync(name).catch(() => undefined)
    return { requeueAfterSeconds: EVERY_SECONDS }
  },
})
