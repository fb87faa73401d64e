import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cluster, connectCluster } from '@quarterdeck/kube'
import { controlPlane } from '@quarterdeck/local-cluster'
import { sharedInRun } from './shared-in-run.ts'

/** A real API server of this test run, shared by its files; what a file makes lives in namespaces of its own. */
export interface TestCluster {
  /** As administrator. */
  readonly cluster: Cluster
  /** YAML of the administrator's kubeconfig. */
  readonly kubeconfig: string
  /** A new namespace with a default ServiceAccount. The prefix makes logs readable. */
  namespace(prefix?: string): Promise<string>
  /** Writes to a namespace that the API server accepted so far, dry runs left out, from its audit log. */
  writes(namespace: string): Promise<{ verb: string; resource: string; name: string; user: string }[]>
  /** Deletes this file's namespaces (without waiting) and ends its connections. */
  close(): Promise<void>
}

/** Which API server. Each choice is its own, started when the first file asks for it. */
export interface TestClusterOptions {
  /**
   * False or absent: etcd and API server only (3 s to start); what needs a controller does not happen. True: also
   * controller-manager, scheduler and three nodes that KWOK plays, on which pods become Running and Ready (8 s).
   */
  nodes?: boolean
}

interface Shared {
  kubeconfig: string
  auditLogFile: string
}

/** The shared API server. */
export async function testCluster({ nodes = false }: TestClusterOptions = {}): Promise<TestCluster> {
  const text = await sharedInRun(nodes ? 'cluster-nodes' : 'cluster', (folder) => start(folder, nodes))
  const { kubeconfig, auditLogFile }: Shared = JSON.parse(text)
  const cluster = connectCluster({ name: 'test', kubeconfig })
  const namespaces: string[] = []
  return {
    cluster,
    kubeconfig,
    async namespace(prefix = 'test') {
      const name = `${prefix}-${randomBytes(4).toString('hex')}`
      await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
      namespaces.push(name)
      await defaultServiceAccount(cluster, name, nodes)
      return name
    },
    writes: (namespace) => writesTo(cluster, auditLogFile, namespace),
    async close() {
      await Promise.all(namespaces.map((name) => cluster.remove({ apiVersion: 'v1', kind: 'Namespace', name })))
      await cluster.close()
    },
  }
}

const NODES = 3

async function start(folder: string, nodes: boolean): Promise<string> {
  const plane = await controlPlane({ folder, controllers: nodes, kwok: nodes, endWithCaller: false })
  const kubeconfig = readFileSync(plane.kubeconfigFile, 'utf8')
  if (nodes) {
    const cluster = connectCluster({ name: 'test', kubeconfig })
    for (let index = 0; index < NODES; index++) await addNode(cluster, `node-${index}`)
    await allReady(cluster, NODES)
    await cluster.close()
  }
  const shared: Shared = { kubeconfig, auditLogFile: plane.auditLogFile }
  return JSON.stringify(shared)
}

/** Without controllers nobody makes it, and admission refuses pods where it is missing. */
async function defaultServiceAccount(cluster: Cluster, namespace: string, controllers: boolean): Promise<void> {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } }
  if (!controllers) {
    await cluster.create(account)
    return
  }
  while (!(await cluster.get({ ...account, namespace, name: 'default' }))) await sleep(20)
}

async function addNode(cluster: Cluster, name: string): Promise<void> {
  const resources = { cpu: '8', memory: '32Gi', pods: '110', 'ephemeral-storage': '100Gi' }
  await cluster.create({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      annotations: { 'kwok.x-k8s.io/node': 'fake' },
      labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' },
    },
    status: {
      capacity: resources,
      allocatable: resources,
      nodeInfo: {
        architecture: 'amd64',
        operatingSystem: 'linux',
        osImage: 'simulated by KWOK',
        kubeletVersion: 'kwok-v0.8.0',
        containerRuntimeVersion: 'kwok://0.8.0',
        ...Object.fromEntries(
          ['bootID', 'kernelVersion', 'kubeProxyVersion', 'machineID', 'systemUUID'].map((field) => [field, '']),
        ),
      },
    },
  })
}

async function allReady(cluster: Cluster, count: number): Promise<void> {
  for (;;) {
    const { items } = await cluster.list({ apiVersion: 'v1', kind: 'Node' })
    const ready = items.filter((node) =>
      (node.status?.conditions ?? []).some(
        (condition: { type: string; status: string }) => condition.type === 'Ready' && condition.status === 'True',
      ),
    )
    if (ready.length >= count) return
    await sleep(100)
  }
}

interface AuditEvent {
  stage: string
  verb: string
  requestURI: string
  user: { username: string }
  userAgent?: string
  objectRef?: { namespace?: string; resource?: string; name?: string }
  responseStatus?: { code?: number }
}

/** The audit log is written after the answer: a marker write shows that everything before it is there. */
async function writesTo(cluster: Cluster, auditLogFile: string, namespace: string) {
  const marker = `marker-${randomBytes(4).toString('hex')}`
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: marker, namespace } }
  await cluster.create(object, { dryRun: true })
  let events: AuditEvent[] = []
  while (!events.some((event) => event.requestURI.includes(marker) || event.objectRef?.name === marker)) {
    await sleep(20)
    const lines = readFileSync(auditLogFile, 'utf8').split('\n').slice(0, -1)
    events = lines.filter((line) => line.includes(namespace)).map((line) => JSON.parse(line))
  }
  return events
    .filter(
      ({ stage, verb, requestURI, objectRef, responseStatus }) =>
        stage === 'ResponseComplete' &&
        objectRef?.namespace === namespace &&
        !['get', 'list', 'watch'].includes(verb) &&
        !requestURI.includes('dryRun') &&
        (responseStatus?.code ?? 0) < 400,
    )
    .map(({ verb, objectRef, user }) => ({
      verb,
      resource: objectRef?.resource ?? '',
      name: objectRef?.name ?? '',
      user: user.username,
    }))
}
