import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs'
import { release, totalmem } from 'node:os'
import { delimiter, join } from 'node:path'
import { goVersion } from './go-build.ts'
import { defaultCacheFolder } from './obtain.ts'
import { cacheFolderName, NODE_TOOLS, type ToolName, toolOf } from './tool.ts'

/** A Debian package that is missing and what it is for. */
export interface MissingPackage {
  name: string
  /** A sentence part: what would not work without it. */
  reason: string
}

/** What this machine can do for a local cluster. */
export interface HostCapabilities {
  os: NodeJS.Platform
  root: boolean
  /** Such as "1.26.8"; absent when Go is not installed. */
  goVersion?: string
  /** The `nft` program is there. */
  nft: boolean
  /** The kernel can do IPVS, which kube-proxy's `ipvs` mode needs. */
  ipVs: boolean
  /** A network namespace and a mount can be made; needed for real containers. */
  namespaces: boolean
  /** Absent where there are no control groups. */
  cgroupVersion?: 1 | 2
  /** The driver the kubelet is told to use. */
  cgroupDriver?: 'cgroupfs'
  memoryBytes: number
  /** Missing Debian packages that the chosen mode needs. */
  debianPackages: MissingPackage[]
  /** apt-get is there and we may use it. */
  canInstallPackages: boolean
  /** `node`: real containers. `simulated`: KWOK plays the nodes. `none`: the programs cannot be had. */
  mode: ClusterMode | 'none'
  /** What a person should know about the above, one plain sentence each. */
  sentences: string[]
}

/** Whether containers are real. */
export type ClusterMode = 'node' | 'simulated'

export interface HostOptions {
  cacheFolder?: string
  /** Binary source; absent means QUARTERDECK_BINARIES. */
  source?: string
  /** The `go` program; absent means the first one on PATH. */
  go?: string
  /** Where the kernel's modules and settings are read; absent means `/`. */
  rootFolder?: string
  /** Where the programs of Debian packages are looked for; absent means PATH and the system's folders. */
  programFolders?: string[]
}

/** Looks at the machine; changes nothing. */
export async function hostCapabilities(options: HostOptions = {}): Promise<HostCapabilities> {
  const os = process.platform
  const root = process.getuid?.() === 0
  const go = await goVersion(options.go)
  const namespaces = os === 'linux' && root && canMakeNamespaces()
  const cgroupVersion = os === 'linux' ? cgroupVersionOf(options.rootFolder) : undefined
  const real = namespaces && cgroupVersion !== undefined
  const cached = (name: ToolName) => isCached(name, options.cacheFolder)
  const obtainable = Boolean(go || (options.source ?? process.env.QUARTERDECK_BINARIES)) || NODE_TOOLS.every(cached)
  const seen = {
    os,
    root,
    ...(go ? { goVersion: go } : {}),
    nft: isProgram('nft'),
    ipVs: os === 'linux' && hasIpVs(options.rootFolder),
    namespaces,
    ...(cgroupVersion ? { cgroupVersion, cgroupDriver: 'cgroupfs' as const } : {}),
    memoryBytes: totalmem(),
    debianPackages: real ? missingPackages(!cached('runc') && go !== undefined, options.programFolders) : [],
    canInstallPackages: root && isProgram('apt-get'),
    mode: !obtainable ? ('none' as const) : real ? ('node' as const) : ('simulated' as const),
  }
  return { ...seen, sentences: sentencesOn(seen) }
}

function sentencesOn(seen: Omit<HostCapabilities, 'sentences'>): string[] {
  const sentences: string[] = []
  if (seen.mode === 'none') {
    sentences.push(
      'No local cluster can be brought up: its programs are not in the cache, QUARTERDECK_BINARIES names no source, and Go is not installed to build them.',
    )
  }
  if (seen.mode === 'simulated') {
    const why =
      seen.os !== 'linux'
        ? 'this is not Linux'
        : !seen.root
          ? 'we are not root'
          : 'no network namespace can be made here'
    sentences.push(
      `Containers are simulated, because ${why}: nodes and pods have a status, but nothing runs, and logs, exec and addresses do not work.`,
    )
  }
  if (seen.os === 'linux' && !seen.ipVs) {
    sentences.push("This kernel has no ip_vs, so kube-proxy's IPVS mode cannot run here; Services use nftables.")
  }
  if (seen.cgroupVersion === 1) {
    sentences.push('This machine uses control groups version 1; the kubelet is told to accept them.')
  }
  if (seen.memoryBytes < 3 * 1024 ** 3) {
    sentences.push(
      `This machine has ${(seen.memoryBytes / 1024 ** 3).toFixed(1)} GiB of memory; a local cluster wants about 3.`,
    )
  }
  if (seen.debianPackages.length > 0) {
    const names = seen.debianPackages.map((one) => one.name).join(', ')
    sentences.push(
      seen.canInstallPackages
        ? `Debian packages that will be installed: ${names}.`
        : `Debian packages that are missing and must be installed by hand: ${names}.`,
    )
  }
  return sentences
}

/** What a real node needs, each with the file whose presence shows that it is there. */
const NEEDED_PACKAGES: (MissingPackage & { programs: string[] })[] = [
  { name: 'iproute2', programs: ['ip'], reason: 'gives the cluster a network of its own' },
  { name: 'nftables', programs: ['nft'], reason: 'Services are nftables rules' },
  {
    name: 'util-linux',
    programs: ['nsenter', 'setpriv'],
    reason: "starts the node's programs in the cluster's network",
  },
  { name: 'mount', programs: ['umount'], reason: 'unmounts what containers leave' },
  { name: 'catatonit', programs: ['catatonit'], reason: 'keeps the namespaces of a pod (its pause container)' },
  { name: 'busybox-static', programs: ['busybox'], reason: 'is the content of the sample image `shell`' },
]

function missingPackages(willBuildRunc: boolean, folders?: string[]): MissingPackage[] {
  const isProgram = (name: string) => programPath(name, folders) !== undefined
  const missing = NEEDED_PACKAGES.filter(({ programs }) => !programs.every(isProgram))
  const packages = missing.map(({ name, reason }) => ({ name, reason }))
  if (!willBuildRunc) {
    return isLibrary('libseccomp.so.2')
      ? packages
      : [...packages, { name: 'libseccomp2', reason: 'runc filters the system calls of containers with it' }]
  }
  if (!existsSync('/usr/include/seccomp.h'))
    packages.push({ name: 'libseccomp-dev', reason: 'runc is built with it, to filter system calls' })
  if (!isProgram('gcc'))
    packages.push(
      { name: 'gcc', reason: 'builds the part of runc that is written in C' },
      { name: 'libc6-dev', reason: 'goes with gcc' },
    )
  if (!isProgram('pkg-config')) packages.push({ name: 'pkg-config', reason: 'finds libseccomp when runc is built' })
  return packages
}

const isCached = (name: ToolName, cacheFolder = defaultCacheFolder()): boolean => {
  const tool = toolOf(name)
  return tool.executables.every((executable) => existsSync(join(cacheFolder, cacheFolderName(tool), executable)))
}

/** Folders in which system programs lie, whether or not they are on PATH. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/bin']

/** Path of a program on PATH or in the system's folders. */
export function programPath(name: string, folders?: string[]): string | undefined {
  for (const folder of folders ?? [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS]) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not here.
    }
  }
  return undefined
}

const isProgram = (name: string) => programPath(name) !== undefined

function isLibrary(name: string): boolean {
  const folders = ['/lib', '/usr/lib', ...readdirSync('/usr/lib').map((folder) => `/usr/lib/${folder}`)]
  return folders.some((folder) => existsSync(join(folder, name)))
}

/** Whether the kernel has ip_vs built in or as a module that can be loaded. */
export function hasIpVs(rootFolder = '/', kernel = release()): boolean {
  if (existsSync(join(rootFolder, 'proc/net/ip_vs')) || existsSync(join(rootFolder, 'proc/sys/net/ipv4/vs')))
    return true
  const modules = join(rootFolder, 'lib/modules', kernel)
  try {
    const listed = ['modules.builtin', 'modules.dep'].map((file) => {
      const path = join(modules, file)
      return existsSync(path) ? readFileSync(path, 'utf8') : ''
    })
    return /\/ip_vs\.ko/m.test(listed.join('\n'))
  } catch {
    return false
  }
}

function cgroupVersionOf(rootFolder = '/'): 1 | 2 | undefined {
  const folder = join(rootFolder, 'sys/fs/cgroup')
  if (existsSync(join(folder, 'cgroup.controllers'))) return 2
  return existsSync(join(folder, 'memory')) ? 1 : undefined
}

function canMakeNamespaces(): boolean {
  try {
    execFileSync(programPath('unshare') ?? 'unshare', ['--net', '--mount', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
