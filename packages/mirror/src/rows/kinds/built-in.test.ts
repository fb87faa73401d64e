import { expect, test } from 'vitest'
import type { JsonObject } from '../../worker/object-sink.ts'
import { ownValues, rowOf } from '../row-of.ts'
import type { PlainRow } from '../rows-of-batches.ts'
import { kindOf } from './kind-of.ts'

const kind = (resource: string) => {
  const [plural = '', ...group] = resource.split('.')
  const names = { kind: plural, plural, shortNames: [], namespaced: true, custom: false }
  return kindOf({ group: group.join('.'), version: 'v1', ...names })
}
const at = (time: string) => Date.parse(time) / 1000

const GI = 2 ** 30
const cases: [string, string, JsonObject, PlainRow][] = [
  [
    'a node that is cordoned and short of memory',
    'nodes',
    {
      metadata: {
        labels: {
          'node-role.kubernetes.io/control-plane': '',
          'kubernetes.io/role': 'edge',
          'topology.kubernetes.io/zone': 'z1',
          'topology.kubernetes.io/region': 'r1',
        },
      },
      spec: {
        unschedulable: true,
        taints: [
          { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' },
          { key: 'dedicated', value: 'db', effect: 'NoExecute' },
        ],
      },
      status: {
        capacity: { cpu: '8', memory: '32Gi', pods: '110' },
        allocatable: { cpu: '7900m', memory: '30Gi', pods: '100' },
        addresses: [
          { type: 'Hostname', address: 'node-1' },
          { type: 'InternalIP', address: '192.168.7.120' },
        ],
        conditions: [
          { type: 'MemoryPressure', status: 'True' },
          { type: 'DiskPressure', status: 'False' },
          { type: 'Ready', status: 'True' },
        ],
        nodeInfo: {
          kubeletVersion: 'v1.36.3',
          osImage: 'Flatcar',
          containerRuntimeVersion: 'containerd://2.4.2',
          kernelVersion: '6.18',
          architecture: 'arm64',
        },
      },
    },
    {
      status: 'Ready,SchedulingDisabled',
      roles: ['control-plane', 'edge'],
      version: 'v1.36.3',
      zone: 'z1',
      region: 'r1',
      address: '192.168.7.120',
      cpu: 7.9,
      cpuCapacity: 8,
      memory: 30 * GI,
      memoryCapacity: 32 * GI,
      pods: 100,
      podsCapacity: 110,
      os: 'Flatcar',
      runtime: 'containerd://2.4.2',
      kernel: '6.18',
      architecture: 'arm64',
      taints: ['node.kubernetes.io/unschedulable:NoSchedule', 'dedicated=db:NoExecute'],
      conditions: ['MemoryPressure'],
    },
  ],
  [
    'a node that is not ready',
    'nodes',
    { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } },
    { status: 'NotReady', conditions: ['NotReady'] },
  ],
  ['a node that was never heard of', 'nodes', {}, { status: 'Unknown' }],
  ['a namespace', 'namespaces', { status: { phase: 'Active' } }, { status: 'Active' }],
  [
    'a CustomResourceDefinition',
    'customresourcedefinitions.apiextensions.k8s.io',
    {
      spec: {
        group: 'example.org',
        names: { kind: 'Widget' },
        scope: 'Namespaced',
        versions: [
          { name: 'v1', served: true },
          { name: 'v1alpha1', served: false },
        ],
      },
      status: { conditions: [{ type: 'Established', status: 'True' }] },
    },
    { status: 'Established', group: 'example.org', kind: 'Widget', scope: 'Namespaced', versions: ['v1'] },
  ],
  [
    'a Service with a load balancer',
    'services',
    {
      spec: {
        type: 'LoadBalancer',
        clusterIP: '10.96.0.10',
        externalIPs: ['203.0.113.9'],
        ports: [
          { port: 443, nodePort: 30443, protocol: 'TCP' },
          { port: 53, protocol: 'UDP' },
        ],
        selector: { app: 'shop' },
      },
      status: { loadBalancer: { ingress: [{ ip: '203.0.113.1' }, { hostname: 'lb.example.org' }] } },
    },
    {
      type: 'LoadBalancer',
      clusterIp: '10.96.0.10',
      addresses: ['203.0.113.1', 'lb.example.org', '203.0.113.9'],
      ports: ['443:30443/TCP', '53/UDP'],
      selector: ['app=shop'],
    },
  ],
  [
    'a Service that is a name elsewhere',
    'services',
    { spec: { type: 'ExternalName', externalName: 'db.example.org' } },
    { type: 'ExternalName', addresses: ['db.example.org'] },
  ],
  [
    'Endpoints',
    'endpoints',
    { subsets: [{ addresses: [{}, {}], notReadyAddresses: [{}] }, { addresses: [{}] }] },
    { ready: 3, notReady: 1 },
  ],
  [
    'an EndpointSlice',
    'endpointslices.discovery.k8s.io',
    {
      metadata: { labels: { 'kubernetes.io/service-name': 'shop' } },
      addressType: 'IPv4',
      endpoints: [{ conditions: { ready: true } }, { conditions: { ready: false } }, {}],
      ports: [{ port: 8080, name: 'http' }, { name: 'any' }, {}],
    },
    { service: 'shop', addressType: 'IPv4', ready: 2, endpoints: 3, ports: ['8080', 'any', '*'] },
  ],
  [
    'an Ingress',
    'ingresses.networking.k8s.io',
    {
      spec: {
        ingressClassName: 'nginx',
        rules: [
          { host: 'a.example.org', http: { paths: [{ backend: { service: { name: 'shop' } } }] } },
          { host: 'b.example.org' },
          { http: { paths: [{ backend: { service: { name: 'shop' } } }] } },
        ],
        tls: [{ secretName: 'certificate' }],
      },
      status: { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } },
    },
    {
      class: 'nginx',
      hosts: ['a.example.org', 'b.example.org'],
      addresses: ['203.0.113.1'],
      tls: ['certificate'],
      services: ['shop'],
    },
  ],
  [
    'an IngressClass',
    'ingressclasses.networking.k8s.io',
    { spec: { controller: 'k8s.io/ingress-nginx', parameters: { kind: 'Settings', name: 'all' } } },
    { controller: 'k8s.io/ingress-nginx', parameters: 'Settings/all' },
  ],
  [
    'a NetworkPolicy',
    'networkpolicies.networking.k8s.io',
    { spec: { podSelector: { matchLabels: { app: 'shop' } }, ingress: [{}, {}], egress: [] } },
    { types: ['Ingress', 'Egress'], selector: ['app=shop'], ingressRules: 2, egressRules: 0 },
  ],
  [
    'a PersistentVolumeClaim',
    'persistentvolumeclaims',
    {
      spec: {
        volumeName: 'pv-1',
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '5Gi' } },
        storageClassName: 'fast',
        volumeMode: 'Filesystem',
      },
      status: { phase: 'Bound', capacity: { storage: '10Gi' }, accessModes: ['ReadWriteOnce'] },
    },
    {
      status: 'Bound',
      volume: 'pv-1',
      capacity: 10 * GI,
      requested: 5 * GI,
      accessModes: ['ReadWriteOnce'],
      storageClass: 'fast',
      volumeMode: 'Filesystem',
    },
  ],
  [
    'a PersistentVolume',
    'persistentvolumes',
    {
      spec: {
        capacity: { storage: '10Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Retain',
        claimRef: { namespace: 'shop', name: 'data-0' },
        storageClassName: 'fast',
        csi: { driver: 'csi.example.org' },
      },
      status: { phase: 'Bound' },
    },
    {
      status: 'Bound',
      capacity: 10 * GI,
      accessModes: ['ReadWriteOnce'],
      reclaimPolicy: 'Retain',
      claim: 'shop/data-0',
      storageClass: 'fast',
      source: 'csi.example.org',
    },
  ],
  [
    'a StorageClass',
    'storageclasses.storage.k8s.io',
    {
      metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'csi.example.org',
      volumeBindingMode: 'WaitForFirstConsumer',
    },
    {
      provisioner: 'csi.example.org',
      reclaimPolicy: 'Delete',
      bindingMode: 'WaitForFirstConsumer',
      expandable: 'false',
      default: 'true',
    },
  ],
  ['a ConfigMap', 'configmaps', { data: { a: '', b: '' }, binaryData: { c: '' } }, { keys: 3, immutable: 'false' }],
  [
    'a Secret, without any of its values',
    'secrets',
    { type: 'Opaque', data: { password: 'aHVudGVyMg==' }, immutable: true },
    { type: 'Opaque', keys: 1, immutable: 'true' },
  ],
  [
    'a ResourceQuota',
    'resourcequotas',
    { status: { hard: { pods: '10', 'limits.cpu': '4' }, used: { pods: '3' } } },
    { requests: ['pods: 3/10'], limits: ['limits.cpu: 0/4'] },
  ],
  [
    'a LimitRange',
    'limitranges',
    { spec: { limits: [{ type: 'Container' }, { type: 'Pod' }] } },
    { types: ['Container', 'Pod'] },
  ],
  [
    'a Lease',
    'leases.coordination.k8s.io',
    { spec: { holderIdentity: 'a', renewTime: '2026-11-21T10:00:00.123456Z', leaseDurationSeconds: 15 } },
    { holder: 'a', renewed: at('2026-11-21T10:00:00Z'), seconds: 15 },
  ],
  [
    'an event',
    'events',
    {
      type: 'Warning',
      reason: 'BackOff',
      message: 'Back-off restarting\n',
      count: 7,
      involvedObject: { kind: 'Pod', name: 'shop-1' },
      firstTimestamp: '2026-11-21T10:00:00Z',
      lastTimestamp: '2026-11-21T10:05:00Z',
      source: { component: 'kubelet', host: 'node-1' },
    },
    {
      type: 'Warning',
      reason: 'BackOff',
      object: 'Pod/shop-1',
      message: 'Back-off restarting',
      count: 7,
      first: at('2026-11-21T10:00:00Z'),
      last: at('2026-11-21T10:05:00Z'),
      reporter: 'kubelet',
      host: 'node-1',
    },
  ],
  [
    'an event of the newer API in a series',
    'events.events.k8s.io',
    {
      type: 'Normal',
      reason: 'Scheduled',
      note: 'Assigned',
      regarding: { kind: 'Pod', name: 'shop-1' },
      eventTime: '2026-11-21T10:00:00.5Z',
      series: { count: 3, lastObservedTime: '2026-11-21T10:07:00.5Z' },
      reportingController: 'scheduler',
    },
    {
      type: 'Normal',
      reason: 'Scheduled',
      object: 'Pod/shop-1',
      message: 'Assigned',
      count: 3,
      first: at('2026-11-21T10:00:00Z'),
      last: at('2026-11-21T10:07:00Z'),
      reporter: 'scheduler',
    },
  ],
  [
    'an event that came once, as core/v1 shows those of the newer API',
    'events',
    {
      reason: 'Scheduled',
      count: 0,
      firstTimestamp: null,
      lastTimestamp: null,
      eventTime: '2026-11-21T10:00:00.5Z',
      reportingComponent: 'scheduler',
      source: {},
    },
    {
      reason: 'Scheduled',
      count: 1,
      first: at('2026-11-21T10:00:00Z'),
      last: at('2026-11-21T10:00:00Z'),
      reporter: 'scheduler',
    },
  ],
  [
    'a PriorityClass',
    'priorityclasses.scheduling.k8s.io',
    { value: -5, globalDefault: true },
    { value: -5, default: 'true', preemption: 'PreemptLowerPriority' },
  ],
  ['a RuntimeClass', 'runtimeclasses.node.k8s.io', { handler: 'gvisor' }, { handler: 'gvisor' }],
  [
    'a ServiceAccount',
    'serviceaccounts',
    { secrets: [{ name: 'a' }], automountServiceAccountToken: false },
    { secrets: 1, mounted: 'false' },
  ],
  ['a Role', 'roles.rbac.authorization.k8s.io', { rules: [{}, {}] }, { rules: 2 }],
  [
    'a ClusterRole',
    'clusterroles.rbac.authorization.k8s.io',
    { aggregationRule: {} },
    { rules: 0, aggregated: 'true' },
  ],
  [
    'a RoleBinding',
    'rolebindings.rbac.authorization.k8s.io',
    {
      roleRef: { kind: 'ClusterRole', name: 'view' },
      subjects: [
        { kind: 'User', name: 'ann' },
        { kind: 'ServiceAccount', namespace: 'shop', name: 'default' },
      ],
    },
    { role: 'ClusterRole/view', subjects: ['User/ann', 'ServiceAccount/shop/default'] },
  ],
  [
    'a CertificateSigningRequest',
    'certificatesigningrequests.certificates.k8s.io',
    {
      spec: { signerName: 'kubernetes.io/kubelet-serving', username: 'system:node:a', expirationSeconds: 3600 },
      status: { certificate: 'LS0t', conditions: [{ type: 'Approved' }] },
    },
    {
      status: 'Approved,Issued',
      signer: 'kubernetes.io/kubelet-serving',
      requestor: 'system:node:a',
      seconds: 3600,
    },
  ],
  [
    'webhooks',
    'validatingwebhookconfigurations.admissionregistration.k8s.io',
    {
      webhooks: [
        { failurePolicy: 'Ignore', clientConfig: { service: { namespace: 'policy', name: 'gate' } } },
        { failurePolicy: 'Fail', clientConfig: { url: 'https://example.org/check' } },
      ],
    },
    { webhooks: 2, services: ['policy/gate', 'https://example.org/check'], failing: 'Fail' },
  ],
  [
    'an APIService',
    'apiservices.apiregistration.k8s.io',
    {
      spec: { group: 'metrics.k8s.io', version: 'v1', service: { namespace: 'kube-system', name: 'metrics-server' } },
      status: { conditions: [{ type: 'Available', status: 'False', reason: 'MissingEndpoints' }] },
    },
    {
      status: 'MissingEndpoints',
      service: 'kube-system/metrics-server',
      group: 'metrics.k8s.io',
      version: 'v1',
      insecure: 'false',
    },
  ],
  [
    'a volume attachment',
    'volumeattachments.storage.k8s.io',
    {
      spec: { attacher: 'csi.example.org', source: { persistentVolumeName: 'pv-1' }, nodeName: 'node-1' },
      status: { attached: true },
    },
    { attached: 'true', attacher: 'csi.example.org', volume: 'pv-1', node: 'node-1' },
  ],
  [
    'a claim of a device',
    'resourceclaims.resource.k8s.io',
    { status: { allocation: {}, reservedFor: [{ resource: 'pods', name: 'a' }] } },
    { status: 'allocated,reserved', users: ['pods/a'] },
  ],
  ['a claim of a device that nobody has', 'resourceclaims.resource.k8s.io', {}, { status: 'pending' }],
  [
    'an address of a Service',
    'ipaddresses.networking.k8s.io',
    { spec: { parentRef: { resource: 'services', namespace: 'shop', name: 'web' } } },
    { holder: 'services/shop/web' },
  ],
  [
    'an admission policy and its binding',
    'validatingadmissionpolicybindings.admissionregistration.k8s.io',
    { spec: { policyName: 'no-latest' } },
    { policy: 'no-latest' },
  ],
]

test.each(cases)('the row of %s', (_, resource, object, expected) => {
  expect(ownValues(kind(resource), object)).toEqual(expected)
})

test('a claim, a volume and a CustomResourceDefinition that are being deleted say so', () => {
  const metadata = { deletionTimestamp: '2026-11-21T10:00:00Z' }
  for (const resource of [
    'persistentvolumeclaims',
    'persistentvolumes',
    'customresourcedefinitions.apiextensions.k8s.io',
  ]) {
    expect(rowOf(kind(resource), { metadata, status: { phase: 'Bound' } }).status).toBe('Terminating')
  }
})

test('no object is too odd for a row', () => {
  const odd: unknown[] = [
    null,
    [],
    [null],
    'text',
    7,
    true,
    { a: { b: null } },
    [[1]],
    { containers: 'x', conditions: {} },
  ]
  const resources = [...new Set(cases.map(([, resource]) => resource)), 'pods', 'deployments.apps', 'jobs.batch']
  resources.push('horizontalpodautoscalers.autoscaling', 'cronjobs.batch', 'statefulsets.apps', 'widgets.example.org')
  for (const resource of resources) {
    for (const value of odd) {
      const object = { spec: value, status: value, subsets: value, webhooks: value, endpoints: value, roleRef: value }
      const metadata = { name: 'odd', labels: value, annotations: value, ownerReferences: value, generation: value }
      expect(rowOf(kind(resource), { ...object, metadata } as JsonObject).name).toBe('odd')
    }
  }
})
