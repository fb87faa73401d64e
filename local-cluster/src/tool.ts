import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A set of programs that one Go module builds, described by `tools/<name>/go.mod`. */
export interface Tool {
  name: ToolName
  version: string
  /** File names as they lie in the cache. */
  executables: string[]
  /** What `go build` names them, where that differs. */
  builtAs?: Record<string, string>
  /** Whether a C compiler and its headers are needed. */
  cgo: boolean
  buildFlags: string[]
}

const DEFINITIONS = {
  etcd: { module: 'go.etcd.io/etcd/server/v3', executables: ['etcd'], builtAs: { etcd: 'server' } },
  kubernetes: {
    module: 'k8s.io/kubernetes',
    executables: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kube-proxy', 'kubectl'],
  },
  runc: { module: 'github.com/opencontainers/runc', executables: ['runc'], cgo: true, tags: 'seccomp' },
  cni: {
    module: 'github.com/containernetworking/plugins',
    executables: ['bridge', 'loopback', 'host-local', 'portmap'],
  },
  containerd: {
    module: 'github.com/containerd/containerd/v2',
    executables: ['containerd', 'containerd-shim-runc-v2', 'ctr'],
  },
  registry: { module: 'github.com/distribution/distribution/v3', executables: ['registry'] },
  coredns: { module: 'github.com/coredns/coredns', executables: ['coredns'] },
  'metrics-server': { module: 'sigs.k8s.io/metrics-server', executables: ['metrics-server'] },
  kwok: { module: 'sigs.k8s.io/kwok', executables: ['kwok'] },
  helm: { module: 'helm.sh/helm/v4', executables: ['helm'] },
} satisfies Record<
  string,
  { module: string; executables: string[]; builtAs?: Record<string, string>; cgo?: boolean; tags?: string }
>

/** The tools a local cluster can be made of, and helm, which only tests run. */
export type ToolName = keyof typeof DEFINITIONS

/** All tools of clusters, in the order in which a first start needs them. */
export const TOOL_NAMES = (Object.keys(DEFINITIONS) as ToolName[]).filter((name) => name !== 'helm')

/** What a cluster with a real node needs. */
export const NODE_TOOLS: ToolName[] = [
  'etcd',
  'kubernetes',
  'runc',
  'cni',
  'containerd',
  'registry',
  'coredns',
  'metrics-server',
]

/** What a cluster with simulated nodes needs. */
export const SIMULATED_TOOLS: ToolName[] = ['etcd', 'kubernetes', 'kwok']

/** Folder of a tool's go.mod and go.sum. */
export const toolSourceFolder = (name: ToolName): string => join(import.meta.dirname, '..', 'tools', name)

/** The tool as its go.mod pins it. */
export function toolOf(name: ToolName): Tool {
  const definition: {
    module: string
    executables: string[]
    builtAs?: Record<string, string>
    cgo?: boolean
    tags?: string
  } = DEFINITIONS[name]
  const goMod = readFileSync(join(toolSourceFolder(name), 'go.mod'), 'utf8')
  const pinned = goMod
    .split('\n')
    .find((line) => line.replace('require', '').trim().startsWith(`${definition.module} v`))
  const version = pinned?.match(/ (v\S+)/)?.[1]
  if (!version) throw new Error(`tools/${name}/go.mod does not require ${definition.module}`)
  return {
    name,
    version,
    executables: definition.executables,
    ...(definition.builtAs ? { builtAs: definition.builtAs } : {}),
    cgo: definition.cgo ?? false,
    buildFlags: [
      '-trimpath',
      ...(definition.tags ? ['-tags', definition.tags] : []),
      '-ldflags',
      ['-s', '-w', ...(name === 'kubernetes' ? kubernetesVersionFlags(version) : [])].join(' '),
    ],
  }
}

// Without them the programs call themselves v0.0.0.
function kubernetesVersionFlags(version: string): string[] {
  const [major, minor] = version.slice(1).split('.')
  return [
    `-X k8s.io/component-base/version.gitVersion=${version}`,
    `-X k8s.io/component-base/version.gitMajor=${major}`,
    `-X k8s.io/component-base/version.gitMinor=${minor}`,
    `-X k8s.io/client-go/pkg/version.gitVersion=${version}`,
  ]
}

/** Name of the folder that holds exactly this build: other pins or flags give another name. */
export function cacheFolderName(tool: Tool): string {
  const source = toolSourceFolder(tool.name)
  const hash = createHash('sha256')
  for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(join(source, file)))
  hash.update(JSON.stringify([tool.buildFlags, tool.cgo, process.platform, process.arch]))
  return `${tool.name}-${tool.version}-${hash.digest('hex').slice(0, 12)}`
}
