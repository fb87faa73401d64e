import { type TestCluster, testCluster } from '@quarterdeck/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { JsonObject } from '../worker/object-sink.ts'
import { kindOf } from './kinds/kind-of.ts'
import { rowOf } from './row-of.ts'
import type { PlainRow } from './rows-of-batches.ts'

let testing: TestCluster
let namespace: string
beforeAll(async () => {
  testing = await testCluster()
  namespace = await testing.namespace('kinds')
})
afterAll(() => testing?.close())

/** A cell as the API server prints it, from the row; by the heading of the cell. */
type Cells = Record<string, (row: PlainRow) => unknown>
interface Case {
  plural: string
  group?: string
  version?: string
  kind: string
  object: Record<string, unknown>
  status?: Record<string, unknown>
  cells: Cells
}

const joined = (value: unknown, none = '<none>') => (Array.isArray(value) ? value.join(',') : none)
const template = {
  metadata: { labels: { app: 'shop' } },
  spec: { containers: [{ name: 'a', image: 'example.org/a:1' }], nodeSelector: { disk: 'fast' } },
}
const selector = { matchLabels: { app: 'shop' } }
const job = { ...template, spec: { ...template.spec, restartPolicy: 'Never' } }

const CASES: Case[] = [
  {
    plural: 'deployments',
    group: 'apps',
    kind: 'Deployment',
    object: { spec: { replicas: 3, selector, template } },
    status: { replicas: 3, readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1, observedGeneration: 1 },
    cells: {
      Ready: (row) => `${row.ready}/${row.replicas}`,
      'Up-to-date': (row) => row.upToDate,
      Available: (row) => row.available,
      Images: (row) => joined(row.images),
      Selector: (row) => joined(row.selector),
    },
  },
  {
    plural: 'statefulsets',
    group: 'apps',
    kind: 'StatefulSet',
    object: { spec: { replicas: 2, selector, template, serviceName: 'db' } },
    status: { replicas: 2, readyReplicas: 1 },
    cells: { Ready: (row) => `${row.ready}/${row.replicas}`, Images: (row) => joined(row.images) },
  },
  {
    plural: 'daemonsets',
    group: 'apps',
    kind: 'DaemonSet',
    object: { spec: { selector, template } },
    status: {
      desiredNumberScheduled: 5,
      currentNumberScheduled: 4,
      numberReady: 3,
      updatedNumberScheduled: 2,
      numberAvailable: 1,
      numberMisscheduled: 0,
    },
    cells: {
      Desired: (row) => row.replicas,
      Current: (row) => row.current,
      Ready: (row) => row.ready,
      'Up-to-date': (row) => row.upToDate,
      Available: (row) => row.available,
      'Node Selector': (row) => joined(row.nodeSelector),
    },
  },
  {
    plural: 'replicasets',
    group: 'apps',
    kind: 'ReplicaSet',
    object: { spec: { replicas: 2, selector, template } },
    status: { replicas: 2, readyReplicas: 1 },
    cells: { Desired: (row) => row.replicas, Current: (row) => row.current, Ready: (row) => row.ready },
  },
  {
    plural: 'jobs',
    group: 'batch',
    kind: 'Job',
    object: { spec: { completions: 4, template: job } },
    status: { startTime: '2026-11-20T10:00:00Z', succeeded: 1, active: 1 },
    cells: { Status: (row) => row.status, Completions: (row) => `${row.succeeded}/${row.completions}` },
  },
  {
    plural: 'cronjobs',
    group: 'batch',
    kind: 'CronJob',
    object: {
      spec: {
        schedule: '*/5 * * * *',
        suspend: true,
        timeZone: 'Asia/Shanghai',
        jobTemplate: { spec: { template: job } },
      },
    },
    cells: {
      Schedule: (row) => row.schedule,
      Timezone: (row) => row.timeZone,
      Suspend: (row) => (row.suspended === 'true' ? 'True' : 'False'),
      Active: (row) => row.active,
    },
  },
  {
    plural: 'horizontalpodautoscalers',
    group: 'autoscaling',
    version: 'v2',
    kind: 'HorizontalPodAutoscaler',
    object: {
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'one' },
        maxReplicas: 7,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
        ],
      },
    },
    status: {
      currentReplicas: 2,
      desiredReplicas: 3,
      currentMetrics: [
        { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 40, averageValue: '1' } } },
      ],
    },
    cells: {
      Reference: (row) => row.target,
      Targets: (row) => joined(row.metrics),
      MinPods: (row) => String(row.least),
      MaxPods: (row) => row.most,
      Replicas: (row) => row.replicas,
    },
  },
  {
    plural: 'poddisruptionbudgets',
    group: 'policy',
    kind: 'PodDisruptionBudget',
    object: { spec: { minAvailable: '50%', selector } },
    status: { disruptionsAllowed: 3, currentHealthy: 5, desiredHealthy: 2, expectedPods: 5 },
    cells: {
      'Min Available': (row) => row.leastAvailable,
      'Max Unavailable': (row) => row.mostUnavailable ?? 'N/A',
      'Allowed Disruptions': (row) => row.allowed,
    },
  },
  {
    plural: 'services',
    kind: 'Service',
    object: {
      spec: {
        type: 'LoadBalancer',
        selector: { app: 'shop' },
        ports: [
          { name: 'a', port: 80 },
          { name: 'b', port: 53, protocol: 'UDP' },
        ],
      },
    },
    status: { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } },
    cells: {
      Type: (row) => row.type,
      'Cluster-IP': (row) => row.clusterIp,
      'External-IP': (row) => joined(row.addresses),
      'Port(s)': (row) => joined(row.ports),
      Selector: (row) => joined(row.selector),
    },
  },
  {
    plural: 'endpointslices',
    group: 'discovery.k8s.io',
    kind: 'EndpointSlice',
    object: {
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.0.0.1'] }],
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 81 },
      ],
    },
    cells: { AddressType: (row) => row.addressType, Ports: (row) => joined(row.ports) },
  },
  {
    plural: 'ingresses',
    group: 'networking.k8s.io',
    kind: 'Ingress',
    object: {
      spec: {
        ingressClassName: 'nginx',
        rules: [{ host: 'a.example.org' }, { host: 'b.example.org' }],
        defaultBackend: { service: { name: 'shop', port: { number: 80 } } },
      },
    },
    status: { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } },
    cells: { Class: (row) => row.class, Hosts: (row) => joined(row.hosts), Address: (row) => joined(row.addresses) },
  },
  {
    plural: 'networkpolicies',
    group: 'networking.k8s.io',
    kind: 'NetworkPolicy',
    object: { spec: { podSelector: selector } },
    cells: { 'Pod-Selector': (row) => joined(row.selector) },
  },
  {
    plural: 'persistentvolumeclaims',
    kind: 'PersistentVolumeClaim',
    object: {
      spec: {
        volumeName: 'pv-1',
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'fast',
        resources: { requests: { storage: '5Gi' } },
      },
    },
    status: { phase: 'Bound', capacity: { storage: '5Gi' }, accessModes: ['ReadWriteOnce'] },
    cells: {
      Status: (row) => row.status,
      Volume: (row) => row.volume,
      Capacity: (row) => `${Number(row.capacity) / 2 ** 30}Gi`,
      'Access Modes': (row) => joined(row.accessModes).replace('ReadWriteOnce', 'RWO'),
      StorageClass: (row) => row.storageClass,
      VolumeMode: (row) => row.volumeMode,
    },
  },
  {
    plural: 'configmaps',
    kind: 'ConfigMap',
    object: { data: { a: '1', b: '2' }, binaryData: { c: 'AA==' } },
    cells: { Data: (row) => row.keys },
  },
  {
    plural: 'secrets',
    kind: 'Secret',
    object: { data: { a: 'AA==' } },
    cells: { Type: (row) => row.type, Data: (row) => row.keys },
  },
  {
    plural: 'resourcequotas',
    kind: 'ResourceQuota',
    object: { spec: { hard: { pods: '10', 'limits.cpu': '4' } } },
    status: { hard: { pods: '10', 'limits.cpu': '4' }, used: { pods: '3', 'limits.cpu': '1' } },
    cells: { Request: (row) => joined(row.requests), Limit: (row) => joined(row.limits) },
  },
  {
    plural: 'leases',
    group: 'coordination.k8s.io',
    kind: 'Lease',
    object: { spec: { holderIdentity: 'a' } },
    cells: { Holder: (row) => row.holder },
  },
  {
    plural: 'rolebindings',
    group: 'rbac.authorization.k8s.io',
    kind: 'RoleBinding',
    object: {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'ServiceAccount', namespace: 'shop', name: 'default' }],
    },
    cells: {
      Role: (row) => row.role,
      ServiceAccounts: (row) => joined(row.subjects).replace('ServiceAccount/', ''),
    },
  },
  {
    plural: 'events',
    kind: 'Event',
    object: {
      involvedObject: { kind: 'Pod', name: 'shop-1' },
      type: 'Warning',
      reason: 'BackOff',
      message: ' Back-off ',
      count: 3,
      source: { component: 'kubelet', host: 'n' },
      firstTimestamp: '2026-11-20T10:00:00Z',
      lastTimestamp: '2026-11-20T10:00:00Z',
    },
    cells: {
      Type: (row) => row.type,
      Reason: (row) => row.reason,
      Object: (row) => String(row.object).replace('Pod', 'pod'),
      Source: (row) => `${row.reporter}, ${row.host}`,
      Message: (row) => row.message,
      Count: (row) => row.count,
    },
  },
]

async function ask(method: 'GET' | 'POST' | 'PATCH', path: string, accept: string, body?: object) {
  const answer = await testing.cluster.native({
    method,
    path,
    query: '',
    accept,
    contentType: method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
    body: body && Buffer.from(JSON.stringify(body)),
  })
  const text = Buffer.concat(await answer.body.toArray()).toString()
  expect(answer.status, text).toBeLessThan(300)
  return JSON.parse(text)
}

/** An event is of an object in its own namespace. */
const about = ({ involvedObject }: Case['object']) =>
  involvedObject ? { involvedObject: { ...(involvedObject as object), namespace } } : {}

test.each(CASES.map((each) => [each.kind, each] as const))(
  'a %s has the values that the API server prints',
  async (_, each) => {
    const { plural, group = '', version = 'v1', kind, object, status, cells } = each
    const path = `${group === '' ? '/api/v1' : `/apis/${group}/${version}`}/namespaces/${namespace}/${plural}`
    const apiVersion = group === '' ? version : `${group}/${version}`
    await ask('POST', path, 'application/json', {
      apiVersion,
      kind,
      metadata: { name: 'one', namespace },
      ...object,
      ...about(object),
    })
    if (status) await ask('PATCH', `${path}/one/status`, 'application/json', { status })
    const json: JsonObject = await ask('GET', `${path}/one`, 'application/json')
    const table = await ask('GET', `${path}/one`, 'application/json;as=Table;v=v1;g=meta.k8s.io')
    const headings: string[] = table.columnDefinitions.map(({ name }: { name: string }) => name)
    const row = rowOf(kindOf({ group, version, kind, plural, shortNames: [], namespaced: true, custom: false }), json)
    const ours = Object.fromEntries(Object.entries(cells).map(([heading, cell]) => [heading, cell(row)]))
    const printed = Object.keys(cells).map((heading) => [heading, table.rows[0].cells[headings.indexOf(heading)]])
    expect(ours).toEqual(Object.fromEntries(printed))
  },
)
