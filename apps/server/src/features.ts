import { definitions, reconcilersOf } from '@quarterdeck/controller'
import type { Server } from '@quarterdeck/http'
import type { Subject } from '@quarterdeck/kernel'
import type { KindSpec, ObjectChange } from '@quarterdeck/mirror'
import { hint, type Reconciler } from '@quarterdeck/reconcile'
import type { Db } from '@quarterdeck/store'
import { applicationRoutes } from '../../../features/application/application/application.routes.ts'
import { countByEnvironment } from '../../../features/application/application/application.store.ts'
import { proposeApplication } from '../../../features/application/application/proposal.rules.ts'
import { yamlChange } from '../../../features/application/application/yaml-change.routes.ts'
import { readDocuments } from '../../../features/application/manifest/document.routes.ts'
import { manifestRoutes } from '../../../features/application/manifest/manifest.routes.ts'
import { clusterRoutes } from '../../../features/cluster/cluster/cluster.routes.ts'
import { listClusterRows } from '../../../features/cluster/cluster/cluster.store.ts'
import { actFor } from '../../../features/cluster/identity/acting.routes.ts'
import { identityRoutes } from '../../../features/cluster/identity/identity.routes.ts'
import { nativeRoutes } from '../../../features/cluster/native/native.routes.ts'
import { mirrorFigures } from '../../../features/cluster/object/mirror-figures.routes.ts'
import { nodePortHolders } from '../../../features/cluster/object/node-port.routes.ts'
import { objectRoutes } from '../../../features/cluster/object/object.routes.ts'
import { setupRoutes } from '../../../features/cluster/setup/setup.routes.ts'
import {
  currentSettings,
  followVersionSettings,
  versionSettingRoutes,
} from '../../../features/cluster/version/setting.routes.ts'
import { versionReconciler } from '../../../features/cluster/version/version.reconciler.ts'
import { versionRoutes } from '../../../features/cluster/version/version.routes.ts'
import { type RecordedObject, record } from '../../../features/cluster/version/version.store.ts'
import { logRoutes } from '../../../features/container/log/log.routes.ts'
import { openTerminals, terminalRoutes } from '../../../features/container/terminal/terminal.routes.ts'
import { auditEntryOf } from '../../../features/container/terminal/terminal.rules.ts'
import { listAuthorships } from '../../../features/delivery/operation/author.store.ts'
import { changeMaker } from '../../../features/delivery/operation/change.routes.ts'
import { fieldChanges } from '../../../features/delivery/operation/field-change.rules.ts'
import { operationRoutes } from '../../../features/delivery/operation/operation.routes.ts'
import { audit } from '../../../features/delivery/operation/operation.store.ts'
import { imageRoutes, openImages } from '../../../features/image/image/image.routes.ts'
import { ensureFirstEnvironment } from '../../../features/tenancy/environment/change-environment.routes.ts'
import { environmentRoutes, getEnvironmentPlace } from '../../../features/tenancy/environment/environment.routes.ts'
import { list as listEnvironments } from '../../../features/tenancy/environment/environment.store.ts'
import { usageReader } from '../../../features/tenancy/environment/usage.routes.ts'
import { grantAdministrator } from '../../../features/tenancy/grant/authority.store.ts'
import { groupRoutes } from '../../../features/tenancy/group/group.routes.ts'
import { projectRoutes } from '../../../features/tenancy/project/project.routes.ts'
import { tenantOfProject } from '../../../features/tenancy/tenant/placing.store.ts'
import { tenantRoutes } from '../../../features/tenancy/tenant/tenant.routes.ts'
import { tenants } from '../../../features/tenancy/tenant/tenant.store.ts'
import { passwordRoutes } from '../../../features/tenancy/user/password.routes.ts'
import { keepAnAdministrator, userRoutes } from '../../../features/tenancy/user/user.routes.ts'
import { auditTrail } from './audit-trail.ts'
import { nativeRights, tellClusters } from './cluster-rights.ts'
import { granting } from './granting.ts'
import { type Parts, recordAct } from './parts.ts'
import { presentUids } from './present-uids.ts'
import { bindSignIn } from './sign-in.ts'

/** What has been bound. */
export interface Features {
  /** The reconcilers that this process runs: all of them, in the single-process default. */
  reconcilers: Record<string, Reconciler>
  /** Makes an environment on the cluster when there is none. Answers the name of the first. */
  ensureFirstEnvironment(cluster: string): Promise<string>
  /** Ends what goes on between requests: terminals and watches. */
  close(): Promise<void>
}

const DEFINITIONS = 'customresourcedefinitions.apiextensions.k8s.io'
/** The cluster takes a moment to serve a kind after its definition; what both miss, the next look finds. */
const SERVED_AFTER_MS = [1_000, 5_000]

/** Keeps versions of objects that the mirror has seen change. Whoever works there is let write kinds that come. */
export const recorder =
  (db: Db) =>
  async (cluster: string, { resource, kind }: KindSpec, changes: ObjectChange[]): Promise<void> => {
    await record(db, { cluster, resource, kind }, changes)
    if (resource !== DEFINITIONS) return
    for (const delay of SERVED_AFTER_MS) setTimeout(() => hint(db, 'identity', cluster).catch(() => {}), delay).unref()
  }

/** Who had an object changed, by operations and by what the audit trail tells of native requests. */
const authorshipsOf = (db: Db) => (object: RecordedObject, span: { since: string; until: string }) =>
  listAuthorships(db, { ...object, plural: object.resource.split('.')[0] ?? '' }, span)

/** Settings of recorded versions are in force as soon as they are saved. */
function versionSettings(server: Server, { store, db, mirror, log, versionSettings: initial }: Parts): () => void {
  versionSettingRoutes(server, {
    db,
    initial,
    clusters: async () => (await listClusterRows(db)).map(({ name }) => name),
    served: () => mirror.current?.mirror.kinds().map(({ resource }) => resource),
    record: recordAct,
    now: Date.now,
  })
  const apply = ({ unrecorded }: typeof initial) => mirror.current?.mirror.recordAllBut(unrecorded)
  return followVersionSettings({ db, initial, listen: store.listen, apply, log })
}

/** Binds every endpoint: one line a feature. */
export function bindFeatures(server: Server, parts: Parts): Features {
  const { store, db, clusters, keyFile, setup, mirror } = parts
  const clusterOf = clusters.get
  const { clusterAs, executorOf } = actFor({ clusters, identityOf: parts.authority.identityOf })
  const makeChange = changeMaker({ db, clusterOf, clusterAs, executorOf, definitions })
  const images = openImages({ registries: parts.registries })
  const terminals = openTerminals({ audit: async (event) => void (await recordAct(db, auditEntryOf(event))) })
  const placeOf = (name: string) => getEnvironmentPlace(db, name)
  const environment = async (name: string, subject: Subject) => {
    const { cluster, namespace } = await placeOf(name)
    return { cluster: await clusterOf(cluster), person: await clusterAs(subject, cluster), namespace }
  }
  const environmentsOf = async (cluster: string) =>
    (await listEnvironments(db)).filter((row) => row.cluster === cluster).map(({ name }) => name)

  setupRoutes(server, setup)
  const { authority, url } = parts
  const { signIns, provider } = bindSignIn(server, parts)
  passwordRoutes(server, { db, record: recordAct, signIns, grantAdministrator, granted: () => authority.refresh() })
  const { endCredentials, revoked } = signIns
  userRoutes(server, { db, record: recordAct, reach: authority, endCredentials, revoked, url })
  const grant = granting(server, { db, authority, record: recordAct })
  groupRoutes(server, { db, record: recordAct, reach: authority, keepAnAdministrator })
  const mirrored = () => mirror.opened().mirror
  clusterRoutes(server, { db, clusters, keyFile, environmentsOf, mirrored, record: recordAct })
  const { readerOf } = parts.access
  versionRoutes(server, { db, readerOf, authorships: authorshipsOf(db), fieldChanges })
  const unfollowed = versionSettings(server, parts)
  const trail = auditTrail(server, parts)
  const scopeOf = (place: { cluster: string; namespace: string }) => {
    const environment = authority.environmentAt(place)
    return environment === undefined ? {} : { environment }
  }
  const readYaml = (yaml: string) => readDocuments(yaml).map(({ value }) => value)
  objectRoutes(server, { opened: mirror.opened, readerOf, clusterOf, clusterAs, makeChange, scopeOf, readYaml })
  server.figures.push(() => (mirror.current ? mirrorFigures(mirror.current.mirror) : []))
  identityRoutes(server, { db })
  nativeRoutes(server, { ...nativeRights(parts), clusterAs, audit: (event) => audit(db, event) })
  const changed = () => parts.authority.refresh()
  const usage = { clusterOf, mirrored: () => mirror.current?.mirror }
  const environments = { db, makeChange, ...usage, tenantOf: tenantOfProject, changed }
  environmentRoutes(server, { ...environments, countApplications: countByEnvironment })
  const usedIn = usageReader(usage)
  tenantRoutes(server, { db, usedIn, record: recordAct, changed })
  projectRoutes(server, { db, tenants, usedIn, record: recordAct, changed })
  const { environmentsWith } = parts.authority
  operationRoutes(server, { db, listen: store.listen, undo: makeChange.undo, definitions, environmentsWith })
  const applications = {
    db,
    makeChange,
    clusterOf,
    placeOf,
    inspect: (image: string) => images.inspect(image),
    nodePortHolders: (cluster: string, ports: readonly number[]) =>
      mirror.current ? nodePortHolders(mirror.current.mirror, cluster, ports) : [],
  }
  applicationRoutes(server, applications)
  manifestRoutes(server, { makeChange, change: yamlChange(applications) })
  imageRoutes(server, { images, propose: (image) => proposeApplication(image) })
  logRoutes(server, { environment })
  terminalRoutes(server, { terminals, environment })
  const registered = async () => (await listClusterRows(db)).map(({ name }) => name)
  const untold = tellClusters({ db, log: parts.log, authority, registered })
  const version = versionReconciler({
    db,
    clusters: registered,
    uidsOf: (cluster) => presentUids(mirror.current?.mirror, cluster),
    keepDays: async () => (await currentSettings(db, parts.versionSettings)).keepDays,
    now: Date.now,
  })
  const reconcilers = { ...reconcilersOf({ db, clusters }), version, provider, audit: trail, grant }
  return {
    reconcilers,
    ensureFirstEnvironment: async (cluster) => (await ensureFirstEnvironment(environments, { cluster })).name,
    async close() {
      unfollowed()
      untold()
      reconcilers.operation.close()
      await terminals.close('The server is stopping')
    },
  }
}
