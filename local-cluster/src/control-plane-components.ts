import { get as httpsGet } from 'node:https'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Component } from './component.ts'
import type { Identities } from './identities.ts'
import { kubeRequest } from './kube-request.ts'
import { kubeconfigOf, writeWhole } from './kubeconfig.ts'
import type { Binaries } from './obtain.ts'

/** Loopback ports of a control plane. */
export interface ControlPlanePorts {
  apiServer: number
  etcd: number
  etcdPeer: number
  controllerManager: number
  scheduler: number
}

/** What a control plane is made from. */
export interface ControlPlaneSpec {
  stateFolder: string
  binaries: Binaries
  identities: Identities
  ports: ControlPlanePorts
  serviceCidr: string
  /** First and last port that a NodePort Service may get. */
  nodePorts: [number, number]
  /** Address under which pods reach the API server; absent when there are no real pods. */
  advertiseAddress?: string
  /** Survive a power cut, too. A cluster for a test run does without, which is faster. */
  durable: boolean
  /** GOMEMLIMIT of the API server, such as "2GiB". Absent means none. */
  apiServerMemoryLimit?: string
  /** Further flags of the API server. */
  apiServerFlags?: string[]
}

const LOOPBACK = '127.0.0.1'

/** URL of the API server from this machine. */
export const apiServerUrl = (ports: ControlPlanePorts): string => `https://${LOOPBACK}:${ports.apiServer}`

/** etcd, which keeps the state of the cluster. */
export function etcdComponent({ stateFolder, binaries, identities, ports, durable }: ControlPlaneSpec): Component {
  const client = `https://${LOOPBACK}:${ports.etcd}`
  const peer = `https://${LOOPBACK}:${ports.etcdPeer}`
  return {
    name: 'etcd',
    executable: binaries.executable('etcd'),
    args: [
      '--name=local',
      `--data-dir=${join(stateFolder, 'etcd')}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=local=${peer}`,
      `--cert-file=${identities.file('etcd.crt')}`,
      `--key-file=${identities.file('etcd.key')}`,
      `--trusted-ca-file=${identities.file('ca.crt')}`,
      '--client-cert-auth',
      `--peer-cert-file=${identities.file('etcd.crt')}`,
      `--peer-key-file=${identities.file('etcd.key')}`,
      `--peer-trusted-ca-file=${identities.file('ca.crt')}`,
      '--peer-client-cert-auth',
      '--auto-compaction-mode=periodic',
      '--auto-compaction-retention=30m',
      '--quota-backend-bytes=8589934592',
      '--log-level=warn',
      ...(durable ? [] : ['--unsafe-no-fsync']),
    ],
    ports: [ports.etcd, ports.etcdPeer],
    ready: () => healthy(identities.endpoint('etcd', client), '/health'),
  }
}

/** The API server: authorization by Node and RBAC, aggregation, and an audit log of what changes anything. */
export function apiServerComponent(spec: ControlPlaneSpec): Component {
  const { stateFolder, binaries, identities, ports } = spec
  const auditPolicy = join(stateFolder, 'audit-policy.yaml')
  writeWhole(auditPolicy, AUDIT_POLICY)
  return {
    name: 'kube-apiserver',
    executable: binaries.executable('kube-apiserver'),
    args: [
      `--bind-address=${LOOPBACK}`,
      `--secure-port=${ports.apiServer}`,
      ...(spec.advertiseAddress
        ? [`--advertise-address=${spec.advertiseAddress}`]
        : ['--endpoint-reconciler-type=none']),
      `--etcd-servers=https://${LOOPBACK}:${ports.etcd}`,
      `--etcd-cafile=${identities.file('ca.crt')}`,
      `--etcd-certfile=${identities.file('etcd.crt')}`,
      `--etcd-keyfile=${identities.file('etcd.key')}`,
      `--service-cluster-ip-range=${spec.serviceCidr}`,
      `--service-node-port-range=${spec.nodePorts.join('-')}`,
      `--client-ca-file=${identities.file('ca.crt')}`,
      `--tls-cert-file=${identities.file('kube-apiserver.crt')}`,
      `--tls-private-key-file=${identities.file('kube-apiserver.key')}`,
      ...kubeletFlags(identities),
      ...aggregationFlags(identities),
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${identities.file('sa.pub')}`,
      `--service-account-signing-key-file=${identities.file('sa.key')}`,
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction',
      '--allow-privileged',
      `--audit-policy-file=${auditPolicy}`,
      `--audit-log-path=${join(stateFolder, 'logs', 'audit.log')}`,
      '--audit-log-maxsize=64',
      '--audit-log-maxbackup=2',
      '--profiling=false',
      ...(spec.apiServerFlags ?? []),
    ],
    ...(spec.apiServerMemoryLimit ? { environment: { GOMEMLIMIT: spec.apiServerMemoryLimit } } : {}),
    ports: [ports.apiServer],
    ready: () => healthy(identities.endpoint('admin', apiServerUrl(ports)), '/readyz'),
    startTimeoutSeconds: 180,
    graceSeconds: 4,
  }
}

// Without InternalIP first, logs and exec would look the node's name up in DNS.
const kubeletFlags = (identities: Identities) => [
  '--kubelet-preferred-address-types=InternalIP',
  `--kubelet-certificate-authority=${identities.file('ca.crt')}`,
  `--kubelet-client-certificate=${identities.file('kube-apiserver-kubelet-client.crt')}`,
  `--kubelet-client-key=${identities.file('kube-apiserver-kubelet-client.key')}`,
]

const aggregationFlags = (identities: Identities) => [
  `--requestheader-client-ca-file=${identities.file('front-proxy-ca.crt')}`,
  '--requestheader-allowed-names=front-proxy-client',
  '--requestheader-username-headers=X-Remote-User',
  '--requestheader-group-headers=X-Remote-Group',
  '--requestheader-extra-headers-prefix=X-Remote-Extra-',
  `--proxy-client-cert-file=${identities.file('front-proxy-client.crt')}`,
  `--proxy-client-key-file=${identities.file('front-proxy-client.key')}`,
  '--enable-aggregator-routing',
]

/** Who changed what and when; reads, events and leases are left out. */
const AUDIT_POLICY = stringify({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    {
      level: 'None',
      resources: [{ group: '', resources: ['events'] }, { group: 'events.k8s.io' }, { group: 'coordination.k8s.io' }],
    },
    { level: 'None', verbs: ['get', 'list', 'watch'] },
    { level: 'Metadata' },
  ],
})

/** The controller manager, which makes the cluster follow its objects. */
export function controllerManagerComponent(spec: ControlPlaneSpec): Component {
  const { identities, ports } = spec
  return {
    ...controllerOf(spec, 'kube-controller-manager', ports.controllerManager),
    args: [
      ...controllerFlags(spec, 'kube-controller-manager', ports.controllerManager),
      `--service-account-private-key-file=${identities.file('sa.key')}`,
      `--root-ca-file=${identities.file('ca.crt')}`,
      `--cluster-signing-cert-file=${identities.file('ca.crt')}`,
      `--cluster-signing-key-file=${identities.file('ca.key')}`,
      '--use-service-account-credentials',
      '--allocate-node-cidrs=false',
      // A node that has become ready is used after one second instead of five.
      '--node-monitor-period=1s',
      `--service-cluster-ip-range=${spec.serviceCidr}`,
    ],
  }
}

/** The scheduler, which chooses a node for each pod. */
export function schedulerComponent(spec: ControlPlaneSpec): Component {
  return {
    ...controllerOf(spec, 'kube-scheduler', spec.ports.scheduler),
    args: controllerFlags(spec, 'kube-scheduler', spec.ports.scheduler),
  }
}

const controllerOf = (spec: ControlPlaneSpec, name: string, port: number) => ({
  name,
  executable: spec.binaries.executable(name),
  ports: [port],
  before: () => forgetLeader(spec, name),
  ready: () => healthzAnswers(port),
})

function controllerFlags(spec: ControlPlaneSpec, name: string, port: number): string[] {
  const kubeconfig = clientKubeconfig(spec, name)
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    `--bind-address=${LOOPBACK}`,
    `--secure-port=${port}`,
    `--tls-cert-file=${spec.identities.file('kube-apiserver.crt')}`,
    `--tls-private-key-file=${spec.identities.file('kube-apiserver.key')}`,
    // The lease is how anybody sees through the API server that it lives; generous, because a leader that cannot renew
    // ends itself, and an API server that starts anew on a busy machine is away for half a minute.
    '--leader-elect-lease-duration=180s',
    '--leader-elect-renew-deadline=170s',
    '--leader-elect-retry-period=2s',
    '--profiling=false',
  ]
}

/** A cluster has one of each, so the one that starts need not wait until the lease of a killed one has run out. */
async function forgetLeader({ identities, ports }: ControlPlaneSpec, name: string): Promise<void> {
  const client = kubeRequest(identities.endpoint('admin', apiServerUrl(ports)))
  try {
    await client.send('DELETE', `/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/${name}`)
  } finally {
    client.close()
  }
}

/** Writes the kubeconfig of one of the cluster's own clients; answers its path. */
export function clientKubeconfig(
  { stateFolder, identities, ports }: Pick<ControlPlaneSpec, 'stateFolder' | 'identities' | 'ports'>,
  client: string,
  url = apiServerUrl(ports),
): string {
  const file = join(stateFolder, 'kubeconfigs', client)
  writeWhole(file, kubeconfigOf(identities.endpoint(client, url), client))
  return file
}

async function healthy(endpoint: Parameters<typeof kubeRequest>[0], path: string): Promise<boolean> {
  const client = kubeRequest(endpoint)
  try {
    return (await client.send('GET', path)).status === 200
  } finally {
    client.close()
  }
}

/** Health of a controller on loopback; nothing secret is sent, so its certificate does not matter. */
function healthzAnswers(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsGet(
      { host: LOOPBACK, port, path: '/healthz', rejectUnauthorized: false, timeout: 2000, agent: false },
      (incoming) => {
        incoming.resume()
        resolve(incoming.statusCode === 200)
      },
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')))
    outgoing.on('error', reject)
  })
}
