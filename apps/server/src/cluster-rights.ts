import { permissionMissing, type Subject } from '@quarterdeck/kernel'
import { hint } from '@quarterdeck/reconcile'
import type { Db, Log } from '@quarterdeck/store'
import type { NativeRoutesOptions } from '../../../features/cluster/native/native.routes.ts'
import type { OpenAuthority } from '../../../features/tenancy/grant/authority.routes.ts'
import type { Parts } from './parts.ts'

/** What grants say of the Kubernetes API of a cluster. */
export function nativeRights({
  authority,
  codes,
}: Pick<Parts, 'authority' | 'codes'>): Pick<
  NativeRoutesOptions,
  'admit' | 'permissionsAt' | 'onLoss' | 'stepUp' | 'environmentAt'
> {
  const { permissionsAt, placeOf, environmentsWith, environmentAt } = authority
  return {
    permissionsAt,
    environmentAt,
    stepUp(subject, endpoint, place, permission) {
      const environment = environmentAt(place)
      return codes.stepUp(subject, endpoint, environment === undefined ? {} : { environment }, permission)
    },
    admit(subject: Subject, cluster: string) {
      const environments = environmentsWith(subject, 'cluster.native')
      if (!environments || [...environments].some((name) => placeOf(name)?.cluster === cluster)) return
      throw permissionMissing({ permission: 'cluster.native', ...authority.denial(subject, 'cluster.native', {}) })
    },
    onLoss(subject, place, lost) {
      const had = [...permissionsAt(subject, place)]
      return authority.onChange(() => {
        const now = permissionsAt(subject, place)
        if (had.some((permission) => !now.has(permission))) lost()
      })
    },
  }
}

/** Every change of who may what is told to all clusters. Ends with what it answers. */
export function tellClusters({
  db,
  log,
  authority,
  registered,
}: {
  db: Db
  log: Log
  authority: OpenAuthority
  registered: () => Promise<string[]>
}): () => void {
  const tell = async () => {
    for (const name of await registered()) await hint(db, 'identity', name)
  }
  // A hint that is lost costs at most the pause of the reconciler.
  return authority.onChange(() => {
    tell().catch((error: unknown) => log.warn({ err: error }, 'clusters are told later of who may what'))
  })
}
