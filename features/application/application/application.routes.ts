import { bind, type Server } from '@quarterdeck/http'
import { type KubeObject, notFound } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import { stringify } from 'yaml'
import type { z } from 'zod'
import {
  type Address,
  type Application,
  type ApplicationSummary,
  getApplication,
  getApplicationYaml,
  listApplications,
} from './application.contract.ts'
import { type ApplicationRow, find, list } from './application.store.ts'
import type { ApplicationRoutesOptions, Place } from './application-request.routes.ts'
import { changeApplicationRoutes } from './change-application.routes.ts'
import { driftOf } from './drift.rules.ts'
import { deploymentRef, MANAGED_BY, podLabels, serviceRef } from './manifest.rules.ts'
import { type Reachability, reachability } from './reachability.routes.ts'
import { changeTimeOf, conditionsOf, restartsOf, stateOf } from './status.rules.ts'
import { addressesOf, eventsOf, nodeAddress, walk } from './walk.rules.ts'

export function applicationRoutes(server: Server, options: ApplicationRoutesOptions): void {
  const { db } = options
  const reach = reachability()
  const addresses = nodeAddresses()
  bind(server, listApplications, async ({ params }) => {
    const place = await options.placeOf(params.environment)
    const rows = await list(db, params.environment)
    if (rows.length === 0) return { items: [] }
    const cluster = await options.clusterOf(place.cluster)
    const [all, unhealthy, nodes] = await Promise.all([
      readAll(cluster, place.namespace, selector(MANAGED_BY)),
      readKind(cluster, EVENT, place.namespace, { fieldSelector: 'reason=Unhealthy' }),
      addresses(cluster),
    ])
    const items = rows.map((row) => summaryOf(row, mine(all, row.name), nodes, unhealthy))
    return { items: await Promise.all(items.map((item) => tried(reach, item))) }
  })
  bind(server, getApplication, async ({ params }) => {
    const { row, cluster, place } = await load(options, params)
    const [all, replicaSets, events, nodes] = await Promise.all([
      readAll(cluster, place.namespace, selector(podLabels(row.name))),
      readKind(cluster, REPLICA_SET, place.namespace, { labelSelector: selector(podLabels(row.name)) }),
      readKind(cluster, EVENT, place.namespace),
      addresses(cluster),
    ])
    return detailOf({ row, place, objects: mine(all, row.name), replicaSets, events, nodes, reach })
  })
  bind(server, getApplicationYaml, async ({ params, query }) => {
    const { row, cluster, place } = await load(options, params)
    const found = await Promise.all([
      cluster.get(deploymentRef(place.namespace, row.name)),
      cluster.get(serviceRef(place.namespace, row.name)),
    ])
    const shown = found
      .filter((object) => object !== undefined)
      .map((object) => (query.managed ? object : unmanaged(object)))
    return { yaml: shown.map((object) => stringify(object, { lineWidth: 0 })).join('---\n') }
  })
  changeApplicationRoutes(server, options)
}

async function load(
  options: ApplicationRoutesOptions,
  { environment, application }: { environment: string; application: string },
) {
  const place = await options.placeOf(environment)
  const row = await find(options.db, environment, application)
  if (!row)
    throw notFound({
      detail: `There is no application ${application} in ${environment}. qd app list --env ${environment} shows those that exist.`,
    })
  return { place, row, cluster: await options.clusterOf(place.cluster) }
}

const unmanaged = (object: KubeObject): KubeObject => {
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' }
const REPLICA_SET = { apiVersion: 'apps/v1', kind: 'ReplicaSet' }
const POD = { apiVersion: 'v1', kind: 'Pod' }
const SERVICE = { apiVersion: 'v1', kind: 'Service' }
const EVENT = { apiVersion: 'v1', kind: 'Event' }

const selector = (labels: Record<string, string>) =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')

async function readKind(
  cluster: Cluster,
  kind: { apiVersion: string; kind: string },
  namespace: string,
  which: { labelSelector?: string; fieldSelector?: string } = {},
): Promise<KubeObject[]> {
  const objects: KubeObject[] = []
  // Items of a list carry neither kind nor apiVersion.
  for await (const object of cluster.listAll({ ...kind, namespace, ...which })) objects.push({ ...object, ...kind })
  return objects
}

interface Objects {
  deployments: KubeObject[]
  services: KubeObject[]
  pods: KubeObject[]
}

/** One list call for each kind, however many applications there are. */
async function readAll(cluster: Cluster, namespace: string, labelSelector: string): Promise<Objects> {
  const [deployments, services, pods] = await Promise.all(
    [DEPLOYMENT, SERVICE, POD].map((kind) => readKind(cluster, kind, namespace, { labelSelector })),
  )
  return { deployments: deployments ?? [], services: services ?? [], pods: pods ?? [] }
}

interface Own {
  deployment: KubeObject | undefined
  service: KubeObject | undefined
  pods: KubeObject[]
}

const mine = ({ deployments, services, pods }: Objects, name: string): Own => ({
  deployment: deployments.find(({ metadata }) => metadata.name === name),
  service: services.find(({ metadata }) => metadata.name === name),
  pods: pods.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/instance'] === name),
})

type Summary = z.input<typeof ApplicationSummary>

function summaryOf(
  row: ApplicationRow,
  { deployment, service, pods }: Own,
  nodes: string[],
  events: KubeObject[] = [],
): Summary {
  const { state, message } = stateOf({ deployment, pods, events }, row)
  const [address] = addressesOf(service, nodes)
  return {
    name: row.name,
    environment: row.environment,
    image: deployment?.spec?.template?.spec?.containers?.[0]?.image ?? row.definition.spec.image,
    state,
    message,
    readyReplicas: deployment?.status?.readyReplicas ?? 0,
    replicas: deployment?.spec?.replicas ?? row.definition.spec.replicas,
    restarts: restartsOf(pods),
    changeTime: [row.changeTime, changeTimeOf(deployment) ?? row.changeTime].toSorted().at(-1) ?? row.changeTime,
    lastOperation: row.operation,
    ...(address ? { address } : {}),
  }
}

async function tried(reach: Reachability, summary: Summary): Promise<Summary> {
  if (!summary.address) return summary
  return { ...summary, address: await answered(reach, summary.address) }
}

async function answered(reach: Reachability, address: z.input<typeof Address>): Promise<z.input<typeof Address>> {
  return address.kind === 'node' ? { ...address, answers: await reach.answers(address.url) } : address
}

async function detailOf(seen: {
  row: ApplicationRow
  place: Place
  objects: Own
  replicaSets: KubeObject[]
  events: KubeObject[]
  nodes: string[]
  reach: Reachability
}): Promise<z.input<typeof Application>> {
  const { row, place, objects, replicaSets, events, nodes, reach } = seen
  const { deployment, service, pods } = objects
  const live = [deployment, service].filter((object) => object !== undefined)
  const addresses = await Promise.all(addressesOf(service, nodes).map((address) => answered(reach, address)))
  const best = addresses.find(({ answers }) => answers) ?? addresses[0]
  const drift = row.changing ? [] : driftOf(row.definition.manifests, live)
  return {
    ...summaryOf(row, objects, nodes, events),
    ...(best ? { address: best } : {}),
    cluster: place.cluster,
    namespace: place.namespace,
    spec: row.definition.spec,
    addresses,
    conditions: conditionsOf(deployment, drift, row.changeTime),
    replicaSets: walk(deployment, replicaSets, pods, events),
    events: eventsOf(events, [...live, ...replicaSets, ...pods]).slice(0, 200),
    objects: row.definition.manifests.map(({ apiVersion, kind, metadata }) => ({
      apiVersion,
      kind,
      namespace: place.namespace,
      name: metadata.name,
    })),
  }
}

const NODES_KEPT_MS = 30_000

/** Addresses under which node ports can be tried: this machine's own when the cluster is on it, then the nodes'. */
function nodeAddresses(): (cluster: Cluster) => Promise<string[]> {
  const kept = new WeakMap<Cluster, { until: number; nodes: Promise<string[]> }>()
  return (cluster) => {
    const known = kept.get(cluster)
    if (known && known.until > Date.now()) return known.nodes
    const nodes = readNodeAddresses(cluster).catch(() => [])
    kept.set(cluster, { until: Date.now() + NODES_KEPT_MS, nodes })
    return nodes
  }
}

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]'])

async function readNodeAddresses(cluster: Cluster): Promise<string[]> {
  const { items } = await cluster.list({ apiVersion: 'v1', kind: 'Node', limit: 20 })
  const addresses = items.map(nodeAddress).filter((address) => address !== undefined)
  const own = LOOPBACK.has(new URL(cluster.server).hostname) ? ['127.0.0.1'] : []
  return [...new Set([...own, ...addresses])].slice(0, 4)
}
