import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { get as httpGet } from 'node:http'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import type { Component } from './component.ts'
import { clientKubeconfig } from './control-plane-components.ts'
import type { Identities } from './identities.ts'
import { type InstanceNetwork, type InstancePorts, runFolderOf } from './instance.ts'
import { writeWhole } from './kubeconfig.ts'
import type { Binaries } from './obtain.ts'

/** What the node's programs are configured from. */
export interface NodeSpec {
  stateFolder: string
  binaries: Binaries
  identities: Identities
  ports: InstancePorts
  network: InstanceNetwork
}

/** The node's name. */
export const NODE_NAME = 'node-1'

/** Reference of an image in the instance's own registry. */
export const imageReference = (ports: InstancePorts, nameAndTag: string): string =>
  `127.0.0.1:${ports.registry}/${nameAndTag}`

/** The registry that the node pulls from: plain HTTP on loopback, images can be deleted. */
export function registryComponent({
  stateFolder,
  binaries,
  ports,
}: Pick<NodeSpec, 'stateFolder' | 'binaries' | 'ports'>): Component {
  const file = join(stateFolder, 'registry.yaml')
  const configuration = stringify({
    version: '0.1',
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(stateFolder, 'registry') }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${ports.registry}` },
  })
  writeWhole(file, configuration)
  return {
    name: 'registry',
    executable: binaries.executable('registry'),
    args: ['serve', file],
    environment: { OTEL_TRACES_EXPORTER: 'none' },
    configuration: [configuration],
    ports: [ports.registry],
    ready: () => answersHttp('127.0.0.1', ports.registry, '/v2/'),
  }
}

/** containerd with the CNI plugins; lives in the cluster's network namespace. */
export function containerdComponent(spec: NodeSpec): Component {
  const { stateFolder, binaries, network } = spec
  const node = join(stateFolder, 'node')
  const runFolder = runFolderOf(stateFolder)
  mkdirSync(runFolder, { recursive: true, mode: 0o711 })
  writeCni(node, network)
  writeRegistryHosts(node, spec)
  const file = join(node, 'containerd.toml')
  const configuration = containerdConfig(spec, node, runFolder)
  writeWhole(file, configuration)
  const executable = binaries.executable('containerd')
  return {
    name: 'containerd',
    executable,
    args: ['--config', file],
    configuration: [configuration],
    // Where it looks for its shim and for runc.
    environment: {
      PATH: `${dirname(executable)}:${dirname(binaries.executable('runc'))}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin`,
    },
    networkNamespace: network.networkNamespace,
    ready: () => answersSocket(socketOf(stateFolder)),
  }
}

/** containerd's socket. */
export const socketOf = (stateFolder: string): string => join(runFolderOf(stateFolder), 'containerd.sock')

function containerdConfig({ binaries, ports }: NodeSpec, node: string, runFolder: string): string {
  const text = (value: string) => JSON.stringify(value)
  return `version = 3
root = ${text(join(node, 'containerd'))}
state = ${text(join(runFolder, 'containerd'))}
disabled_plugins = ["io.containerd.nri.v1.nri", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]

[grpc]
address = ${text(join(runFolder, 'containerd.sock'))}

[debug]
level = "warn"

[plugins.'io.containerd.internal.v1.opt']
path = ${text(join(node, 'opt'))}

[plugins.'io.containerd.cri.v1.images']
snapshotter = ${text(snapshotterFor(node))}

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = ${text(imageReference(ports, 'quarterdeck/pause:1'))}

[plugins.'io.containerd.cri.v1.images'.registry]
config_path = ${text(join(node, 'registry-hosts'))}

[plugins.'io.containerd.cri.v1.runtime']
# Where a process may not lower its OOM score, every sandbox fails otherwise.
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = [${text(dirname(binaries.executable('bridge')))}]
conf_dir = ${text(join(node, 'cni'))}

[plugins.'io.containerd.cri.v1.runtime'.containerd]
default_runtime_name = "runc"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
BinaryName = ${text(binaries.executable('runc'))}
SystemdCgroup = false
`
}

/** overlayfs cannot lie on top of another overlayfs, as in a container. */
function snapshotterFor(folder: string): 'overlayfs' | 'native' {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
  const under = mounts
    .filter(([, target = '']) => `${folder}/`.startsWith(target.endsWith('/') ? target : `${target}/`))
    .sort(([, a = ''], [, b = '']) => b.length - a.length)[0]
  return under?.[2] === 'overlay' ? 'native' : 'overlayfs'
}

function writeCni(node: string, network: InstanceNetwork): void {
  const plugins = [
    {
      type: 'bridge',
      bridge: 'cni0',
      isDefaultGateway: true,
      // A pod may reach itself through its own Service.
      hairpinMode: true,
      ipam: { type: 'host-local', ranges: [[{ subnet: network.podCidr }]], dataDir: join(node, 'cni-addresses') },
    },
    { type: 'portmap', backend: 'nftables', capabilities: { portMappings: true } },
  ]
  writeWhole(
    join(node, 'cni', '10-quarterdeck.conflist'),
    JSON.stringify({ cniVersion: '1.0.0', name: 'quarterdeck', plugins }),
    0o644,
  )
}

/** Images are named by the loopback address, which within the cluster's network namespace is another one. */
function writeRegistryHosts(node: string, { ports, network }: NodeSpec): void {
  const to = `[host."http://${network.hostAddress}:${ports.registry}"]\ncapabilities = ["pull", "resolve"]\n`
  for (const host of ['127.0.0.1', 'localhost']) {
    const name = `${host}:${ports.registry}`
    writeWhole(join(node, 'registry-hosts', name, 'hosts.toml'), `server = "http://${name}"\n\n${to}`, 0o644)
  }
}

/** The kubelet: runs pods, answers logs and exec, counts with cAdvisor. */
export function kubeletComponent(spec: NodeSpec): Component {
  const { stateFolder, binaries, network } = spec
  const node = join(stateFolder, 'node')
  const file = join(node, 'kubelet.yaml')
  ensureCgroup(network.cgroup)
  const configuration = stringify(kubeletConfiguration(spec, node))
  writeWhole(file, configuration)
  return {
    name: 'kubelet',
    executable: binaries.executable('kubelet'),
    configuration: [configuration],
    args: [
      `--config=${file}`,
      `--kubeconfig=${clientKubeconfig(spec, 'kubelet', apiServerFromNode(spec))}`,
      `--root-dir=${join(node, 'kubelet')}`,
      `--cert-dir=${join(node, 'kubelet-certificates')}`,
      `--hostname-override=${NODE_NAME}`,
      `--node-ip=${network.nodeAddress}`,
      '--v=1',
    ],
    networkNamespace: network.networkNamespace,
    ready: () => answersHttp(network.nodeAddress, 10_248, '/healthz'),
    startTimeoutSeconds: 90,
  }
}

const apiServerFromNode = ({ network, ports }: NodeSpec) => `https://${network.hostAddress}:${ports.apiServer}`

function kubeletConfiguration({ stateFolder, identities, network }: NodeSpec, node: string) {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: network.nodeAddress,
    healthzBindAddress: network.nodeAddress,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: identities.file('ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: identities.file('kubelet.crt'),
    tlsPrivateKeyFile: identities.file('kubelet.key'),
    clusterDNS: [network.dnsAddress],
    clusterDomain: 'cluster.local',
    resolvConf: ['/run/systemd/resolve/resolv.conf', '/etc/resolv.conf'].find((file) => existsSync(file)) ?? '',
    containerRuntimeEndpoint: `unix://${socketOf(stateFolder)}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${network.cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    // A developer's disk is often nearly full; only a really full one should drive pods away.
    evictionHard: {
      'memory.available': '100Mi',
      'nodefs.available': '1%',
      'nodefs.inodesFree': '1%',
      'imagefs.available': '1%',
    },
    imageGCHighThresholdPercent: 99,
    imageGCLowThresholdPercent: 98,
    imageMinimumGCAge: '24h',
    maxPods: 250,
    serializeImagePulls: false,
    oomScoreAdj: 0,
    podLogsDir: join(node, 'pod-logs'),
    volumePluginDir: join(node, 'volume-plugins'),
    staticPodPath: '',
  }
}

/** kube-proxy: Services as nftables rules within the cluster's network namespace. */
export function kubeProxyComponent(spec: NodeSpec): Component {
  const { stateFolder, binaries, network } = spec
  const file = join(stateFolder, 'node', 'kube-proxy.yaml')
  const configuration = stringify({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig: clientKubeconfig(spec, 'kube-proxy', apiServerFromNode(spec)) },
    clusterCIDR: network.podCidr,
    // A new Service should answer as soon as it is shown.
    nftables: { minSyncPeriod: '100ms' },
    detectLocalMode: 'ClusterCIDR',
    hostnameOverride: NODE_NAME,
    healthzBindAddress: `${network.nodeAddress}:10256`,
    metricsBindAddress: `${network.nodeAddress}:10249`,
    oomScoreAdj: 0,
    // These are the whole machine's and not ours to change.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  })
  writeWhole(file, configuration)
  return {
    name: 'kube-proxy',
    executable: binaries.executable('kube-proxy'),
    configuration: [configuration],
    args: [`--config=${file}`, '--v=1'],
    networkNamespace: network.networkNamespace,
    ready: () => answersHttp(network.nodeAddress, 10_249, '/healthz'),
  }
}

/** The kubelet wants its parent group to be there. Version 1 gives a new cpuset no processors of its own. */
function ensureCgroup(name: string): void {
  const root = '/sys/fs/cgroup'
  if (existsSync(join(root, 'cgroup.controllers'))) {
    for (const folder of [root, join(root, name)]) {
      mkdirSync(folder, { recursive: true })
      const controllers = readFileSync(join(folder, 'cgroup.controllers'), 'utf8').trim().split(' ')
      for (const controller of controllers) tryWrite(join(folder, 'cgroup.subtree_control'), `+${controller}`)
    }
    return
  }
  for (const hierarchy of readdirSync(root)) {
    if (hierarchy === 'unified') continue
    mkdirSync(join(root, hierarchy, name), { recursive: true })
    for (const file of hierarchy.split(',').includes('cpuset') ? ['cpuset.cpus', 'cpuset.mems'] : []) {
      tryWrite(join(root, hierarchy, name, file), readFileSync(join(root, hierarchy, file), 'utf8'))
    }
  }
}

function tryWrite(file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch {
    // A controller that cannot be delegated; the kubelet says so if it needs it.
  }
}

function answersHttp(host: string, port: number, path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const outgoing = httpGet({ host, port, path, timeout: 2000, agent: false }, (incoming) => {
      incoming.resume()
      resolve(incoming.statusCode === 200)
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')))
    outgoing.on('error', reject)
  })
}

function answersSocket(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
