import {
  Condition,
  clusterForbidden,
  clusterUnreachable,
  endpoint,
  Name,
  ObjectName,
  pageOf,
  problemType,
  Time,
} from '@quarterdeck/kernel'
import { z } from 'zod'
import { ObjectEvent } from '../../application/application/application.contract.ts'

/** Cores and bytes; `requested` is what pods on nodes that have not ended ask for, the rest what nodes can give. */
export const Capacity = z.object({
  nodes: z.int(),
  readyNodes: z.int(),
  pods: z.int(),
  podLimit: z.int(),
  cpuCores: z.number(),
  cpuRequestedCores: z.number(),
  memoryBytes: z.number(),
  memoryRequestedBytes: z.number(),
})
export type Capacity = z.infer<typeof Capacity>

export const ClusterSummary = z.object({
  name: Name,
  title: z.string(),
  origin: z.enum(['local', 'kubeconfig']).describe('local: the one that Quarterdeck brought up on this machine'),
  simulated: z.boolean().describe('true: nodes are simulated, containers do not really run'),
  server: z.string().describe('Address of the API server'),
  state: z.enum(['Ready', 'Degraded', 'Unreachable', 'Unknown']),
  message: z.string().describe('Empty when Ready; else what is wrong and what to do'),
  version: z.string().optional(),
  versionSupported: z.boolean().optional(),
  observeTime: Time.optional().describe('When this was last seen'),
  capacity: Capacity.optional().describe('Absent: its nodes and pods are not read yet'),
  environments: z.int(),
})
export type ClusterSummary = z.infer<typeof ClusterSummary>

/** One check of the control plane: etcd, controller-manager, scheduler, API server's own. */
export const ComponentHealth = z.object({ name: z.string(), healthy: z.boolean(), message: z.string() })
export const Right = z.object({ act: z.string(), allowed: z.boolean(), neededFor: z.string() })
export const ClusterDetail = ClusterSummary.extend({
  components: z.array(ComponentHealth),
  warnings: z.array(z.string()),
  rights: z.array(Right),
})
export type ClusterDetail = z.infer<typeof ClusterDetail>

export const NodeSummary = z.object({
  name: z.string(),
  roles: z.array(z.string()),
  kind: z.enum(['physical', 'virtual', 'simulated', 'unknown']),
  ready: z.boolean(),
  schedulable: z.boolean(),
  message: z.string().describe('Empty when all is well; else why it takes no pods, or what troubles it'),
  address: z.string(),
  version: z.string(),
  runtime: z.string(),
  os: z.string(),
  architecture: z.string(),
  zone: z.string().optional(),
  createTime: Time,
  capacity: Capacity.omit({ nodes: true, readyNodes: true }),
})
export type NodeSummary = z.infer<typeof NodeSummary>

export const NodePage = pageOf(NodeSummary).extend({
  message: z.string().describe('Empty: this is all, as it is now. Else how far it can be trusted'),
})
export type NodePage = z.infer<typeof NodePage>

/** What a container uses just now, measured by the kubelet (cAdvisor). */
export const ContainerUsage = z.object({
  namespace: z.string(),
  pod: z.string(),
  container: z.string(),
  cpuCores: z.number(),
  memoryBytes: z.number().describe('Working set: what counts against the limit'),
})
export const NodeDetail = NodeSummary.extend({
  conditions: z.array(Condition),
  podNames: z.array(z.object({ namespace: z.string(), name: z.string(), phase: z.string() })),
  kubelet: z.object({
    healthy: z.boolean(),
    message: z.string().describe('Empty when healthy; else why it is not, or why it cannot be asked'),
    checks: z.array(ComponentHealth),
    heartbeatTime: Time.optional().describe('When the kubelet last renewed its lease'),
  }),
  usage: z
    .object({ observeTime: Time, cpuCores: z.number(), memoryBytes: z.number() })
    .optional()
    .describe('Of the whole node. Absent: the kubelet does not say'),
  containers: z.array(ContainerUsage),
  events: z.array(ObjectEvent),
})
export type NodeDetail = z.infer<typeof NodeDetail>

export const invalidKubeconfig = problemType('invalid-kubeconfig', 422, 'This kubeconfig cannot be used')
export const otherCluster = problemType('other-cluster', 409, 'This is another cluster than the one of that name')
export const clusterInUse = problemType('cluster-in-use', 409, 'Environments are on this cluster')
export const clusterExists = problemType('cluster-exists', 409, 'A cluster of this name is there already')

const one = z.object({ cluster: Name })
export const listClusters = endpoint({
  id: 'cluster.list',
  method: 'GET',
  path: '/clusters',
  permission: 'cluster.list',
  summary: 'Clusters with state, version and capacity',
  response: pageOf(ClusterSummary),
})
export const getCluster = endpoint({
  id: 'cluster.get',
  method: 'GET',
  path: '/clusters/:cluster',
  permission: 'cluster.list',
  summary: 'One cluster with the health of its control plane',
  params: one,
  response: ClusterDetail,
})
export const listNodes = endpoint({
  id: 'node.list',
  method: 'GET',
  path: '/clusters/:cluster/nodes',
  permission: 'cluster.list',
  summary: 'Nodes with capacity, health and what the pods on them ask for',
  params: one,
  response: NodePage,
})
export const getNode = endpoint({
  id: 'node.get',
  method: 'GET',
  path: '/clusters/:cluster/nodes/:node',
  permission: 'cluster.list',
  summary: 'One node with the pods on it, its kubelet, what its containers use and its events',
  params: z.object({ cluster: Name, node: ObjectName }),
  response: NodeDetail,
  problems: [clusterUnreachable, clusterForbidden],
})
export const listClusterEvents = endpoint({
  id: 'cluster.events',
  method: 'GET',
  path: '/clusters/:cluster/events',
  permission: 'cluster.list',
  summary: 'What happened in the cluster lately, newest first',
  params: one,
  query: z.object({
    type: z.enum(['Normal', 'Warning']).optional().describe('Absent: both'),
    limit: z.coerce.number().int().min(1).max(500).default(100),
  }),
  response: pageOf(ObjectEvent),
  problems: [clusterUnreachable, clusterForbidden],
})
export const registerCluster = endpoint({
  id: 'cluster.register',
  method: 'PUT',
  path: '/clusters/:cluster',
  permission: 'cluster.register',
  summary: 'Register a cluster by its kubeconfig',
  params: one,
  body: z.strictObject({
    kubeconfig: z.string().min(1).max(200_000),
    context: z.string().max(250).optional().describe("Absent: the kubeconfig's current context"),
    title: z.string().max(200).optional(),
    replace: z.boolean().default(false).describe('true: give a cluster of this name a new kubeconfig'),
    otherCluster: z
      .boolean()
      .default(false)
      .describe('true: with replace, the name is that of another cluster from now on'),
    environments: z
      .array(Name)
      .max(1_000)
      .default([])
      .describe(
        'With otherCluster: the environments of the old cluster, each by name, which are to be on the other one',
      ),
  }),
  response: ClusterDetail,
  problems: [invalidKubeconfig, clusterExists, otherCluster, clusterUnreachable],
})
export const removeCluster = endpoint({
  id: 'cluster.remove',
  method: 'DELETE',
  path: '/clusters/:cluster',
  permission: 'cluster.remove',
  summary: 'Forget a cluster; nothing on it is touched',
  params: one,
  response: z.null(),
  problems: [clusterInUse],
})
