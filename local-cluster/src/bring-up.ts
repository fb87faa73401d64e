import { Resolver } from 'node:dns/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { coreDns, metricsServer } from './addons.ts'
import {
  awaitReady,
  type Component,
  checkPorts,
  commandHash,
  type Home,
  type RunningComponent,
  runningComponents,
  startComponent,
  stopComponent,
} from './component.ts'
import {
  apiServerComponent,
  apiServerUrl,
  type ControlPlaneSpec,
  controllerManagerComponent,
  etcdComponent,
  schedulerComponent,
} from './control-plane-components.ts'
import { type Instance, writeInstance } from './instance.ts'
import { type KubeObject, type KubeRequest, kubeRequest } from './kube-request.ts'
import { kwokComponent } from './kwok.ts'
import { LocalClusterError } from './local-cluster-error.ts'
import { ensureNetwork } from './network.ts'
import {
  containerdComponent,
  kubeletComponent,
  kubeProxyComponent,
  NODE_NAME,
  type NodeSpec,
  registryComponent,
} from './node-components.ts'
import { pushImage } from './oci-image.ts'
import { type OnProgress, progressOf, type Stage, stepOf } from './progress.ts'
import { type SampleImage, sampleImages, systemImages } from './sample-images.ts'

/** Everything that bringing an instance up works with. */
export interface BringUp {
  home: Home
  instance: Instance
  spec: ControlPlaneSpec & NodeSpec
  onProgress?: OnProgress
}

/** Makes one component run with its present command: leaves it, replaces it or starts it. Answers whether it was started. */
export async function ensureComponent(up: BringUp, stage: Stage, wanted: Component): Promise<boolean> {
  const { home, instance } = up
  const component = { ...wanted, configuration: [...(wanted.configuration ?? []), up.spec.identities.revision] }
  const running = runningComponents(home, instance.components).get(component.name)
  const progress = progressOf(up.onProgress, stage, component.name)
  progress.running(running ? 'looking' : 'starting')
  try {
    if (running && (await isKept(component, running, home))) {
      record(up, running)
      progress.done('runs')
      return false
    }
    if (running) await stopComponent(running, component.graceSeconds)
    await checkPorts(component)
    const began = performance.now()
    const started = startComponent(component, home)
    record(up, started)
    await awaitReady(component, started, home)
    instance.readySeconds[component.name] = Math.round((performance.now() - began) / 100) / 10
    writeInstance(home.stateFolder, instance)
    progress.done(`ready after ${instance.readySeconds[component.name]} s`)
    return true
  } catch (error) {
    progress.failed((error as Error).message)
    throw error
  }
}

/** One that runs with another command, or that stays unready, is replaced. */
async function isKept(component: Component, running: RunningComponent, home: Home): Promise<boolean> {
  if (running.commandHash !== commandHash(component)) return false
  return awaitReady(component, running, home).then(
    () => true,
    () => false,
  )
}

function record({ home, instance }: BringUp, running: RunningComponent): void {
  instance.components = [...instance.components.filter((one) => one.component !== running.component), running]
  writeInstance(home.stateFolder, instance)
}

/** etcd, API server, controllers. Answers whether anything was started. */
export async function ensureControlPlane(up: BringUp): Promise<boolean> {
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
export async function ensureRuntime(up: BringUp): Promise<boolean> {
  const { spec, onProgress } = up
  await stepOf(onProgress, 'node', 'network', spec.network.range, () => ensureNetwork(spec.network, spec.ports))
  const registry = await ensureComponent(up, 'node', registryComponent(spec))
  const [containerd] = await Promise.all([
    ensureComponent(up, 'node', containerdComponent(spec)),
    pushImages(up, 'node', systemImages(spec.binaries)),
  ])
  return registry || containerd
}

/** kubelet and kube-proxy; resolves when the node is Ready. */
export async function ensureNode(up: BringUp): Promise<boolean> {
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
export async function ensureCoreDns(up: BringUp): Promise<void> {
  await applyAll(up, coreDns(up.spec, systemImages(up.spec.binaries)))
  await awaitObject(up, 'addons', 'coredns', '/apis/apps/v1/namespaces/kube-system/deployments/coredns', isAvailable)
  await stepOf(up.onProgress, 'addons', 'coredns', 'answers', () => awaitName(up.spec.network.dnsAddress))
}

/** Waits until the cluster's DNS tells the API server's address. */
async function awaitName(server: string): Promise<void> {
  const limit = performance.now() + OBJECT_WITHIN_SECONDS * 1000
  for (;;) {
    const resolver = new Resolver({ timeout: 1000, tries: 1 })
    resolver.setServers([server])
    try {
      await resolver.resolve4('kubernetes.default.svc.cluster.local')
      return
    } catch (error) {
      if (performance.now() > limit) throw notReady('coredns', undefined, error as Error)
      await delay(100)
    }
  }
}

/** metrics-server; resolves when its API is served. */
export async function ensureMetricsServer(up: BringUp): Promise<void> {
  const images = systemImages(up.spec.binaries)
  await pushImages(up, 'addons', images)
  await applyAll(up, metricsServer(up.spec, images))
  const path = '/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io'
  await awaitObject(up, 'addons', 'metrics-server', path, (service) => isTrue(service, 'Available'))
}

/** KWOK, where it is wanted. */
export const ensureKwok = (up: BringUp): Promise<boolean> => ensureComponent(up, 'node', kwokComponent(up.spec))

/** The images that a person can deploy at once. */
export const ensureSampleImages = (up: BringUp): Promise<void> => pushImages(up, 'images', sampleImages())

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

/** A client of the instance's API server; call `close`. */
export const adminOf = ({ spec }: BringUp): KubeRequest =>
  kubeRequest(spec.identities.endpoint('admin', apiServerUrl(spec.ports)))

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

interface Conditions {
  status?: {
    conditions?: { type: string; status: string; message?: string; reason?: string; lastHeartbeatTime?: string }[]
  }
}

const conditionOf = (object: unknown, type: string) =>
  (object as Conditions).status?.conditions?.find((one) => one.type === type)

/** Whether the condition holds and was looked at since `sinceMilliseconds`; such times are given in whole seconds. */
function isTrue(object: unknown, type: string, sinceMilliseconds = 0): boolean {
  const condition = conditionOf(object, type)
  const seen = Date.parse(condition?.lastHeartbeatTime ?? '') || Number.MAX_SAFE_INTEGER
  return condition?.status === 'True' && seen >= sinceMilliseconds - 1000
}

function isAvailable(deployment: unknown): boolean {
  const { metadata, status } = deployment as {
    metadata?: { generation: number }
    status?: { observedGeneration?: number; availableReplicas?: number; updatedReplicas?: number }
  }
  return (
    status?.observedGeneration === metadata?.generation &&
    (status?.availableReplicas ?? 0) > 0 &&
    (status?.updatedReplicas ?? 0) > 0
  )
}

const OBJECT_WITHIN_SECONDS = 180

async function awaitObject(
  up: BringUp,
  stage: Stage,
  name: string,
  path: string,
  isGood: (object: unknown) => boolean,
): Promise<void> {
  const client = adminOf(up)
  const limit = performance.now() + OBJECT_WITHIN_SECONDS * 1000
  try {
    await stepOf(up.onProgress, stage, name, 'waiting until ready', async () => {
      for (;;) {
        const { status, body } = await client.send('GET', path).catch(() => ({ status: 0, body: {} }))
        if (status === 200 && isGood(body)) return
        if (performance.now() > limit) throw notReady(name, body)
        await delay(100)
      }
    })
  } finally {
    client.close()
  }
}

function notReady(name: string, object: unknown, cause?: Error): LocalClusterError {
  const condition = conditionOf(object ?? {}, 'Ready') ?? conditionOf(object ?? {}, 'Available')
  return new LocalClusterError(
    'ComponentNotReady',
    `${name} was not ready after ${OBJECT_WITHIN_SECONDS} s: ${condition?.message ?? condition?.reason ?? cause?.message ?? 'it says nothing about itself'}.`,
    'Look at `qd local logs kubelet` and `qd local logs containerd`, then start again.',
  )
}
