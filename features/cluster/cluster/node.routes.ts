import { bind, type Server } from '@quarterdeck/http'
import { isProblem, type KubeObject, notFound } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import { getNode, listClusterEvents, listNodes, type NodeDetail } from './cluster.contract.ts'
import { newestEvents } from './event.rules.ts'
import { kubeletHealth, nodeUsage } from './kubelet.rules.ts'
import { type MirroredClusters, mirroredNodes } from './mirrored-nodes.routes.ts'
import { nodeFacts } from './node.rules.ts'

// The API server cannot sort events: this many are read to find the newest. They live for an hour.
const MOST_EVENTS = 5_000
const NODE_EVENTS = 50
const KUBELET_SECONDS = 5

export interface NodeRoutesOptions {
  /** Throws notFound. */
  clusterOf(name: string): Promise<Cluster>
  /** Throws storeUnavailable while it is not open yet. */
  mirrored(): MirroredClusters
}

/** The list of nodes from the mirror; one node, and events, from the cluster when asked for. */
export function nodeRoutes(server: Server, { clusterOf, mirrored }: NodeRoutesOptions): void {
  bind(server, listNodes, async ({ params }) => {
    await clusterOf(params.cluster)
    return mirroredNodes(mirrored(), params.cluster)
  })
  bind(server, getNode, async ({ params, signal }) => nodeDetail(await clusterOf(params.cluster), params.node, signal))
  bind(server, listClusterEvents, async ({ params, query, signal }) => {
    const cluster = await clusterOf(params.cluster)
    const events: KubeObject[] = []
    const fieldSelector = query.type === undefined ? undefined : `type=${query.type}`
    for await (const event of cluster.listAll({ apiVersion: 'v1', kind: 'Event', fieldSelector }, { signal })) {
      events.push(event)
      if (events.length === MOST_EVENTS) break
    }
    return { items: newestEvents(events, query.limit), total: events.length }
  })
}

async function nodeDetail(cluster: Cluster, name: string, signal: AbortSignal): Promise<NodeDetail> {
  const node = await cluster.get({ apiVersion: 'v1', kind: 'Node', name }, { signal })
  if (!node) throw notFound({ detail: `Cluster ${cluster.name} has no node ${name}.` })
  const fieldSelector = `involvedObject.kind=Node,involvedObject.name=${name}`
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'kube-node-lease', name }
  const [pods, events, held, health, stats] = await Promise.all([
    allOf(cluster.listAll({ apiVersion: 'v1', kind: 'Pod', fieldSelector: `spec.nodeName=${name}` }, { signal })),
    allOf(cluster.listAll({ apiVersion: 'v1', kind: 'Event', fieldSelector }, { signal })),
    cluster.get(lease, { signal }),
    askKubelet(cluster, name, signal),
    cluster.nodeStats(name, { signal, timeoutSeconds: KUBELET_SECONDS }).catch(absent),
  ])
  return {
    ...nodeFacts(node, pods),
    kubelet: kubeletHealth(health, held),
    ...nodeUsage(stats),
    events: newestEvents(events, NODE_EVENTS),
  }
}

/** Everything that a list goes through: of one node, never of a cluster. */
async function allOf(objects: AsyncIterable<KubeObject>): Promise<KubeObject[]> {
  const all: KubeObject[] = []
  for await (const object of objects) all.push(object)
  return all
}

/** Through the API server, which reaches the kubelet even where we do not. */
async function askKubelet(cluster: Cluster, node: string, signal: AbortSignal) {
  const path = `/api/v1/nodes/${encodeURIComponent(node)}/proxy/healthz?verbose`
  try {
    return { text: String(await cluster.raw(path, { signal, timeoutSeconds: KUBELET_SECONDS })) }
  } catch (error) {
    if (isProblem(error)) return { failure: error.body.detail ?? error.body.title }
    throw error
  }
}

/** A kubelet that cannot be asked is no failure of the page. */
function absent(error: unknown): undefined {
  if (!isProblem(error)) throw error
  return undefined
}
