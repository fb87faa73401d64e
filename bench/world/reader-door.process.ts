// The real HTTP door with sessions, permissions and rate limit, and behind it the lists of the mirror for a reader who
// sees some namespaces only. Until permissions have places the server itself shows everything to whoever may list
// objects; this is the same wiring with another `readerOf`. Started by reader-door.ts.
import { createServer } from '@quarterdeck/http'
import { notFound } from '@quarterdeck/kernel'
import { openMirror, parseFilter, parseSort } from '@quarterdeck/mirror'
import { findMigrations, migrate, openStore } from '@quarterdeck/store'
import type { ObjectReader } from '../../features/cluster/access/access.contract.ts'
import { objectRoutes } from '../../features/cluster/object/object.routes.ts'
import { grantAdministrator } from '../../features/tenancy/grant/authority.store.ts'
import { openSignIns } from '../../features/tenancy/session/authenticate.routes.ts'
import { sessionRoutes } from '../../features/tenancy/session/session.routes.ts'
import { endCredentials } from '../../features/tenancy/session/token.store.ts'
import { setAdministratorPassword } from '../../features/tenancy/user/administrator.routes.ts'
import { PASSWORD } from '../../test/platform/platform.ts'
import type { ReaderDoorRequest } from './reader-door.ts'

const refused = () => {
  throw notFound({ detail: 'Only lists are answered here' })
}

process.once('message', async ({ stateFolder, featuresFolder, kubeconfig, namespaces }: ReaderDoorRequest) => {
  const store = await openStore({ stateFolder })
  await migrate(store, findMigrations(featuresFolder))
  const { db } = store
  const record = async () => undefined
  await setAdministratorPassword({ db, password: PASSWORD, record, grantAdministrator, endCredentials })
  const signIns = openSignIns({ db, listen: store.listen })
  const log = { info: () => {}, warn: (fields: object, message: string) => console.error(message, fields) }
  const opened = { mirror: openMirror({ log }), parseFilter, parseSort }
  const allowed = new Set(namespaces)
  const reader: ObjectReader = {
    key: 'a third',
    generation: 0,
    may: (_resource, _cluster, namespace) => allowed.has(namespace),
    knows: () => true,
    allows: () => false,
  }
  const server = await createServer({ authenticate: signIns.authenticate, logLevel: 'warn' })
  sessionRoutes(server, { db, record, revoked: signIns.forget })
  objectRoutes(server, {
    opened: () => opened,
    readerOf: () => reader,
    clusterOf: refused,
    clusterAs: refused,
    makeChange: refused,
    scopeOf: () => ({}),
    readYaml: refused,
  })
  const url = await server.listen(0)
  opened.mirror.watch({ name: 'bench', kubeconfig, revision: '1' })
  process.send?.({ url })
  process.once('disconnect', async () => {
    await server.close()
    await opened.mirror.close()
    signIns.close()
    await store.close()
    process.exit(0)
  })
})
