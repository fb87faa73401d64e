import { setTimeout as delay } from 'node:timers/promises'
import { coreDns, metricsServer } from './addons.ts'
import { adminOf, awaitName, awaitObject, isAvailable, isTrue } from './await-object.ts'
import {
  apiServerComponent,
  controllerManagerComponent,
  etcdComponent,
  schedulerComponent,
} from './control-plane-components.ts'
import { type BringUp, ensureComponent } from './ensure-component.ts'
import { addFakeNodes } from './fake-nodes.ts'
import { writeInstance } from './instance.ts'
import { raiseKernelLimits } from './kernel-limits.ts'
import type { KubeObject } from './kube-request.ts'
import { kwokComponent } from './kwok.ts'
import { ensureNetwork } from './network.ts'
import { kubeletComponent, kubeProxyComponent } from './node-components.ts'
import { NODE_NAME } from './node-spec.ts'
import { pushImage } from './oci-image.ts'
import { progressOf, type Stage, stepOf } from './progress.ts'
import { containerdComponent, registryComponent } from './runtime-components.ts'
import { type SampleImage, sampleImages, systemImages } from './sample-images.ts'

/** Real containers: control plane and runtime at the same time, then the node, then what runs on it. */
export async function ensureReal(up: BringUp): Promise<boolean> {
  const lanes = await Promise.allSettled([ensureControlPlane(up), ensureRuntime(up)])
  for (const lane of lanes) if (lane.status === 'rejected') throw lane.reason
  const node = await ensureNode(up)
  await Promise.all([ensureCoreDns(up), ensureSampleImages(up)])
  if (up.instance.fakeNodes) await ensureKwok(up)
  return node || lanes.some((lane) => lane.status === 'fulfilled' && lane.value)
}

/** Simulated containers: control plane, KWOK and three nodes. */
export async function ensureSimulated(up: BringUp): Promise<boolean> {
  const started = await ensureControlPlane(up)
  const kwok = await ensureKwok(up)
  const client = adminOf(up)
  try {
    const { status } = await client.send('GET', '/api/v1/nodes/fake-0')
    if (status === 404) await addFakeNodes(client, 3, false)
  } finally {
    client.close()
  }
  await awaitObject(up, 'node', 'fake-0', '/api/v1/nodes/fake-0', (node) => isTrue(node, 'Ready'))
  return started || kwok
}

/** etcd, API server, controllers. Answers whether anything was started. */
async function ensureControlPlane(up: BringUp): Promise<boolean> {
  const { spec } = up
  const began = [
    await ensureComponent(up, 'control-plane', etcdComponent(spec)),
    await ensureComponent(up, 'control-plane', apiServerComponent(spec)),
    ...(await Promise.all([
      ensureComponent(up, 'control-plane', controllerManagerComponent(spec)),
      ensureComponent(up, 'control-plane', schedulerComponent(spec)),
    ])),
  ]
  return began.some(Boolean)
}

/** Network, registry with the cluster's own images, and the container runtime: needs no API server. */
async function ensureRuntime(up: BringUp): Promise<boolean> {
  const { spec, onProgress } = up
  raiseKernelLimits()
  await stepOf(onProgress, 'node', 'network', spec.network.range, () => ensureNetwork(spec.network, spec.ports))
  const registry = await ensureComponent(up, 'node', registryComponent(spec))
  const [containerd] = await Promise.all([
    ensureComponent(up, 'node', containerdComponent(spec)),
    pushImages(up, 'node', systemImages(spec.binaries)),
  ])
  return registry || containerd
}

/** kubelet and kube-proxy; resolves when the node is Ready. */
async function ensureNode(up: BringUp): Promise<boolean> {
  const began = Date.now()
  const [kubelet, proxy] = await Promise.all([
    ensureComponent(up, 'node', kubeletComponent(up.spec)),
    ensureComponent(up, 'node', kubeProxyComponent(up.spec)),
  ])
  // What the API server says may be from before a stop, so it has to be newer than this start.
  const since = kubelet ? began : 0
  await awaitObject(up, 'node', NODE_NAME, `/api/v1/nodes/${NODE_NAME}`, (node) => isTrue(node, 'Ready', since))
  return kubelet || proxy
}

/** CoreDNS; resolves when it answers. */
async function ensureCoreDns(up: BringUp): Promise<void> {
  await applyAll(up, coreDns(up.spec, systemImages(up.spec.binaries)))
  await awaitObject(up, 'addons', 'coredns', '/apis/apps/v1/namespaces/kube-system/deployments/coredns', isAvailable)
  await stepOf(up.onProgress, 'addons', 'coredns', 'answers', () => awaitName(up.spec.network.dnsAddress))
}

/** metrics-server: its image and objects. It answers half a minute later, see awaitMetricsServer. */
export async function applyMetricsServer(up: BringUp): Promise<void> {
  const images = systemImages(up.spec.binaries)
  await pushImages(up, 'addons', images)
  await applyAll(up, metricsServer(up.spec, images))
}

/** Resolves when the metrics API is served. */
export function awaitMetricsServer(up: BringUp): Promise<void> {
  const path = '/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io'
  return awaitObject(up, 'addons', 'metrics-server', path, (service) => isTrue(service, 'Available'))
}

/** KWOK, where it is wanted. */
export const ensureKwok = (up: BringUp): Promise<boolean> => ensureComponent(up, 'node', kwokComponent(up.spec))

/** The images that a person can deploy at once. */
const ensureSampleImages = (up: BringUp): Promise<void> => pushImages(up, 'images', sampleImages())

async function pushImages(up: BringUp, stage: Stage, images: readonly SampleImage[]): Promise<void> {
  const url = `http://127.0.0.1:${up.spec.ports.registry}`
  for (const image of images) {
    const name = `${image.repository}:${image.tag}`
    if (up.instance.images[name] === image.madeFrom && (await isThere(url, image))) {
      if (stage === 'images') progressOf(up.onProgress, stage, name).done('in the registry')
      continue
    }
    await stepOf(up.onProgress, stage, name, 'building and pushing', async () => {
      const { repository, tag, created, config } = image
      await pushImage(url, { repository, tag, created, config, layers: await image.layers() })
    })
    up.instance.images[name] = image.madeFrom
    writeInstance(up.home.stateFolder, up.instance)
  }
}

const isThere = async (url: string, { repository, tag }: SampleImage) =>
  (
    await fetch(`${url}/v2/${repository}/manifests/${tag}`, {
      method: 'HEAD',
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    })
  ).ok

async function applyAll(up: BringUp, objects: readonly KubeObject[]): Promise<void> {
  const client = adminOf(up)
  try {
    for (const object of objects) await retried(() => client.apply(object))
  } finally {
    client.close()
  }
}

// Right after the API server's start a namespace or a role may not be there yet.
async function retried(act: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await act()
    } catch (error) {
      if (tries >= 40) throw error
      await delay(250)
    }
  }
}
