import { bind, type Server } from '@quarterdeck/http'
import { notFound } from '@quarterdeck/kernel'
import type { Db } from '@quarterdeck/store'
import { getClusterAccess } from './identity.contract.ts'
import { findAccess, listClusters } from './identity.store.ts'

/** Says how far people get through. */
export function identityRoutes(server: Server, { db }: { db: Db }): void {
  bind(server, getClusterAccess, async ({ params }) => {
    const found = await findAccess(db, params.cluster)
    if (found) return found
    if ((await listClusters(db)).includes(params.cluster)) return { state: 'Unknown' as const, messages: [] }
    throw notFound({
      detail: `No cluster is registered as ${params.cluster}. qd cluster list shows those that are.`,
    })
  })
}
