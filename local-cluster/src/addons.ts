import { readFileSync } from 'node:fs'
import type { KubeObject } from './kube-request.ts'
import { imageReference, type NodeSpec } from './node-spec.ts'
import type { SampleImage } from './sample-images.ts'

const NAMESPACE = 'kube-system'

const RESTRICTED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  runAsUser: 65532,
  capabilities: { drop: ['ALL'] },
}

const namespaced = (name: string, labels?: object) => ({ name, namespace: NAMESPACE, ...(labels ? { labels } : {}) })
const serviceAccount = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: namespaced(name),
})

const clusterRole = (name: string, rules: unknown[]): KubeObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name },
  rules,
})

function roleBinding(name: string, role: string, account: string, namespace?: string): KubeObject {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: namespace ? 'RoleBinding' : 'ClusterRoleBinding',
    metadata: { name, ...(namespace ? { namespace } : {}) },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: namespace ? 'Role' : 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: NAMESPACE }],
  }
}

function referenceOf(spec: NodeSpec, images: readonly SampleImage[], name: string): string {
  const image = images.find((one) => one.repository === `quarterdeck/${name}`)
  if (!image) throw new Error(`no image ${name}`)
  return imageReference(spec.ports, `${image.repository}:${image.tag}`)
}

const COREFILE = `.:53 {
  errors
  health {
    lameduck 2s
  }
  ready
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    pods insecure
    fallthrough in-addr.arpa ip6.arpa
    ttl 30
  }
  prometheus :9153
  forward . /etc/resolv.conf
  cache 30
  reload
  loadbalance
}
`

/** CoreDNS: names of Services and pods within the cluster. */
export function coreDns(spec: NodeSpec, images: readonly SampleImage[]): KubeObject[] {
  const labels = { 'k8s-app': 'kube-dns' }
  const container = {
    name: 'coredns',
    image: referenceOf(spec, images, 'coredns'),
    args: ['-conf', '/etc/coredns/Corefile'],
    ports: [
      { name: 'dns', containerPort: 53, protocol: 'UDP' },
      { name: 'dns-tcp', containerPort: 53, protocol: 'TCP' },
      { name: 'metrics', containerPort: 9153, protocol: 'TCP' },
    ],
    resources: { requests: { cpu: '20m', memory: '40Mi' }, limits: { memory: '170Mi' } },
    volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
    readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 2 },
    livenessProbe: { httpGet: { path: '/health', port: 8080 }, initialDelaySeconds: 30, failureThreshold: 5 },
    securityContext: RESTRICTED,
  }
  return [
    serviceAccount('coredns'),
    clusterRole('system:coredns', [
      { apiGroups: [''], resources: ['services', 'pods', 'namespaces'], verbs: ['list', 'watch'] },
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
    ]),
    roleBinding('system:coredns', 'system:coredns', 'coredns'),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: namespaced('coredns'), data: { Corefile: COREFILE } },
    deployment('coredns', labels, {
      serviceAccountName: 'coredns',
      priorityClassName: 'system-cluster-critical',
      dnsPolicy: 'Default',
      tolerations: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }],
      // Lets a user other than root listen on port 53.
      securityContext: { sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }] },
      containers: [container],
      volumes: [{ name: 'config', configMap: { name: 'coredns' } }],
    }),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: namespaced('kube-dns', { ...labels, 'kubernetes.io/name': 'CoreDNS' }),
      spec: {
        selector: labels,
        clusterIP: spec.network.dnsAddress,
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
          { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
          { name: 'metrics', port: 9153, protocol: 'TCP', targetPort: 9153 },
        ],
      },
    },
  ]
}

function deployment(name: string, labels: object, podSpec: object): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: namespaced(name, labels),
    spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec } },
  }
}

/** metrics-server: processor and memory use of nodes and pods, under metrics.k8s.io. */
export function metricsServer(spec: NodeSpec, images: readonly SampleImage[]): KubeObject[] {
  const name = 'metrics-server'
  const { identities } = spec
  const base64 = (file: string) => readFileSync(identities.file(file)).toString('base64')
  return [
    serviceAccount(name),
    clusterRole('system:metrics-server', [
      { apiGroups: [''], resources: ['nodes/metrics'], verbs: ['get'] },
      { apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] },
    ]),
    {
      ...clusterRole('system:aggregated-metrics-reader', [
        { apiGroups: ['metrics.k8s.io'], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] },
      ]),
      metadata: {
        name: 'system:aggregated-metrics-reader',
        labels: Object.fromEntries(
          ['admin', 'edit', 'view'].map((role) => [`rbac.authorization.k8s.io/aggregate-to-${role}`, 'true']),
        ),
      },
    },
    roleBinding('system:metrics-server', 'system:metrics-server', name),
    roleBinding('metrics-server:system:auth-delegator', 'system:auth-delegator', name),
    roleBinding('metrics-server-auth-reader', 'extension-apiserver-authentication-reader', name, NAMESPACE),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: namespaced('metrics-server-certificate'),
      type: 'kubernetes.io/tls',
      data: { 'tls.crt': base64('metrics-server.crt'), 'tls.key': base64('metrics-server.key') },
    },
    deployment(name, { 'k8s-app': name }, metricsServerPod(referenceOf(spec, images, name))),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: namespaced(name, { 'k8s-app': name }),
      spec: {
        selector: { 'k8s-app': name },
        ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 10250 }],
      },
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta1.metrics.k8s.io' },
      spec: {
        group: 'metrics.k8s.io',
        version: 'v1beta1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        caBundle: base64('ca.crt'),
        service: { name, namespace: NAMESPACE, port: 443 },
      },
    },
  ]
}

function metricsServerPod(image: string) {
  return {
    serviceAccountName: 'metrics-server',
    priorityClassName: 'system-cluster-critical',
    containers: [
      {
        name: 'metrics-server',
        image,
        args: [
          '--secure-port=10250',
          '--tls-cert-file=/certificate/tls.crt',
          '--tls-private-key-file=/certificate/tls.key',
          '--kubelet-preferred-address-types=InternalIP',
          '--kubelet-use-node-status-port',
          '--kubelet-certificate-authority=/authority/ca.crt',
          '--metric-resolution=15s',
        ],
        ports: [{ name: 'https', containerPort: 10250, protocol: 'TCP' }],
        resources: { requests: { cpu: '20m', memory: '60Mi' } },
        readinessProbe: { httpGet: { path: '/readyz', port: 10250, scheme: 'HTTPS' }, periodSeconds: 2 },
        livenessProbe: { httpGet: { path: '/livez', port: 10250, scheme: 'HTTPS' }, initialDelaySeconds: 60 },
        securityContext: RESTRICTED,
        volumeMounts: [
          { name: 'certificate', mountPath: '/certificate', readOnly: true },
          { name: 'authority', mountPath: '/authority', readOnly: true },
        ],
      },
    ],
    volumes: [
      { name: 'certificate', secret: { secretName: 'metrics-server-certificate' } },
      { name: 'authority', configMap: { name: 'kube-root-ca.crt' } },
    ],
  }
}
