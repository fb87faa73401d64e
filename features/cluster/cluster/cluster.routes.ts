import { bind, type Server } from '@quarterdeck/http'
import { type AuditEntry, clusterForbidden, done, isProblem, notFound, storeUnavailable } from '@quarterdeck/kernel'
import { type Cluster, type Clusters, connectCluster, parseKubeconfig } from '@quarterdeck/kube'
import { hint } from '@quarterdeck/reconcile'
import { type Db, transaction } from '@quarterdeck/store'
import {
  type Capacity,
  type ClusterDetail,
  clusterExists,
  clusterInUse,
  getCluster,
  invalidKubeconfig,
  listClusters,
  otherCluster,
  registerCluster,
  removeCluster,
} from './cluster.contract.ts'
import { clusterDetail, clusterSummary } from './cluster.rules.ts'
import {
  type ClusterRow,
  deleteCluster,
  findCluster,
  findRevision,
  listClusterRows,
  lockCluster,
  type Sealer,
  saveCluster,
  saveObservation,
} from './cluster.store.ts'
import { withStorageSize } from './component.rules.ts'
import { look } from './look.routes.ts'
import { clusterCapacities, type MirroredClusters } from './mirrored-nodes.routes.ts'
import { nodeRoutes } from './node.routes.ts'
import { type Observation, observeCluster } from './observation.rules.ts'
import { notTheSame, uidOf } from './other-cluster.rules.ts'
import { isUsable, SUPPORTED_TEXT } from './version.rules.ts'

export interface ClusterRoutesOptions {
  db: Db
  clusters: Clusters
  /** Seals kubeconfigs for the database. */
  keyFile: Sealer
  /** Names of the environments on a cluster. */
  environmentsOf(cluster: string): Promise<string[]>
  /** Throws storeUnavailable while it is not open yet. */
  mirrored(): MirroredClusters
  /** Writes to the audit trail, within the transaction of what it tells. */
  record(tx: Db, entry: AuditEntry): Promise<unknown>
}

// Younger than this an observation is shown as it is; older, the cluster is looked at again for the one who asks.
const FRESH_MS = 10_000

export function clusterRoutes(server: Server, options: ClusterRoutesOptions): void {
  const { db, clusters, environmentsOf } = options
  const found = async (name: string): Promise<ClusterRow> => {
    const row = await findCluster(db, name)
    if (!row) throw notFound({ detail: `No cluster is registered as ${name}. qd cluster list shows those that are.` })
    return row
  }
  const detailOf = async (row: ClusterRow): Promise<ClusterDetail> => {
    const environments = (await environmentsOf(row.name)).length
    return clusterDetail(row, { environments, capacity: capacities(row.name).get(row.name) })
  }
  /** None while the mirror is not open: clusters are shown without. */
  const capacities = (cluster?: string) => {
    try {
      return clusterCapacities(options.mirrored(), cluster)
    } catch (error) {
      if (isProblem(error, storeUnavailable)) return new Map<string, Capacity>()
      throw error
    }
  }

  bind(server, listClusters, async () => {
    const rows = await listClusterRows(db)
    const capacity = capacities()
    const summary = async (row: ClusterRow) =>
      clusterSummary(row, { environments: (await environmentsOf(row.name)).length, capacity: capacity.get(row.name) })
    return { items: await Promise.all(rows.map(summary)), total: rows.length }
  })
  bind(server, getCluster, async ({ params, signal }) => {
    const row = await found(params.cluster)
    const fresh = row.observeTime !== null && Date.now() - Date.parse(row.observeTime) < FRESH_MS
    if (!fresh) await look(db, clusters, row)
    const detail = await detailOf(fresh ? row : await found(params.cluster))
    if (detail.state === 'Unreachable') return detail
    const metrics = await metricsOf(await clusters.get(row.name), signal)
    return { ...detail, components: withStorageSize(detail.components, metrics) }
  })
  nodeRoutes(server, {
    mirrored: options.mirrored,
    async clusterOf(name) {
      await found(name)
      return clusters.get(name)
    },
  })
  bind(server, registerCluster, async ({ params, body, subject }) => {
    const name = params.cluster
    if (!body.replace && (await findCluster(db, name))) throw taken(name)
    const { kubeconfig, context } = body
    const choice = context === undefined ? {} : { context }
    const { server } = parseKubeconfig(kubeconfig, choice)
    const { observation, uid } = await tryOut(connectCluster({ name, kubeconfig, ...choice }))
    const environments = await environmentsOf(name)
    await transaction(db, async (tx) => {
      const { replace } = body
      const before = await lockCluster(tx, name)
      const { otherCluster: confirmed, environments: named } = body
      const asked = { server, uid, otherCluster: confirmed, named, environments }
      const difference = before && notTheSame(before, asked)
      if (difference !== undefined) throw otherCluster({ detail: difference, environments })
      // At its old address it stays what it was when its new credentials do not say.
      const known = uid ?? (before?.server === server ? undefined : null)
      // The one on this machine stays that, whoever gives it a kubeconfig.
      const { origin, simulated } = before?.server === server ? before : ELSEWHERE
      const registration = {
        name,
        title: body.title ?? name,
        origin,
        simulated,
        server,
        ...(known === undefined ? {} : { uid: known }),
      }
      if (!(await saveCluster(tx, options.keyFile, { ...registration, kubeconfig, context }, { replace }))) {
        throw taken(name)
      }
      const is =
        before?.uid && known !== undefined && before.uid !== known
          ? `; another cluster than before, ${uid ?? 'unknown'} instead of ${before.uid}`
          : ''
      await options.record(tx, done(registerCluster, subject.name, `cluster ${name}`, `API server ${server}${is}`))
      // Other processes hold connections of their own.
      await hint(tx, 'cluster', name)
      await hint(tx, 'identity', name)
    })
    // Whoever has opened it with this kubeconfig already goes on.
    await clusters.refresh(name, (await findRevision(db, name)) ?? '')
    await saveObservation(db, await found(name), observation)
    return detailOf(await found(name))
  })
  bind(server, removeCluster, async ({ params, subject }) => {
    const environments = await environmentsOf(params.cluster)
    if (environments.length > 0) {
      throw clusterInUse({
        detail: `${environments.length} environments are on ${params.cluster}: ${environments.slice(0, 10).join(', ')}. Delete them first.`,
      })
    }
    await transaction(db, async (tx) => {
      if (!(await deleteCluster(tx, params.cluster))) return
      await options.record(tx, done(removeCluster, subject.name, `cluster ${params.cluster}`))
      await hint(tx, 'cluster', params.cluster)
    })
    await clusters.invalidate(params.cluster)
    return null
  })
}

/** The API server's metrics; empty when it does not let us read them. */
const metricsOf = (cluster: Cluster, signal: AbortSignal): Promise<string> =>
  cluster.raw('/metrics', { signal, timeoutSeconds: 5 }).then(String, (error: unknown) => {
    if (isProblem(error)) return ''
    throw error
  })

const ELSEWHERE = { origin: 'kubeconfig', simulated: false } as const

const taken = (name: string) =>
  clusterExists({
    detail: `A cluster named ${name} is registered. Choose another name, or give replace to change its kubeconfig.`,
  })

/** Uses the kubeconfig once before it is kept. Throws clusterUnreachable, or invalidKubeconfig saying the cure. */
async function tryOut(cluster: Cluster): Promise<{ observation: Observation; uid: string | undefined }> {
  try {
    const { gitVersion } = await cluster.version()
    if (!isUsable(gitVersion)) {
      throw invalidKubeconfig({
        detail: `The cluster runs Kubernetes ${gitVersion}, which lacks server-side apply; ${SUPPORTED_TEXT} supported. Upgrade it first.`,
      })
    }
    const observation = await observeCluster(cluster, Date.now())
    if (observation.state === 'Unreachable') {
      throw invalidKubeconfig({ detail: `The cluster answers, but cannot be used: ${observation.message}` })
    }
    return { observation, uid: await uidOf(cluster) }
  } catch (error) {
    if (!isProblem(error, clusterForbidden) && !isProblem(error, notFound)) throw error
    throw invalidKubeconfig({
      detail:
        error.body.credentials === 'refused'
          ? 'users: the cluster does not accept the credentials; they are expired, revoked or of another cluster. Take a new kubeconfig from the cluster.'
          : (error.body.detail ?? error.body.title),
    })
  } finally {
    await cluster.close()
  }
}
