import { bind, type Server } from '@quarterdeck/http'
import { type KubeObject, notFound, refOf } from '@quarterdeck/kernel'
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
import { deploymentRef, MANAGED_BY, serviceRef } from './manifest.rules.ts'
import { type Reachability, reachability } from './reachability.routes.ts'
import { changeTimeOf, conditionsOf, restartsOf, stateOf } from './status.rules.ts'
import { addressesOf, eventsOf, nodeAddress, nodesSeenFrom, walk } from './walk.rules.ts'
import { mainService, mainWorkload } from './yaml-definition.rules.ts'

export function applicationRoutes(server: Server, options: ApplicationRoutesOptions): void {
  const { db } = options
  const reach = reachability()
  const addresses = nodeAddresses()
  bind(server, listApplications, async ({ params, peer }) => {
    const place = await options.placeOf(params.environment)
    const rows = await list(db, params.environment)
    if (rows.length === 0) return { items: [] }
    const cluster = await options.clusterOf(place.cluster)
    const [all, unhealthy, nodes] = await Promise.all([
      readAll(cluster, place.namespace, selector(MANAGED_BY), rows),
      readKind(cluster, EVENT, place.namespace, { fieldSelector: 'reason=Unhealthy' }),
      addresses(cluster).then((nodes) => nodesSeenFrom(peer, nodes)),
    ])
    const items = rows.map((row) => summaryOf(row, mine(all, row), nodes, unhealthy))
    return { items: await Promise.all(items.map((item) => tried(reach, item))) }
  })
  bind(server, getApplication, async ({ params, peer }) => {
    const { row, cluster, place } = await load(options, params)
    const [all, replicaSets, events, nodes] = await Promise.all([
      readAll(cluster, place.namespace, selector(ofInstance(row.name)), [row]),
      readKind(cluster, REPLICA_SET, place.namespace, { labelSelector: selector(ofInstance(row.name)) }),
      readKind(cluster, EVENT, place.namespace),
      addresses(cluster).then((nodes) => nodesSeenFrom(peer, nodes)),
    ])
    return detailOf({ row, place, objects: mine(all, row), replicaSets, events, nodes, reach })
  })
  bind(server, getApplicationYaml, async ({ params, query }) => {
    const { row, cluster, place } = await load(options, params)
    const made = [deploymentRef(place.namespace, row.name), serviceRef(place.namespace, row.name)]
    const refs = row.definition.source === 'yaml' ? row.definition.manifests.map(refOf) : made
    const found = await Promise.all(refs.map((ref) => cluster.get(ref)))
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

const ofInstance = (name: string) => ({ 'app.kubernetes.io/instance': name })
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
  workloads: KubeObject[]
  services: KubeObject[]
  pods: KubeObject[]
}

/** One list call for each kind that these applications have, however many applications there are. */
async function readAll(
  cluster: Cluster,
  namespace: string,
  labelSelector: string,
  rows: ApplicationRow[],
): Promise<Objects> {
  const read = (kind: typeof DEPLOYMENT) => readKind(cluster, kind, namespace, { labelSelector })
  const kinds = [...new Set(rows.map((row) => mainOf(row).kind))].map((kind) => ({ ...DEPLOYMENT, kind }))
  const [workloads, services, pods] = await Promise.all([Promise.all(kinds.map(read)), read(SERVICE), read(POD)])
  return { workloads: workloads.flat(), services, pods }
}

/** The workload that an application is seen by. */
const mainOf = ({ name, definition }: ApplicationRow): { kind: string; name: string } => {
  const main = mainWorkload(definition.manifests, name)
  return main ? { kind: main.kind, name: main.metadata.name } : { kind: DEPLOYMENT.kind, name }
}

interface Own {
  deployment: KubeObject | undefined
  service: KubeObject | undefined
  pods: KubeObject[]
}

const mine = ({ workloads, services, pods }: Objects, row: ApplicationRow): Own => {
  const main = mainOf(row)
  const service = mainService(row.definition.manifests, row.name)?.metadata.name ?? row.name
  return {
    deployment: workloads.find(({ kind, metadata }) => kind === main.kind && metadata.name === main.name),
    service: services.find(({ metadata }) => metadata.name === service),
    pods: pods.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/instance'] === row.name),
  }
}

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

/** Of all that belongs to it, what is read anyway. */
const compared = ({ name, definition: { manifests } }: ApplicationRow): KubeObject[] =>
  [mainWorkload(manifests, name), mainService(manifests, name)].filter((object) => object !== undefined)

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
  const drift = row.changing ? [] : driftOf(compared(row), live)
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
