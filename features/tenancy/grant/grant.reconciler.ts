import { type AuditEntry, done } from '@quarterdeck/kernel'
import type { Reconciler } from '@quarterdeck/reconcile'
import { type Db, transaction } from '@quarterdeck/store'
import { forgetOldChanges } from './authority.store.ts'
import { deleteExpired, findGrant, listExpired } from './grant.store.ts'

interface Parts {
  db: Db
  /** Writes to the audit trail, within the transaction of what it tells. */
  record(tx: Db, entry: AuditEntry): Promise<unknown>
}

/**
 * Key: id of a grant that has run out, or '' for what is kept of old changes. That a grant no longer counts needs
 * nobody to do anything; this clears it away and writes that it has ended.
 */
export function grantReconciler({ db, record }: Parts): Reconciler {
  return {
    keys: async () => ['', ...(await listExpired(db))],
    async reconcile(id) {
      if (id === '') {
        await forgetOldChanges(db)
        return {}
      }
      await transaction(db, async (tx) => {
        const row = await findGrant(tx, id)
        if (!row || !(await deleteExpired(tx, id))) return
        const { role, user, group, environment, project, tenant, expireTime, grantor } = row
        const place = environment ?? project ?? tenant
        const what = `role ${role} of ${user ?? `group ${group}`}${place === null ? '' : ` in ${place}`}`
        const detail = `It ended at ${expireTime}; it was given by ${grantor}`
        await record(tx, done({ id: 'grant.expire' }, 'quarterdeck', what, detail, environment ?? undefined))
      })
      return {}
    },
  }
}
