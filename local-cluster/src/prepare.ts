import { mkdirSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import type { Home } from './component.ts'
import type { BringUp } from './ensure-component.ts'
import { type ClusterMode, hostCapabilities } from './host.ts'
import { installHostPackages } from './host-packages.ts'
import { ensureIdentities } from './identities.ts'
import { claimIndex, type Instance, networkOf, portsOf, readInstance, writeInstance } from './instance.ts'
import { LocalClusterError } from './local-cluster-error.ts'
import { NODE_NAME } from './node-spec.ts'
import { type Binaries, obtain } from './obtain.ts'
import { type OnProgress, progressOf, stepOf } from './progress.ts'
import { NODE_TOOLS, SIMULATED_TOOLS, type ToolName } from './tool.ts'

export interface LocalClusterOptions {
  /** Absolute or relative; made if missing. Absent means defaultStateFolder(). One cluster per folder. */
  stateFolder?: string
  cacheFolder?: string
  /** Where programs come from before they are built; absent means QUARTERDECK_BINARIES. */
  source?: string
  /** Name of cluster, user and context in the kubeconfig; absent means "local". */
  name?: string
  /** Absent means what the machine can do; a cluster that exists keeps its mode. */
  mode?: ClusterMode
  onProgress?: OnProgress
  /** Also bring up metrics-server; absent means yes. */
  metrics?: boolean
}

const NEEDED_BYTES = 1024 ** 3

/** What is needed before pods run. */
export const toolsFor = (mode: ClusterMode, instance: Instance | undefined): ToolName[] =>
  mode === 'simulated'
    ? SIMULATED_TOOLS
    : [...NODE_TOOLS.filter((tool) => tool !== 'metrics-server'), ...(instance?.fakeNodes ? (['kwok'] as const) : [])]

/** Looks whether the machine can do it and installs what is missing; answers the mode. */
export async function checkHost(options: LocalClusterOptions, home: Home): Promise<ClusterMode> {
  mkdirSync(join(home.stateFolder, 'logs'), { recursive: true, mode: 0o755 })
  const { bavail, bsize } = statfsSync(home.stateFolder)
  if (bavail * bsize < NEEDED_BYTES) {
    throw new LocalClusterError(
      'DiskFull',
      `The disk of ${home.stateFolder} has ${Math.round((bavail * bsize) / 1024 ** 2)} MiB left; a cluster needs 1 GiB.`,
      'Free space there, or choose another folder with QUARTERDECK_HOME.',
    )
  }
  const host = await stepOf(options.onProgress, 'host', 'machine', 'looking at this machine', () =>
    hostCapabilities(options),
  )
  for (const sentence of host.sentences) progressOf(options.onProgress, 'host', 'machine').done(sentence)
  const mode = options.mode ?? readInstance(home.stateFolder)?.mode ?? (host.mode === 'none' ? 'simulated' : host.mode)
  if (mode === 'node' && !host.namespaces) {
    throw new LocalClusterError(
      'NotSupported',
      'Real containers need Linux and root, with the right to make network namespaces and mounts.',
      'Start as root on Linux, or use a new state folder for a cluster with simulated nodes.',
    )
  }
  if (mode === 'node') await installHostPackages(host.debianPackages, options.onProgress)
  return mode
}

/** Everything that is decided before a process starts: programs, index, certificates. */
export async function preparedFor(options: LocalClusterOptions, home: Home, tools: ToolName[]): Promise<BringUp> {
  const binaries: Binaries = await obtain(tools, options)
  const { stateFolder } = home
  const known = readInstance(stateFolder)
  const index = known?.index ?? (await claimIndex(stateFolder))
  const instance: Instance = known ?? {
    name: options.name ?? 'local',
    index,
    mode: options.mode ?? (tools.includes('containerd') ? 'node' : 'simulated'),
    components: [],
    readySeconds: {},
    images: {},
  }
  if (!known) writeInstance(stateFolder, instance)
  const network = networkOf(index)
  const ports = portsOf(index)
  const names = [
    '127.0.0.1',
    'localhost',
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
    network.kubernetesAddress,
    network.hostAddress,
    network.nodeAddress,
  ]
  return {
    home,
    instance,
    ...(options.onProgress ? { onProgress: options.onProgress } : {}),
    spec: {
      stateFolder,
      binaries,
      identities: ensureIdentities(join(stateFolder, 'pki'), names, NODE_NAME),
      ports,
      network,
      serviceCidr: network.serviceCidr,
      nodePorts: network.nodePorts,
      durable: true,
      ...(instance.mode === 'node' ? { advertiseAddress: network.hostAddress } : {}),
    },
  }
}
