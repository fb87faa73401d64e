import type { KubeRequest } from './kube-request.ts'
import { FAKE_NODE_ANNOTATION, FAKE_NODE_TAINT } from './kwok.ts'

/** Label of the nodes that nothing runs on. */
export const FAKE_NODE_LABEL = { 'quarterdeck.io/fake': 'true' }

const IN_FLIGHT = 8

/**
 * Makes the number of fake nodes at least `count` more than it is. `tainted` keeps ordinary pods off them.
 * Answers their names.
 */
export async function addFakeNodes(client: KubeRequest, count: number, tainted: boolean): Promise<string[]> {
  const taken = new Set(await fakeNodeNames(client))
  const names: string[] = []
  for (let index = 0; names.length < count; index++) if (!taken.has(`fake-${index}`)) names.push(`fake-${index}`)
  await inParallel(names, async (name) => {
    const { status, body } = await client.send('POST', '/api/v1/nodes', fakeNode(name, tainted))
    if (status >= 300 && status !== 409)
      throw new Error(`Node ${name}: ${(body as { message?: string }).message ?? status}`)
  })
  return names
}

/** Deletes all fake nodes; their pods go with them. Answers how many there were. */
export async function removeFakeNodes(client: KubeRequest): Promise<number> {
  const names = await fakeNodeNames(client)
  await inParallel(names, (name) => client.send('DELETE', `/api/v1/nodes/${name}`))
  return names.length
}

/** Names of the fake nodes. */
export async function fakeNodeNames(client: KubeRequest): Promise<string[]> {
  const [[key, value] = []] = Object.entries(FAKE_NODE_LABEL)
  const { body } = await client.send('GET', `/api/v1/nodes?labelSelector=${key}%3D${value}`)
  return ((body as { items?: { metadata: { name: string } }[] }).items ?? []).map((node) => node.metadata.name)
}

function fakeNode(name: string, tainted: boolean) {
  const resources = { cpu: '32', memory: '256Gi', pods: '110', 'ephemeral-storage': '1Ti' }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      annotations: FAKE_NODE_ANNOTATION,
      labels: {
        ...FAKE_NODE_LABEL,
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': process.arch === 'x64' ? 'amd64' : process.arch,
      },
    },
    spec: tainted ? { taints: [FAKE_NODE_TAINT] } : {},
    status: {
      capacity: resources,
      allocatable: resources,
      nodeInfo: {
        architecture: 'amd64',
        bootID: '',
        containerRuntimeVersion: 'kwok://0.8.0',
        kernelVersion: '',
        kubeProxyVersion: '',
        kubeletVersion: 'kwok-v0.8.0',
        machineID: '',
        operatingSystem: 'linux',
        osImage: 'simulated by KWOK',
        systemUUID: '',
      },
    },
  }
}

async function inParallel<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<void> {
  const queue = [...items]
  const lane = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await act(item)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
}
