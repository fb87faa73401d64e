import { setTimeout as sleep } from 'node:timers/promises'
import { createClusters } from '@quarterdeck/kube'
import { type Mirror, openMirror } from '@quarterdeck/mirror'
import { type NodeCluster, nodeCluster, type Platform, startPlatform } from '@quarterdeck/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { getNode, listNodes, registerCluster } from './cluster.contract.ts'
import { clusterRoutes } from './cluster.routes.ts'
import { findKubeconfig } from './cluster.store.ts'

let node: NodeCluster
let platform: Platform
let mirror: Mirror
const params = { cluster: 'prod' }
beforeAll(async () => {
  node = await nodeCluster()
  platform = await startPlatform({
    migrations: [import.meta.dirname],
    cluster: false,
    routes(server, { db, keyFile }) {
      const clusters = createClusters({ load: (name) => findKubeconfig(db, keyFile, name) })
      mirror = openMirror({ log: { info: () => undefined, warn: () => undefined } })
      mirror.watch({ name: 'prod', kubeconfig: node.kubeconfig, revision: '1' })
      const mirrored = () => mirror
      const record = async () => undefined
      clusterRoutes(server, { db, clusters, keyFile, environmentsOf: async () => [], mirrored, record })
    },
  })
}, 180_000)
afterAll(async () => {
  await mirror?.close()
  await platform?.close()
  await node?.close()
})

test('[CLU-14] a node shows the health of its kubelet and what the containers on it use', async () => {
  await platform.client(registerCluster, { params, body: { kubeconfig: node.kubeconfig } })
  const namespace = await node.namespace()
  const command = ['sh', '-c', 'while true; do :; done']
  await node.pod(namespace, 'busy', { image: `${node.registry}/shell:1`, command })
  while ((await platform.client(listNodes, { params })).message !== '') await sleep(50)
  const { items } = await platform.client(listNodes, { params })
  const name = items[0]?.name ?? ''
  const detail = () => platform.client(getNode, { params: { ...params, node: name } })
  let first = await detail()
  // A kubelet takes its lease a moment after it says that it is Ready.
  while (first.kubelet.heartbeatTime === undefined) first = await detail()
  expect(first.kubelet).toMatchObject({ healthy: true, message: '' })
  expect(first.kubelet.checks).toContainEqual({ name: 'syncloop', healthy: true, message: '' })
  expect(first).toMatchObject({ runtime: expect.stringMatching(/^containerd/), address: expect.stringMatching(/\d/) })
  let busy = 0
  while (busy === 0) {
    const { containers, usage } = await detail()
    busy = containers.find((one) => one.namespace === namespace)?.cpuCores ?? 0
    expect(usage?.memoryBytes).toBeGreaterThan(0)
    await sleep(500)
  }
})
