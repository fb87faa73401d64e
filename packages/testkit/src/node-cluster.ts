import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cluster, connectCluster } from '@quarterdeck/kube'
import { localCluster } from '@quarterdeck/local-cluster'
import { sharedInRun } from './shared-in-run.ts'

/** A cluster with a real node, on which containers run: for logs, terminals, addresses. */
export interface NodeCluster {
  readonly cluster: Cluster
  /** YAML of the administrator's kubeconfig. */
  readonly kubeconfig: string
  /** Its registry, which holds `hello:1`, `hello:2` and `shell:1`: `127.0.0.1:5000`. */
  readonly registry: string
  /** A new namespace in which pods can be made. */
  namespace(prefix?: string): Promise<string>
  /** Makes a pod and waits until it is Ready. */
  pod(namespace: string, name: string, container: { image: string; command?: string[] }): Promise<void>
  /** Deletes this file's namespaces (without waiting) and ends its connections. */
  close(): Promise<void>
}

interface Shared {
  kubeconfig: string
  registry: string
}

/**
 * The node cluster of QUARTERDECK_TEST_KUBECONFIG (a file) with the registry QUARTERDECK_TEST_REGISTRY; else one that is
 * brought up for this test run (about 20 s, root on Linux) and goes with it.
 */
export async function nodeCluster(): Promise<NodeCluster> {
  const { kubeconfig, registry } = given() ?? JSON.parse(await sharedInRun('node', start, END))
  const cluster = connectCluster({ name: 'node', kubeconfig })
  const namespaces: string[] = []
  return {
    cluster,
    kubeconfig,
    registry,
    async namespace(prefix = 'test') {
      const name = `${prefix}-${randomBytes(4).toString('hex')}`
      await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
      namespaces.push(name)
      const account = { apiVersion: 'v1', kind: 'ServiceAccount', namespace: name, name: 'default' }
      while (!(await cluster.get(account))) await sleep(20)
      return name
    },
    async pod(namespace, name, container) {
      const spec = { containers: [{ name, ...container }], terminationGracePeriodSeconds: 0 }
      await cluster.create({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name }, spec })
      await ready(cluster, namespace, name)
    },
    async close() {
      await Promise.all(namespaces.map((name) => cluster.remove({ apiVersion: 'v1', kind: 'Namespace', name })))
      await cluster.close()
    },
  }
}

function given(): Shared | undefined {
  const { QUARTERDECK_TEST_KUBECONFIG: file, QUARTERDECK_TEST_REGISTRY: registry } = process.env
  return file && registry ? { kubeconfig: readFileSync(file, 'utf8'), registry } : undefined
}

async function start(stateFolder: string): Promise<string> {
  const local = localCluster({ stateFolder, metrics: false, mode: 'node' })
  await local.up()
  const shared: Shared = { kubeconfig: readFileSync(local.kubeconfigFile, 'utf8'), registry: local.registry ?? '' }
  return JSON.stringify(shared)
}

const END = `
import { localCluster } from ${JSON.stringify(import.meta.resolve('@quarterdeck/local-cluster'))}
await localCluster({ stateFolder: process.argv[1] }).reset()
`

async function ready(cluster: Cluster, namespace: string, name: string): Promise<void> {
  const fieldSelector = `metadata.name=${name}`
  for await (const { type, object } of cluster.watch({ apiVersion: 'v1', kind: 'Pod', namespace, fieldSelector })) {
    if (type === 'BOOKMARK') continue
    const conditions: { type: string; status: string }[] = object.status?.conditions ?? []
    if (conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True')) return
  }
}
