import type { KubeObject } from '@quarterdeck/kernel'
import { expect, test } from 'vitest'
import { managersOf, shownObject } from './object.rules.ts'
import { referencesOf } from './reference.rules.ts'
import { referenceTo, referrersOf } from './referrer.rules.ts'

const object = (apiVersion: string, kind: string, rest: Record<string, unknown>, metadata = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'it', namespace: 'shop', ...metadata },
  ...rest,
})
const named = (one: KubeObject) =>
  referencesOf(one).map(({ kind, namespace, name, because, optional }) =>
    [kind, `${namespace}/${name}`, because, ...(optional ? ['optional'] : [])].join(' '),
  )
const podSpec = {
  serviceAccountName: 'runner',
  imagePullSecrets: [{ name: 'registry' }],
  priorityClassName: 'high',
  volumes: [
    { name: 'a', configMap: { name: 'settings' } },
    { name: 'b', secret: { secretName: 'keys', optional: true } },
    { name: 'c', persistentVolumeClaim: { claimName: 'data' } },
    { name: 'd', projected: { sources: [{ secret: { name: 'ca' } }, { serviceAccountToken: {} }] } },
    { name: 'e', emptyDir: {} },
  ],
  initContainers: [{ name: 'first', envFrom: [{ configMapRef: { name: 'defaults' } }] }],
  containers: [
    {
      name: 'web',
      env: [
        { name: 'PLAIN', value: 'x' },
        { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'database', key: 'password' } } },
        { name: 'AGAIN', valueFrom: { configMapKeyRef: { name: 'settings', key: 'x' } } },
      ],
    },
  ],
}
const OF_POD = (at: string) => [
  `ServiceAccount shop/runner ${at}.serviceAccountName`,
  `ConfigMap shop/settings ${at}.volumes[0].configMap`,
  `Secret shop/keys ${at}.volumes[1].secret optional`,
  `PersistentVolumeClaim shop/data ${at}.volumes[2].persistentVolumeClaim`,
  `Secret shop/ca ${at}.volumes[3].projected.sources[0].secret`,
  `ConfigMap shop/defaults ${at}.initContainers[0].envFrom[0].configMapRef`,
  `Secret shop/database ${at}.containers[0].env[PASSWORD]`,
  `Secret shop/registry ${at}.imagePullSecrets[0]`,
  `PriorityClass /high ${at}.priorityClassName`,
]

test('a pod, and whatever makes pods, names what its pods need, each once and with the place', () => {
  expect(named(object('v1', 'Pod', { spec: podSpec }))).toEqual(OF_POD('spec'))
  const template = { metadata: { labels: { app: 'web' } }, spec: podSpec }
  for (const kind of ['Deployment', 'DaemonSet', 'ReplicaSet']) {
    expect(named(object('apps/v1', kind, { spec: { template } }))).toEqual(OF_POD('spec.template.spec'))
  }
  const cronJob = object('batch/v1', 'CronJob', { spec: { jobTemplate: { spec: { template } } } })
  expect(named(cronJob)).toEqual(OF_POD('spec.jobTemplate.spec.template.spec'))
})

test('what one place needs and another may do without is needed', () => {
  const volumes = [
    { name: 'a', secret: { secretName: 'keys', optional: true } },
    { name: 'b', secret: { secretName: 'keys' } },
  ]
  expect(named(object('v1', 'Pod', { spec: { volumes } }))).toEqual(['Secret shop/keys spec.volumes[0].secret'])
})

test.each<[string, KubeObject, string[]]>([
  [
    'an ingress',
    object('networking.k8s.io/v1', 'Ingress', {
      spec: {
        ingressClassName: 'nginx',
        rules: [{ http: { paths: [{ backend: { service: { name: 'web' } } }] } }],
        tls: [{ secretName: 'certificate' }],
      },
    }),
    [
      'IngressClass /nginx spec.ingressClassName',
      'Service shop/web spec.rules[0].http.paths[0].backend.service',
      'Secret shop/certificate spec.tls[0].secretName',
    ],
  ],
  [
    'an autoscaler',
    object('autoscaling/v2', 'HorizontalPodAutoscaler', {
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } },
    }),
    ['Deployment shop/web spec.scaleTargetRef'],
  ],
  [
    'a claim',
    object('v1', 'PersistentVolumeClaim', { spec: { volumeName: 'pv-1', storageClassName: 'fast' } }),
    ['PersistentVolume /pv-1 spec.volumeName', 'StorageClass /fast spec.storageClassName'],
  ],
  [
    'a volume',
    object(
      'v1',
      'PersistentVolume',
      { spec: { claimRef: { namespace: 'shop', name: 'data' }, storageClassName: 'fast' } },
      { namespace: undefined },
    ),
    ['PersistentVolumeClaim shop/data spec.claimRef', 'StorageClass /fast spec.storageClassName'],
  ],
  [
    'a binding',
    object('rbac.authorization.k8s.io/v1', 'RoleBinding', {
      roleRef: { kind: 'ClusterRole', name: 'edit' },
      subjects: [
        { kind: 'User', name: 'ann' },
        { kind: 'ServiceAccount', name: 'runner', namespace: 'ci' },
      ],
    }),
    ['ClusterRole /edit roleRef', 'ServiceAccount ci/runner subjects[1]'],
  ],
  [
    'a webhook',
    object(
      'admissionregistration.k8s.io/v1',
      'ValidatingWebhookConfiguration',
      { webhooks: [{ clientConfig: { service: { namespace: 'policy', name: 'gate' } } }] },
      { namespace: undefined },
    ),
    ['Service policy/gate webhooks[0].clientConfig.service'],
  ],
  [
    'an event about a node',
    object('v1', 'Event', { involvedObject: { kind: 'Node', name: 'node-1' } }, { namespace: 'default' }),
    ['Node /node-1 involvedObject'],
  ],
  [
    'a route',
    object('gateway.networking.k8s.io/v1', 'HTTPRoute', {
      spec: {
        parentRefs: [{ name: 'public', namespace: 'edge' }],
        rules: [{ backendRefs: [{ name: 'web', port: 80 }] }],
      },
    }),
    ['Gateway edge/public spec.parentRefs[0]', 'Service shop/web spec.rules[0].backendRefs[0]'],
  ],
  ['what names nothing', object('example.com/v1', 'Boat', { spec: { volumes: 3 } }), []],
])('%s names what it refers to', (_, one, expected) => {
  expect(named(one)).toEqual(expected)
})

test('a malformed object of somebody else names nothing and breaks nothing', () => {
  const broken = {
    spec: { template: { spec: { volumes: 'x', containers: [null, { env: {} }], imagePullSecrets: [7] } } },
  }
  expect(named(object('apps/v1', 'Deployment', broken))).toEqual([])
  expect(named(object('apps/v1', 'Deployment', {}))).toEqual([])
})

test('a Service chooses pods by labels, and is named by what it chooses', () => {
  const service = object('v1', 'Service', { spec: { selector: { app: 'web' } } })
  expect(referencesOf(service)).toMatchObject([{ kind: 'Pod', labels: { app: 'web' }, because: 'spec.selector' }])
  const deployment = (labels: object) =>
    object('apps/v1', 'Deployment', { spec: { template: { metadata: { labels }, spec: {} } } })
  expect(referenceTo(deployment({ app: 'web', tier: 'front' }), service)?.because).toBe('spec.selector')
  expect(referenceTo(deployment({ app: 'other' }), service)).toBeUndefined()
  expect(referencesOf(object('v1', 'Service', { spec: { selector: {} } }))).toEqual([])
})

test('what a controller made does not name again what the controller names, a claim apart', () => {
  const owned = {
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db', uid: '1', controller: true }],
  }
  const volumes = [
    { name: 'a', configMap: { name: 'it' } },
    { name: 'b', persistentVolumeClaim: { claimName: 'it' } },
  ]
  const pod = object('v1', 'Pod', { spec: { volumes } }, { name: 'db-0', ...owned })
  expect(referenceTo(object('v1', 'ConfigMap', {}), pod)).toBeUndefined()
  expect(referenceTo(object('v1', 'PersistentVolumeClaim', {}), pod)?.because).toContain('persistentVolumeClaim')
  expect(referrersOf(object('v1', 'ConfigMap', {})).map(({ kind }) => kind)).toContain('CronJob')
})

test('of a Secret nobody sees more than keys and sizes, not even in the copy that kubectl leaves', () => {
  const secret = object(
    'v1',
    'Secret',
    { data: { password: 'aHVudGVyMg==', empty: '' }, stringData: { note: 'x' } },
    {
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"password":"aHVudGVyMg=="}}',
        team: 'a',
      },
      managedFields: [{ manager: 'kubectl' }],
    },
  )
  const shown = shownObject(secret)
  expect(shown).toMatchObject({
    data: { password: '(7 bytes, not shown)', empty: '(0 bytes, not shown)' },
    stringData: { note: '(1 byte, not shown)' },
    metadata: { annotations: { team: 'a' } },
  })
  expect(JSON.stringify(shown)).not.toMatch(/hunter2|aHVudGVyMg|managedFields/)
})

test('who wrote to an object is told with how many fields, the last first', () => {
  const managedFields = [
    {
      manager: 'helm',
      operation: 'Apply',
      time: '2026-11-20T00:00:00Z',
      fieldsV1: { 'f:spec': { '.': {}, 'f:replicas': {} } },
    },
    {
      manager: 'kubelet',
      operation: 'Update',
      subresource: 'status',
      time: '2026-11-21T00:00:00Z',
      fieldsV1: {
        'f:status': { 'f:phase': {}, 'f:conditions': { 'k:{"type":"Ready"}': { '.': {}, 'f:status': {} } } },
      },
    },
  ]
  expect(managersOf(object('v1', 'Pod', {}, { managedFields }))).toEqual([
    { manager: 'kubelet', operation: 'Update', subresource: 'status', time: '2026-11-21T00:00:00Z', fields: 2 },
    { manager: 'helm', operation: 'Apply', time: '2026-11-20T00:00:00Z', fields: 1 },
  ])
})
