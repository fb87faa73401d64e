import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Home, logFileOf, runningComponents } from './component.ts'
import { apiServerUrl } from './control-plane-components.ts'
import type { ClusterMode } from './host.ts'
import { ensureIdentities } from './identities.ts'
import { type Instance, networkOf, portsOf } from './instance.ts'
import { kubeRequest } from './kube-request.ts'
import { NODE_NAME } from './node-spec.ts'

/** How one program of the cluster is. */
export interface ComponentStatus {
  component: string
  running: boolean
  pid?: number
  /** From start to ready, of its newest start. */
  readySeconds?: number
  logFile: string
}

/** How the cluster is. */
export interface ClusterStatus {
  /** Absent: never started here. Stopped: nothing runs. Partial: something is missing, `up` repairs it. */
  state: 'Absent' | 'Stopped' | 'Partial' | 'Running'
  name?: string
  mode?: ClusterMode
  /** Of the API server, such as "v1.36.3"; absent when it does not answer. */
  version?: string
  url?: string
  kubeconfigFile: string
  registry?: string
  podCidr?: string
  serviceCidr?: string
  nodeAddress?: string
  nodePorts?: [number, number]
  /** Of the newest `up` that started something. */
  upSeconds?: number
  nodes: { name: string; ready: boolean; fake: boolean }[]
  components: ComponentStatus[]
}

const CONTROL_PLANE = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler']
const REAL_NODE = ['registry', 'containerd', 'kubelet', 'kube-proxy']

/** Looks at processes and asks the API server; changes nothing. */
export async function statusOf(
  home: Home,
  instance: Instance | undefined,
  kubeconfigFile: string,
): Promise<ClusterStatus> {
  if (!instance) return { state: 'Absent', kubeconfigFile, nodes: [], components: [] }
  const running = runningComponents(home, instance.components)
  const wanted = [
    ...CONTROL_PLANE,
    ...(instance.mode === 'node' ? REAL_NODE : []),
    ...(instance.mode === 'simulated' || instance.fakeNodes ? ['kwok'] : []),
  ]
  const components = wanted.map((component): ComponentStatus => {
    const one = running.get(component)
    const readySeconds = instance.readySeconds[component]
    return {
      component,
      running: one !== undefined,
      ...(one ? { pid: one.pid } : {}),
      ...(readySeconds === undefined ? {} : { readySeconds }),
      logFile: logFileOf(home, component),
    }
  })
  const answered = await ask(home, instance)
  const count = components.filter((one) => one.running).length
  const whole = count === wanted.length && answered.version !== undefined && answered.nodes.some((node) => node.ready)
  const ports = portsOf(instance.index)
  const { podCidr, serviceCidr, nodeAddress, nodePorts } = networkOf(instance.index)
  return {
    state: count === 0 ? 'Stopped' : whole ? 'Running' : 'Partial',
    name: instance.name,
    mode: instance.mode,
    url: apiServerUrl(ports),
    kubeconfigFile,
    serviceCidr,
    nodePorts,
    ...(instance.mode === 'node' ? { registry: `127.0.0.1:${ports.registry}`, podCidr, nodeAddress } : {}),
    ...(instance.upSeconds === undefined ? {} : { upSeconds: instance.upSeconds }),
    ...answered,
    components,
  }
}

interface NodeList {
  items?: {
    metadata: { name: string; labels?: Record<string, string> }
    status?: { conditions?: { type: string; status: string }[] }
  }[]
}

async function ask(home: Home, instance: Instance): Promise<Pick<ClusterStatus, 'version' | 'nodes'>> {
  const pki = join(home.stateFolder, 'pki')
  if (!existsSync(join(pki, 'admin.crt'))) return { nodes: [] }
  const client = kubeRequest(
    ensureIdentities(pki, [], NODE_NAME).endpoint('admin', apiServerUrl(portsOf(instance.index))),
  )
  try {
    const [version, nodes] = await Promise.all([client.send('GET', '/version'), client.send('GET', '/api/v1/nodes')])
    return {
      version: (version.body as { gitVersion: string }).gitVersion,
      nodes: ((nodes.body as NodeList).items ?? []).map(({ metadata, status }) => ({
        name: metadata.name,
        ready: status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false,
        fake: metadata.labels?.['quarterdeck.io/fake'] === 'true',
      })),
    }
  } catch {
    return { nodes: [] }
  } finally {
    client.close()
  }
}
