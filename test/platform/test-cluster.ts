import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cluster, connectCluster } from '@quarterdeck/kube'
import { type ControlPlane, controlPlane } from '@quarterdeck/local-cluster'
import { pushImage, startRegistry, type TestRegistry } from '../../packages/testkit/src/registry.ts'

/** A real API server with its controllers and simulated nodes, and a real registry with images to deploy. */
export interface TestCluster {
  plane: ControlPlane
  registry: TestRegistry
  /** Reads and writes as the administrator, past the platform. */
  kube: Cluster
  /** `host/hello:1` and `host/hello:2` are in the registry. */
  image(tag: 1 | 2): string
  /** What a server needs to know of both. */
  environment: Record<string, string>
  close(): Promise<void>
}

/** Containers are simulated by KWOK: pods become Ready, nothing runs in them. */
export async function testCluster(): Promise<TestCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-cluster-'))
  const [plane, registry] = await Promise.all([
    controlPlane({ folder, controllers: true, kwok: true, apiServerMemoryLimit: '1GiB' }),
    startRegistry(),
  ])
  const kube = connectCluster({ name: 'test', kubeconfig: readFileSync(plane.kubeconfigFile, 'utf8') })
  await kube.create(fakeNode('fake-0'))
  for (const tag of ['1', '2']) {
    await pushImage({ host: registry.host, repository: 'hello' }, tag, {
      config: { ExposedPorts: { '8080/tcp': {} }, User: '1000', Cmd: ['/hello'] },
    })
  }
  return {
    plane,
    registry,
    kube,
    image: (tag) => `${registry.host}/hello:${tag}`,
    environment: { QUARTERDECK_KUBECONFIG: plane.kubeconfigFile, QUARTERDECK_REGISTRIES: `http://${registry.host}` },
    async close() {
      kube.close()
      await registry.close()
      await plane.stop({ remove: true })
    },
  }
}

const fakeNode = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name,
    annotations: { 'kwok.x-k8s.io/node': 'fake' },
    labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' },
  },
  status: {
    capacity: { cpu: '64', memory: '256Gi', pods: '1000' },
    allocatable: { cpu: '64', memory: '256Gi', pods: '1000' },
  },
})
