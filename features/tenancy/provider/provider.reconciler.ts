import type { Reconciler } from '@quarterdeck/reconcile'
import type { Db } from '@quarterdeck/store'
import { findProvider, listProviderRows } from './provider.store.ts'

const EVERY_SECONDS = 15 * 60

/** Key: a provider's name. Compares directories with those who have signed in, every 15 minutes, on one process. */
export const providerReconciler = ({
  db,
  sync,
  now = Date.now,
}: {
  db: Db
  sync(provider: string): Promise<string>
  now?: () => number
}): Reconciler => ({
  async keys() {
    return (await listProviderRows(db))
      .filter(({ enabled, settings }) => enabled && settings.kind === 'ldap')
      .map(({ name }) => name)
  },
  async reconcile(name) {
    const row = await findProvider(db, name)
    if (!row?.enabled || row.settings.kind !== 'ldap') return {}
    const passed = row.syncTime === null ? EVERY_SECONDS : (now() - Date.parse(row.syncTime)) / 1_000
    if (passed >= 0 && passed < EVERY_SECONDS) return { requeueAfterSeconds: Math.ceil(EVERY_SECONDS - passed) }
    // That it could not be asked is told on its page; it is asked again as usual.
    await sync(name).catch(() => undefined)
    return { requeueAfterSeconds: EVERY_SECONDS }
  },
})
