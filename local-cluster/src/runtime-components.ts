import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { answersHttp, answersSocket } from './answers.ts'
import type { Component } from './component.ts'
import { type InstanceNetwork, runFolderOf } from './instance.ts'
import { writeWhole } from './kubeconfig.ts'
import { imageReference, type NodeSpec } from './node-spec.ts'

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
