import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { answersHttp } from './answers.ts'
import type { Component } from './component.ts'
import { clientKubeconfig } from './control-plane-components.ts'
import { writeWhole } from './kubeconfig.ts'
import { NODE_NAME, type NodeSpec } from './node-spec.ts'
import { socketOf } from './runtime-components.ts'

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
      // cAdvisor has its own idea of where containerd is; without this it counts pods but not containers.
      `--containerd=${socketOf(stateFolder)}`,
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
