import { clusterForbidden, clusterUnreachable, Name } from '@quarterdeck/kernel'
import { z } from 'zod'
import { changeEndpoint } from '../../delivery/operation/operation.contract.ts'
import { Resource, unknownKind } from './object.contract.ts'

/** Objects that one change may scale or restart, and pods that one may choose to evict. */
export const MOST_CHOSEN = 200
/** Nodes that one change may cordon or drain. */
export const MOST_NODES = 50
/** Pods that one drain may evict. */
export const MOST_EVICTED = 1_000
/** As the API server takes it. */
export const MOST_REPLICAS = 2_147_483_647

const Uid = z.string().max(253).optional().describe('Only this very object, not one made anew under its name')
const ObjectName = z.string().min(1).max(253)
const Namespace = z.string().min(1, 'In which namespace?').max(253)
const inCluster = z.object({ cluster: Name })
const problems = [unknownKind, clusterUnreachable, clusterForbidden]

const Workloads = z
  .array(z.strictObject({ resource: Resource, name: ObjectName, uid: Uid }))
  .min(1)
  .max(MOST_CHOSEN)

export const scaleObjects = changeEndpoint({
  id: 'object.scale',
  method: 'POST',
  path: '/clusters/:cluster/scalings',
  permission: 'object.edit',
  reach: 'anywhere',
  summary: 'Set the replicas of chosen workloads of one namespace: Deployments, StatefulSets, ReplicaSets',
  params: inCluster,
  body: z.strictObject({
    namespace: Namespace,
    objects: Workloads,
    replicas: z.int().min(0).max(MOST_REPLICAS),
  }),
  problems,
})

export const restartObjects = changeEndpoint({
  id: 'object.restart',
  method: 'POST',
  path: '/clusters/:cluster/restarts',
  permission: 'object.edit',
  reach: 'anywhere',
  summary: 'Start all pods of chosen workloads of one namespace anew: Deployments, StatefulSets, DaemonSets',
  params: inCluster,
  body: z.strictObject({ namespace: Namespace, objects: Workloads }),
  problems,
})

const Lost = z
  .boolean()
  .default(false)
  .describe('true: also pods that nothing makes anew; they and what they were doing are lost')

export const evictPods = changeEndpoint({
  id: 'pod.evict',
  method: 'POST',
  path: '/clusters/:cluster/evictions',
  permission: 'object.edit',
  reach: 'anywhere',
  summary: 'Move chosen pods: they are ended as their PodDisruptionBudgets allow, and made anew where there is room',
  params: inCluster,
  body: z.strictObject({
    namespace: Namespace,
    pods: z
      .array(z.strictObject({ name: ObjectName, uid: Uid }))
      .min(1)
      .max(MOST_CHOSEN),
    lost: Lost,
  }),
  problems,
})

const Nodes = z
  .array(z.strictObject({ name: ObjectName, uid: Uid }))
  .min(1)
  .max(MOST_NODES)

export const cordonNodes = changeEndpoint({
  id: 'node.cordon',
  method: 'POST',
  path: '/clusters/:cluster/cordons',
  permission: 'object.edit',
  reach: 'anywhere',
  summary: 'Let no new pods onto chosen nodes; pods that are there stay',
  params: inCluster,
  body: z.strictObject({ nodes: Nodes }),
  problems,
})

export const uncordonNodes = changeEndpoint({
  id: 'node.uncordon',
  method: 'POST',
  path: '/clusters/:cluster/uncordons',
  permission: 'object.edit',
  reach: 'anywhere',
  summary: 'Let new pods onto chosen nodes again; a drain of them that goes on ends',
  params: inCluster,
  body: z.strictObject({ nodes: Nodes }),
  problems,
})

export const drainNodes = changeEndpoint({
  id: 'node.drain',
  method: 'POST',
  path: '/clusters/:cluster/drains',
  permission: 'object.edit',
  reach: 'anywhere',
  summary: 'Cordon chosen nodes and evict their pods one by one; DaemonSets and static pods stay. Undo uncordons',
  params: inCluster,
  body: z.strictObject({ nodes: Nodes, lost: Lost }),
  problems,
})
