import {
  clusterForbidden,
  clusterUnreachable,
  conflict,
  isProblem,
  type KubeObject,
  notFound,
  Problem,
  type ProblemType,
  refOf,
  refText,
  rejectedByCluster,
} from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import { CLUSTER, INSTALLATION, isAsWanted, type Projection, type Wanted } from './identity.rules.ts'

/** What came of it. */
export interface Made {
  /** What the cluster did not let us make, as sentences. */
  refused: string[]
  /** True: whoever should act for people is not there. */
  missing: boolean
  /** True: a namespace is on its way or on its way out; look again soon. */
  pending: boolean
}

const AT_ONCE = 8
const RBAC = 'rbac.authorization.k8s.io/v1'
const SHOWN = 300

/**
 * Makes a cluster say what is wanted and takes away what is not, of this installation only. Throws what says nothing of
 * a single object: clusterUnreachable, credentials that are refused, and that objects cannot be read.
 */
export async function make(cluster: Cluster, projection: Projection, wanted: Wanted): Promise<Made> {
  const made: Made = { refused: [], missing: false, pending: false }
  const attempt = async (object: KubeObject, act: () => Promise<unknown>): Promise<boolean> => {
    try {
      await act()
      return true
    } catch (error) {
      if (!(error instanceof Problem) || isOfAll(error)) throw error
      if (isPending(error, object)) made.pending = true
      else made.refused.push(sentenceOf(object, error))
      return false
    }
  }
  for (const object of projection.place) await attempt(object, () => keep(cluster, object))
  const live = await present(cluster, wanted)
  for (const objects of [projection.roles, projection.bindings]) {
    await each(objects, async (object) => {
      const done = await attempt(object, () => bring(cluster, live.get(refText(refOf(object))), object))
      if (!done && isOfTheImpersonator(object)) made.missing = true
    })
  }
  const names = new Set([...projection.roles, ...projection.bindings].map((object) => refText(refOf(object))))
  const superfluous = [...live].filter(([name]) => !names.has(name)).map(([, object]) => object)
  await each(superfluous, (object) =>
    attempt(object, () => cluster.remove(refOf(object), { uid: object.metadata.uid })),
  )
  const others = await othersOf(cluster, wanted.installation)
  if (others.length > 0) {
    made.refused.push(
      `Another installation of Quarterdeck has bound people here (${others.join(', ')}): who has the same name there and here has the rights of both. Delete what is left of one that is gone: kubectl delete clusterroles,clusterrolebindings,rolebindings -A -l ${INSTALLATION}=ID`,
    )
  }
  if (made.missing) return made
  made.missing = !(await attempt(projection.account, () => keep(cluster, projection.account)))
  return made
}

const isOfTheImpersonator = ({ metadata }: KubeObject) => metadata.name.startsWith('quarterdeck:impersonator:')

/**
 * What this installation has made, by `refText`; not what it has made there under another name that the cluster is
 * registered with as well.
 */
async function present(
  cluster: Cluster,
  { installation, cluster: name, clusters }: Wanted,
): Promise<Map<string, KubeObject>> {
  const others = new Set(clusters.filter((one) => one !== name))
  const labelSelector = `${INSTALLATION}=${installation}`
  const found = new Map<string, KubeObject>()
  for (const kind of ['ClusterRole', 'ClusterRoleBinding', 'RoleBinding']) {
    for await (const object of cluster.listAll({ apiVersion: RBAC, kind, labelSelector })) {
      if (!others.has(object.metadata.labels?.[CLUSTER] ?? '')) found.set(refText(refOf(object)), object)
    }
  }
  return found
}

/** Ids of other installations that have made bindings there. */
async function othersOf(cluster: Cluster, installation: string): Promise<string[]> {
  const labelSelector = `${INSTALLATION},${INSTALLATION}!=${installation}`
  const found = new Set<string>()
  for (const kind of ['ClusterRoleBinding', 'RoleBinding']) {
    const { items } = await cluster.list({ apiVersion: RBAC, kind, labelSelector, limit: 50 })
    for (const { metadata } of items) found.add(metadata.labels?.[INSTALLATION] ?? '')
  }
  return [...found].toSorted()
}

/** Makes it anew where changing it is not enough: a binding's role cannot be changed, nor a field that others hold. */
async function bring(cluster: Cluster, live: KubeObject | undefined, wanted: KubeObject): Promise<void> {
  // Not applied: what is there under this name without our label is somebody else's.
  if (!live) return void (await cluster.create(wanted))
  if (isAsWanted(live, wanted)) return
  if (JSON.stringify(live.roleRef) === JSON.stringify(wanted.roleRef)) {
    const { object } = await cluster.apply(wanted, { force: true })
    if (isAsWanted(object, wanted)) return
  }
  await cluster.remove(refOf(wanted), { uid: live.metadata.uid })
  await cluster.create(wanted)
}

/** Several installations may share it; what others have added stays. */
const keep = (cluster: Cluster, wanted: KubeObject) => cluster.apply(wanted, { force: true })

async function each<Item>(items: readonly Item[], act: (item: Item) => Promise<unknown>): Promise<void> {
  const left = items.values()
  const work = async () => {
    for (const item of left) await act(item)
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, work))
}

const isOneOf = (error: Problem, ...types: ProblemType[]): boolean => types.some((type) => isProblem(error, type))
const isOfAll = (error: Problem) => isOneOf(error, clusterUnreachable) || error.body.credentials === 'refused'

/** An environment has its row before its namespace, and its namespace longer than its row. */
const isPending = (error: Problem, { kind }: KubeObject) =>
  kind === 'RoleBinding' && (isOneOf(error, notFound) || /being terminated/.test(error.message))

function sentenceOf(object: KubeObject, error: Problem): string {
  const name = refText(refOf(object))
  if (/attempting to grant RBAC permissions not currently held/.test(error.message)) {
    return `${name} cannot be made: it opens what the kubeconfig of the cluster may not do itself. Register the cluster with one that may, such as a cluster administrator's.`
  }
  if (isOneOf(error, conflict)) return `${name} is somebody else's, so it is left alone. Delete it, or rename it.`
  const known = isOneOf(error, clusterForbidden, rejectedByCluster)
  return `${name} cannot be made${known ? '' : ' now'}: ${error.message.slice(0, SHOWN)}`
}
