import { addressOf } from './names.ts'
import { type PodState, podStatus } from './pod-status.ts'
import type { Random } from './random.ts'
import { before, type KubernetesObject, NOW, ownedBy } from './shape.ts'

/** What the pods of one workload have in common. */
export interface PodTemplate {
  owner: KubernetesObject
  namespace: string
  labels: Record<string, string>
  annotations: Record<string, string>
  containers: { name: string; image: string }[]
  priority: number
}

/** One pod of a template. */
export interface PodPlace {
  name: string
  /** Number among all pods of the cluster; gives the address. */
  number: number
  node: string
  nodeNumber: number
  state: PodState
  ageSeconds: number
}

/** A pod as a cluster has it: scheduled, with its status, and with the managed fields that make up a third of it. */
export function podOf(random: Random, template: PodTemplate, place: PodPlace): KubernetesObject {
  const { owner, namespace, labels, annotations, containers, priority } = template
  const { name, node, state, ageSeconds } = place
  const created = before(ageSeconds)
  const waiting = state === 'pending'
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      generateName: name.slice(0, name.lastIndexOf('-') + 1),
      namespace,
      uid: random.uid(),
      generation: 1,
      creationTimestamp: created,
      labels,
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
      ownerReferences: [ownedBy(owner)],
      ...(state === 'terminating'
        ? {
            deletionTimestamp: new Date(NOW - 20_000).toISOString().replace('.000', ''),
            deletionGracePeriodSeconds: 30,
          }
        : {}),
      managedFields: managedFields(template, created),
    },
    spec: {
      volumes: VOLUMES,
      containers,
      restartPolicy: owner.kind === 'Job' ? 'OnFailure' : 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      serviceAccountName: 'default',
      serviceAccount: 'default',
      ...(waiting ? {} : { nodeName: node }),
      securityContext: { runAsUser: 1000, fsGroup: 1000 },
      schedulerName: 'default-scheduler',
      tolerations: ['not-ready', 'unreachable'].map((key) => ({
        key: `node.kubernetes.io/${key}`,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 300,
      })),
      priority,
      enableServiceLinks: true,
      preemptionPolicy: 'PreemptLowerPriority',
    },
    status: podStatus(random, containers, {
      state,
      ageSeconds,
      hostAddress: addressOf(172, place.nodeNumber + 256),
      address: addressOf(10, place.number + 65_536),
    }),
  }
}

const VOLUMES = [
  { name: 'configuration', configMap: { name: 'settings', defaultMode: 420 } },
  {
    name: 'kube-api-access',
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
      defaultMode: 420,
    },
  },
]

const fields = (names: readonly string[], inner: object = {}) =>
  Object.fromEntries(names.map((name) => [`f:${name}`, inner]))
const STATUS_FIELDS = {
  'f:status': {
    'f:conditions': {
      '.': {},
      ...Object.fromEntries(
        ['ContainersReady', 'Initialized', 'Ready'].map((type) => [
          `k:{"type":"${type}"}`,
          { '.': {}, ...fields(['lastProbeTime', 'lastTransitionTime', 'status', 'type']) },
        ]),
      ),
    },
    ...fields(['containerStatuses', 'hostIP', 'phase', 'podIP', 'startTime']),
    'f:podIPs': { '.': {}, 'k:{"ip":"10.0.0.1"}': { '.': {}, 'f:ip': {} } },
  },
}

function managedFields({ labels, containers }: PodTemplate, time: string): object[] {
  const container = fields(['image', 'imagePullPolicy', 'name', 'resources'])
  return [
    {
      manager: 'kube-controller-manager',
      operation: 'Update',
      apiVersion: 'v1',
      time,
      fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:metadata': {
          'f:generateName': {},
          'f:labels': { '.': {}, ...fields(Object.keys(labels)) },
          'f:ownerReferences': { '.': {} },
        },
        'f:spec': {
          'f:containers': Object.fromEntries(
            containers.map(({ name }) => [`k:{"name":"${name}"}`, { '.': {}, ...container }]),
          ),
          ...fields([
            'dnsPolicy',
            'enableServiceLinks',
            'restartPolicy',
            'schedulerName',
            'securityContext',
            'volumes',
          ]),
        },
      },
    },
    {
      manager: 'kubelet',
      operation: 'Update',
      apiVersion: 'v1',
      time,
      fieldsType: 'FieldsV1',
      fieldsV1: STATUS_FIELDS,
      subresource: 'status',
    },
  ]
}
