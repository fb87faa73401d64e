import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  awaitReady,
  type Component,
  checkPorts,
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
import { freePorts } from './free-ports.ts'
import { ensureIdentities } from './identities.ts'
import { type Endpoint, type KubeRequest, kubeRequest } from './kube-request.ts'
import { kubeconfigOf, writeWhole } from './kubeconfig.ts'
import { kwokComponent } from './kwok.ts'
import { explained } from './local-cluster-error.ts'
import { obtain } from './obtain.ts'
import { type OnProgress, stepOf } from './progress.ts'

export interface ControlPlaneOptions {
  /** State, logs and kubeconfig; made if missing. What of an earlier control plane still runs there is ended first. */
  folder: string
  cacheFolder?: string
  /** Also run controller-manager and scheduler. Absent means no. */
  controllers?: boolean
  /** Also run KWOK, which plays the nodes annotated `kwok.x-k8s.io/node=fake`. Absent means no. */
  kwok?: boolean
  /** GOMEMLIMIT of the API server, such as "2GiB". */
  apiServerMemoryLimit?: string
  /** Further flags of the API server. */
  apiServerFlags?: string[]
  /**
   * Called when etcd is up and the API server is not yet: to write objects straight into etcd, which is many times faster
   * than through the API server. An API server then has ten minutes to become ready.
   */
  beforeApiServer?: (etcd: Endpoint) => Promise<void>
  /** Keep etcd's contents from an earlier run in the same folder. Absent means no. */
  keep?: boolean
  /** End when the calling thread ends, however it ends. Absent means yes. Linux only. */
  endWithCaller?: boolean
  onProgress?: OnProgress
}

/** A running API server with etcd, for a test run. */
export interface ControlPlane {
  url: string
  /** Of an administrator (group system:masters). */
  kubeconfigFile: string
  admin: Endpoint
  /** etcd with the client certificate it wants; its gRPC gateway answers under /v3. */
  etcd: Endpoint
  auditLogFile: string
  /** Process id of each component, such as `kube-apiserver`; changes when `restart` was called. */
  pid(component: string): number
  /** Ends a component (SIGKILL when `kill`) and starts it again on the same port; resolves when ready. */
  restart(component: string, how?: { kill?: boolean; pauseSeconds?: number }): Promise<void>
  /** Ends everything; deletes the folder when `remove`. */
  stop(how?: { remove?: boolean }): Promise<void>
}

const NODE_NAME = 'node-1'

/**
 * Brings up etcd and kube-apiserver (RBAC, admission and aggregation as in any cluster) on free loopback ports, in about
 * four seconds when the programs are in the cache. Throws LocalClusterError.
 */
export async function controlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const stateFolder = resolve(options.folder)
  const home: Home = { stateFolder, endWithParent: options.endWithCaller ?? true }
  const { onProgress } = options
  const binaries = await obtain(['etcd', 'kubernetes', ...(options.kwok ? (['kwok'] as const) : [])], options)
  try {
    await endLeftovers(home)
    if (!options.keep) rmSync(join(stateFolder, 'etcd'), { recursive: true, force: true })
    mkdirSync(join(stateFolder, 'logs'), { recursive: true })
    const spec = await specOf(options, stateFolder, binaries)
    const apiServer = apiServerComponent(spec)
    const components = [
      etcdComponent(spec),
      options.beforeApiServer ? { ...apiServer, startTimeoutSeconds: 600 } : apiServer,
      ...(options.controllers ? [controllerManagerComponent(spec), schedulerComponent(spec)] : []),
      ...(options.kwok ? [kwokComponent(spec)] : []),
    ]
    const running = new Map<string, RunningComponent>()
    const start = (component: Component) => startAndRecord(component, home, running)
    try {
      for (const component of components) {
        await stepOf(onProgress, 'control-plane', component.name, 'starting', () => start(component))
        if (component.name === 'etcd') await options.beforeApiServer?.(etcdEndpoint(spec))
      }
      await awaitDefaults(spec, options.controllers ?? false)
    } catch (error) {
      await endLeftovers(home)
      throw error
    }
    return controlPlaneOf(spec, home, components, running, start)
  } catch (error) {
    throw explained(error, stateFolder)
  }
}

async function specOf(
  options: ControlPlaneOptions,
  stateFolder: string,
  binaries: ControlPlaneSpec['binaries'],
): Promise<ControlPlaneSpec> {
  const [apiServer = 0, etcd = 0, etcdPeer = 0, controllerManager = 0, scheduler = 0] = await freePorts(5)
  return {
    stateFolder,
    binaries,
    identities: ensureIdentities(
      join(stateFolder, 'pki'),
      ['127.0.0.1', 'localhost', 'kubernetes', '10.0.0.1'],
      NODE_NAME,
    ),
    ports: { apiServer, etcd, etcdPeer, controllerManager, scheduler },
    serviceCidr: '10.0.0.0/16',
    nodePorts: [30_000, 32_767],
    durable: false,
    ...(options.apiServerMemoryLimit ? { apiServerMemoryLimit: options.apiServerMemoryLimit } : {}),
    ...(options.apiServerFlags ? { apiServerFlags: options.apiServerFlags } : {}),
  }
}

async function startAndRecord(component: Component, home: Home, running: Map<string, RunningComponent>): Promise<void> {
  await checkPorts(component)
  await component.before?.()
  const started = startComponent(component, home)
  running.set(component.name, started)
  await awaitReady(component, started, home)
}

/**
 * `/readyz` is true a moment before the namespace that nearly everything is created in is there. Its service account is
 * made by the controllers: before it is there they are still beginning, and would end themselves if the API server went.
 */
async function awaitDefaults(spec: ControlPlaneSpec, controllers: boolean): Promise<void> {
  const path = `/api/v1/namespaces/default${controllers ? '/serviceaccounts/default' : ''}`
  const client: KubeRequest = kubeRequest(spec.identities.endpoint('admin', apiServerUrl(spec.ports)))
  try {
    for (;;) {
      const { status } = await client.send('GET', path)
      if (status === 200) return
      await new Promise((done) => setTimeout(done, 50))
    }
  } finally {
    client.close()
  }
}

const etcdEndpoint = ({ identities, ports }: ControlPlaneSpec): Endpoint =>
  identities.endpoint('etcd', `https://127.0.0.1:${ports.etcd}`)

function controlPlaneOf(
  spec: ControlPlaneSpec,
  home: Home,
  components: Component[],
  running: Map<string, RunningComponent>,
  start: (component: Component) => Promise<void>,
): ControlPlane {
  const url = apiServerUrl(spec.ports)
  const admin = spec.identities.endpoint('admin', url)
  const kubeconfigFile = join(home.stateFolder, 'kubeconfig')
  writeWhole(kubeconfigFile, kubeconfigOf(admin, 'control-plane'))
  const get = (name: string) => {
    const one = running.get(name)
    if (!one) throw new Error(`${name} is not part of this control plane; it has ${[...running.keys()].join(', ')}`)
    return one
  }
  return {
    url,
    kubeconfigFile,
    admin,
    etcd: etcdEndpoint(spec),
    auditLogFile: join(home.stateFolder, 'logs', 'audit.log'),
    pid: (name) => get(name).pid,
    async restart(name, { kill = false, pauseSeconds = 0 } = {}) {
      const component = components.find((one) => one.name === name)
      await stopComponent(get(name), kill ? 0 : component?.graceSeconds)
      await new Promise((done) => setTimeout(done, pauseSeconds * 1000))
      if (component) await start(component)
    },
    async stop({ remove = false } = {}) {
      // The API server first: it complains for long when its store has gone.
      for (const { name, graceSeconds } of [...components].reverse()) {
        const one = running.get(name)
        if (one) await stopComponent(one, Math.min(graceSeconds ?? 10, 3))
      }
      if (remove) rmSync(home.stateFolder, { recursive: true, force: true })
    },
  }
}

/** Ends what runs for this folder, also when its starter was killed. */
async function endLeftovers(home: Home): Promise<void> {
  await Promise.all([...runningComponents(home).values()].map((one) => stopComponent(one, 0)))
}
