import type { Fields } from './message.ts'

/**
 * What the rows of the kinds that are many are read from, by resource; always of version v1. Numbers from
 * generated.proto of k8s.io/api v0.36: core/v1, apps/v1, discovery/v1, coordination/v1. Kubernetes never gives a number
 * another meaning. Common columns are read by MetadataProtobuf; `metadata` here is what the columns of one kind need
 * besides. Kinds that are not here come as JSON.
 */
export const SHAPES: Record<string, Fields> = {
  configmaps: { 2: ['data', 'keys'], 3: ['binaryData', 'keys'], 4: ['immutable', 'flagOrFalse'] },
  // Never a value of one.
  secrets: { 2: ['data', 'keys'], 3: ['type', 'text'], 5: ['immutable', 'flagOrFalse'] },
  serviceaccounts: { 2: ['secrets', { list: {} }], 4: ['automountServiceAccountToken', 'flagOrFalse'] },
  namespaces: { 3: ['status', { message: { 1: ['phase', 'text'] } }] },
  events: {
    1: ['metadata', { message: { 8: ['creationTimestamp', 'time'] } }],
    2: ['involvedObject', { message: { 1: ['kind', 'text'], 3: ['name', 'text'] } }],
    3: ['reason', 'text'],
    4: ['message', 'text'],
    5: ['source', { message: { 1: ['component', 'text'], 2: ['host', 'text'] } }],
    6: ['firstTimestamp', 'time'],
    7: ['lastTimestamp', 'time'],
    8: ['count', 'number'],
    9: ['type', 'text'],
    10: ['eventTime', 'time'],
    11: ['series', { message: { 1: ['count', 'number'], 2: ['lastObservedTime', 'time'] } }],
    14: ['reportingComponent', 'text'],
  },
  services: {
    2: [
      'spec',
      {
        message: {
          1: ['ports', { list: { 2: ['protocol', 'text'], 3: ['port', 'number'], 5: ['nodePort', 'number'] } }],
          2: ['selector', { map: 'text' }],
          3: ['clusterIP', 'text'],
          4: ['type', 'text'],
          5: ['externalIPs', { list: 'text' }],
          10: ['externalName', 'text'],
        },
      },
    ],
    3: [
      'status',
      {
        message: {
          1: [
            'loadBalancer',
            { message: { 1: ['ingress', { list: { 1: ['ip', 'text'], 2: ['hostname', 'text'] } }] } },
          ],
        },
      },
    ],
  },
  endpoints: {
    2: ['subsets', { list: { 1: ['addresses', { list: {} }], 2: ['notReadyAddresses', { list: {} }] } }],
  },
  'endpointslices.discovery.k8s.io': {
    1: ['metadata', { message: { 11: ['labels', { map: 'text', keys: ['kubernetes.io/service-name'] }] } }],
    2: ['endpoints', { list: { 2: ['conditions', { message: { 1: ['ready', 'flagOrFalse'] } }] } }],
    3: ['ports', { list: { 1: ['name', 'text'], 3: ['port', 'numberOrZero'] } }],
    4: ['addressType', 'text'],
  },
  'leases.coordination.k8s.io': {
    2: [
      'spec',
      {
        message: {
          1: ['holderIdentity', 'text'],
          2: ['leaseDurationSeconds', 'numberOrZero'],
          4: ['renewTime', 'time'],
          5: ['leaseTransitions', 'numberOrZero'],
        },
      },
    ],
  },
  'replicasets.apps': {
    1: [
      'metadata',
      {
        message: {
          9: ['deletionTimestamp', 'time'],
          12: ['annotations', { map: 'text', keys: ['deployment.kubernetes.io/revision'] }],
        },
      },
    ],
    2: [
      'spec',
      {
        message: {
          1: ['replicas', 'numberOrZero'],
          2: ['selector', { message: { 1: ['matchLabels', { map: 'text' }] } }],
          3: [
            'template',
            {
              message: {
                2: [
                  'spec',
                  {
                    message: {
                      2: ['containers', { list: { 2: ['image', 'text'] } }],
                      20: ['initContainers', { list: { 2: ['image', 'text'] } }],
                    },
                  },
                ],
              },
            },
          ],
        },
      },
    ],
    3: [
      'status',
      {
        message: {
          1: ['replicas', 'number'],
          4: ['readyReplicas', 'number'],
          5: ['availableReplicas', 'number'],
          6: ['conditions', { list: { 1: ['type', 'text'], 2: ['status', 'text'] } }],
        },
      },
    ],
  },
  nodes: {
    1: [
      'metadata',
      {
        message: {
          11: ['labels', { map: 'text' }],
          12: ['annotations', { map: 'text', keys: ['kwok.x-k8s.io/node'] }],
        },
      },
    ],
    2: [
      'spec',
      {
        message: {
          3: ['providerID', 'text'],
          4: ['unschedulable', 'flag'],
          5: ['taints', { list: { 1: ['key', 'text'], 2: ['value', 'text'], 3: ['effect', 'text'] } }],
        },
      },
    ],
    3: [
      'status',
      {
        message: {
          1: ['capacity', { map: 'quantity', keys: ['cpu', 'memory', 'pods'] }],
          2: ['allocatable', { map: 'quantity', keys: ['cpu', 'memory', 'pods'] }],
          4: ['conditions', { list: { 1: ['type', 'text'], 2: ['status', 'text'] } }],
          5: ['addresses', { list: { 1: ['type', 'text'], 2: ['address', 'text'] } }],
          7: [
            'nodeInfo',
            {
              message: {
                4: ['kernelVersion', 'text'],
                5: ['osImage', 'text'],
                6: ['containerRuntimeVersion', 'text'],
                7: ['kubeletVersion', 'text'],
                10: ['architecture', 'text'],
              },
            },
          ],
        },
      },
    ],
  },
}
