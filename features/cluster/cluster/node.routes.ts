import { bind, type Server } from '@quarterdeck/http'
import { isProblem, type KubeObject, notFound } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import { getNode, listClusterEvents, listNodes, type NodeDetail } from './cluster.contract.ts'
import { nodeSummaries } from './cluster.rules.ts'
import { newestEvents } from './event.rules.ts'
import { kubeletHealth, nodeUsage } from './kubelet.rules.ts'
import { nodeSummary } from './node.rules.ts'
import { allOf } from './observation.rules.ts'

// The API server cannot sort events: this many are read to find the newest. They live for an hour.
const MOST_EVENTS = 5_000
const NODE_EVENTS = 50
const KUBELET_SECONDS = 5

/** Nodes and events, read from the cluster when asked for. `clusterOf` throws notFound. */
export function nodeRoutes(server: Server, clusterOf: (name: string) => Promise<Cluster>): void {
  bind(server, listNodes, async ({ params, signal }) => {
    const cluster = await clusterOf(params.cluster)
    const [nodes, pods] = await Promise.all([
      allOf(cluster.listAll({ apiVersion: 'v1', kind: 'Node' }, { signal })),
      allOf(cluster.listAll({ apiVersion: 'v1', kind: 'Pod' }, { signal })),
    ])
    return { items: nodeSummaries(nodes, pods), total: nodes.length }
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
    ...nodeSummary(node, pods),
    kubelet: kubeletHealth(health, held),
    ...nodeUsage(stats),
    events: newestEvents(events, NODE_EVENTS),
  }
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
