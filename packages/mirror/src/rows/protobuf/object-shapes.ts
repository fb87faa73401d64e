/** Objects of the kinds that are read as protobuf, as different as they come, for tests. */
export interface ObjectShape {
  plural: string
  group: string
  kind: string
  namespaced: boolean
  /** By name; metadata besides the name may be given. */
  objects: Record<string, Record<string, unknown>>
  /** Written after the object was made. */
  status?: Record<string, Record<string, unknown>>
}

const core = (plural: string, kind: string, objects: ObjectShape['objects']): ObjectShape => ({
  plural,
  group: '',
  kind,
  namespaced: true,
  objects,
})
const LABELS = {
  '10': 'numbers-first-in-JavaScript',
  'app.kubernetes.io/instance': 'shop-blue',
  'app.kubernetes.io/name': 'shop',
  empty: '',
}
const full = {
  labels: LABELS,
  annotations: { 'example.org/owner': 'Käthe 凯特 🚢', other: 'not chosen' },
  finalizers: ['example.org/stays'],
  ownerReferences: [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: 'owner',
      uid: '00000000-0000-4000-8000-000000000001',
      controller: true,
    },
  ],
}
const template = (containers: object[], initContainers?: object[]) => ({
  metadata: { labels: { app: 'shop', tier: 'front' } },
  spec: { containers, ...(initContainers && { initContainers }) },
})
const container = (name: string) => ({ name, image: `example.org/${name}:1`, env: [{ name: 'A', value: 'b' }] })
const selector = { matchLabels: { tier: 'front', app: 'shop' } }
const involvedObject = { apiVersion: 'v1', kind: 'Pod', name: 'shop-1', namespace: '' }
const TIME = '2026-11-20T10:00:00Z'
const MICRO_TIME = '2026-11-20T10:00:07.123456Z'

/** `namespace` is the one they are made in. */
export const objectShapes = (namespace: string): ObjectShape[] => [
  core('configmaps', 'ConfigMap', {
    empty: {},
    full: {
      metadata: full,
      data: { a: 'b', empty: '', '7': 'number', __proto__name: 'x' },
      binaryData: { bytes: 'AAEC/w==' },
      immutable: true,
    },
    changeable: { data: { long: 'x'.repeat(20_000) }, immutable: false },
  }),
  core('secrets', 'Secret', {
    empty: {},
    full: { metadata: full, type: 'example.org/own', data: { password: 'c2VjcmV0', user: '' }, immutable: true },
  }),
  core('serviceaccounts', 'ServiceAccount', {
    plain: {},
    full: { metadata: full, automountServiceAccountToken: false, secrets: [{ name: 'a' }, { name: 'b' }] },
    mounted: { automountServiceAccountToken: true, imagePullSecrets: [{ name: 'a' }] },
  }),
  core('events', 'Event', {
    old: {
      metadata: full,
      involvedObject: { ...involvedObject, namespace },
      type: 'Warning',
      reason: 'BackOff',
      message: '  Back-off restarting failed container – 容器\n',
      source: { component: 'kubelet', host: 'node-1' },
      firstTimestamp: TIME,
      lastTimestamp: '2026-11-20T11:00:00Z',
      count: 12,
    },
    new: {
      involvedObject: { ...involvedObject, namespace },
      type: 'Normal',
      reason: 'Scheduled',
      message: 'x'.repeat(900),
      eventTime: MICRO_TIME,
      series: { count: 3, lastObservedTime: MICRO_TIME },
      action: 'Binding',
      reportingComponent: 'default-scheduler',
      reportingInstance: 'scheduler-1',
    },
    bare: { involvedObject: { namespace } },
  }),
  {
    ...core('services', 'Service', {
      plain: { spec: { ports: [{ port: 80 }], selector: { app: 'shop', '5': 'number' } } },
      nodes: {
        metadata: full,
        spec: {
          type: 'LoadBalancer',
          externalIPs: ['192.0.2.7'],
          ports: [
            { name: 'a', port: 80, targetPort: 'http' },
            { name: 'b', port: 53, protocol: 'UDP' },
          ],
        },
      },
      headless: { spec: { clusterIP: 'None', ports: [{ port: 1 }] } },
      elsewhere: { spec: { type: 'ExternalName', externalName: 'db.example.org' } },
    }),
    status: { nodes: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { hostname: 'lb.example.org' }] } } },
  },
  core('endpoints', 'Endpoints', {
    none: {},
    some: {
      metadata: full,
      subsets: [
        { addresses: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }], ports: [{ port: 80 }] },
        { addresses: [{ ip: '10.0.0.3' }], notReadyAddresses: [{ ip: '10.0.0.4' }], ports: [{ name: 'b', port: 81 }] },
      ],
    },
  }),
  {
    ...core('endpointslices', 'EndpointSlice', {
      none: { addressType: 'IPv4', endpoints: [], ports: [] },
      some: {
        metadata: { ...full, labels: { ...LABELS, 'kubernetes.io/service-name': 'shop' } },
        addressType: 'IPv6',
        endpoints: [
          { addresses: ['fd00::1'], conditions: { ready: true, serving: true } },
          { addresses: ['fd00::2'], conditions: { ready: false } },
          { addresses: ['fd00::3'], nodeName: 'node-1', zone: 'a' },
        ],
        ports: [{ name: 'http', port: 8080 }, { name: 'all' }, { name: '', port: 443 }],
      },
      allPorts: { addressType: 'FQDN', endpoints: [{ addresses: ['a.example.org'] }], ports: [] },
    }),
    group: 'discovery.k8s.io',
  },
  {
    ...core('leases', 'Lease', {
      free: {},
      held: {
        metadata: full,
        spec: {
          holderIdentity: 'scheduler-1_4711',
          leaseDurationSeconds: 15,
          acquireTime: MICRO_TIME,
          renewTime: MICRO_TIME,
          leaseTransitions: 0,
        },
      },
    }),
    group: 'coordination.k8s.io',
  },
  {
    ...core('replicasets', 'ReplicaSet', {
      plain: { spec: { selector, template: template([container('a')]) } },
      none: { metadata: full, spec: { replicas: 0, selector, template: template([container('a')]) } },
      several: {
        spec: { replicas: 3, selector, template: template([container('a'), container('b')], [container('i')]) },
      },
      failing: { spec: { replicas: 2, selector, template: template([container('a')]) } },
    }),
    group: 'apps',
    status: {
      several: { replicas: 3, readyReplicas: 2, availableReplicas: 1, fullyLabeledReplicas: 3, observedGeneration: 1 },
      failing: { replicas: 0, conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate' }] },
    },
  },
  {
    ...core('nodes', 'Node', {
      'node-plain': {},
      'node-simulated': { metadata: { annotations: { 'kwok.x-k8s.io/node': 'fake' } } },
      'node-full': {
        metadata: {
          labels: {
            'topology.kubernetes.io/zone': 'zone-a',
            'topology.kubernetes.io/region': 'north',
            'node-role.kubernetes.io/control-plane': '',
            'node-role.kubernetes.io/worker': '',
            'kubernetes.io/role': 'edge',
          },
        },
        spec: {
          providerID: 'example://zone-a/node-full',
          unschedulable: true,
          taints: [
            { key: 'gpu', value: 'yes', effect: 'NoSchedule' },
            { key: 'old', effect: 'NoExecute' },
          ],
        },
      },
    }),
    namespaced: false,
    status: {
      'node-full': {
        capacity: { cpu: '32', memory: '131072Mi', pods: '110', 'example.org/gpu': '4' },
        allocatable: { cpu: '31500m', memory: '128Gi', pods: '100' },
        conditions: [
          { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'x' },
          { type: 'DiskPressure', status: 'True' },
          { type: 'MemoryPressure', status: 'False' },
        ],
        addresses: [
          { type: 'Hostname', address: 'node-full' },
          { type: 'InternalIP', address: '192.168.7.120' },
        ],
        nodeInfo: {
          machineID: 'm',
          systemUUID: 's',
          bootID: 'b',
          kernelVersion: '6.18.0',
          osImage: 'Example Linux 7',
          containerRuntimeVersion: 'containerd://2.2.0',
          kubeletVersion: 'v1.36.3',
          kubeProxyVersion: '',
          operatingSystem: 'linux',
          architecture: 'amd64',
        },
      },
    },
  },
]
