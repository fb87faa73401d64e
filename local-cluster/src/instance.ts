import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { RunningComponent } from './component.ts'
import type { ControlPlanePorts } from './control-plane-components.ts'
import { withLock } from './folder-lock.ts'
import { isFree } from './free-ports.ts'
import type { ClusterMode } from './host.ts'
import { programPath } from './host.ts'
import { writeWhole } from './kubeconfig.ts'
import { LocalClusterError } from './local-cluster-error.ts'

/** What a local cluster remembers of itself, in `state.json`. */
export interface Instance {
  name: string
  /** Which of this machine's clusters it is; ports and addresses follow from it. */
  index: number
  mode: ClusterMode
  components: RunningComponent[]
  /** Seconds from start to ready, of the newest start of each component. */
  readySeconds: Record<string, number>
  /** Of the newest `up` that had something to start. */
  upSeconds?: number
  /** Whether KWOK runs beside the real node. */
  fakeNodes?: boolean
  /** The sample images that have been pushed, by reference, with what they were made from. */
  images: Record<string, string>
}

/** Ports of an instance on 127.0.0.1. */
export interface InstancePorts extends ControlPlanePorts {
  registry: number
}

/** Addresses of an instance; all in one range of its own, 10.N.0.0/16. */
export interface InstanceNetwork {
  range: string
  podCidr: string
  serviceCidr: string
  /** The API server within the cluster. */
  kubernetesAddress: string
  dnsAddress: string
  /** This machine as seen from the cluster. */
  hostAddress: string
  /** The node. */
  nodeAddress: string
  linkPrefix: number
  networkNamespace: string
  /** This machine's end of the virtual cable. */
  link: string
  /** nftables table on this machine. */
  table: string
  nodePorts: [number, number]
  /** Parent of the containers' control groups. */
  cgroup: string
}

const LIMIT = 100

/** Ports of the index-th instance. Below the range from which the kernel takes ports for outgoing connections. */
export function portsOf(index: number): InstancePorts {
  const base = 20_000 + index * 20
  return {
    apiServer: base,
    etcd: base + 1,
    etcdPeer: base + 2,
    controllerManager: base + 3,
    scheduler: base + 4,
    registry: base + 5,
  }
}

/** Network of the index-th instance. */
export function networkOf(index: number): InstanceNetwork {
  const prefix = `10.${90 + index}`
  return {
    range: `${prefix}.0.0/16`,
    podCidr: `${prefix}.0.0/17`,
    serviceCidr: `${prefix}.128.0/18`,
    kubernetesAddress: `${prefix}.128.1`,
    dnsAddress: `${prefix}.128.10`,
    hostAddress: `${prefix}.255.1`,
    nodeAddress: `${prefix}.255.2`,
    linkPrefix: 30,
    networkNamespace: `quarterdeck-${index}`,
    link: `qd${index}`,
    table: `quarterdeck-${index}`,
    nodePorts: index === 0 ? [30_000, 32_767] : [24_000 + ((index - 1) % 30) * 200, 24_199 + ((index - 1) % 30) * 200],
    cgroup: `quarterdeck-${index}`,
  }
}

/** Sockets lie here: their paths must be short. */
export const runFolderOf = (stateFolder: string): string =>
  join(
    process.getuid?.() === 0 ? '/run' : '/tmp',
    `quarterdeck-${createHash('sha256').update(stateFolder).digest('hex').slice(0, 8)}`,
  )

const stateFileOf = (stateFolder: string) => join(stateFolder, 'state.json')

/** The recorded instance; absent when there is none. */
export function readInstance(stateFolder: string): Instance | undefined {
  try {
    return JSON.parse(readFileSync(stateFileOf(stateFolder), 'utf8')) as Instance
  } catch {
    return undefined
  }
}

/** Writes the record at once or not at all. */
export const writeInstance = (stateFolder: string, instance: Instance): void =>
  writeWhole(stateFileOf(stateFolder), `${JSON.stringify(instance, undefined, 2)}\n`)

const claimsFolder = () =>
  process.getuid?.() === 0 ? '/var/lib/quarterdeck-clusters' : join(homedir(), '.cache', 'quarterdeck-clusters')

/** Gives the state folder an index that no other cluster of this machine has, with free ports and addresses. */
export async function claimIndex(stateFolder: string): Promise<number> {
  const folder = claimsFolder()
  mkdirSync(folder, { recursive: true })
  return withLock(join(folder, 'lock'), async () => {
    const holders = new Map(claims(folder))
    for (const [index, holder] of holders) if (holder === stateFolder) return index
    const routes = routedRanges()
    for (let index = 0; index < LIMIT; index++) {
      const holder = holders.get(index)
      if (holder !== undefined && existsSync(holder)) continue
      if (routes.some((route) => route.startsWith(networkOf(index).range.replace('0.0/16', '')))) continue
      if (!(await allFree(Object.values(portsOf(index))))) continue
      writeWhole(join(folder, String(index)), stateFolder, 0o644)
      return index
    }
    throw new LocalClusterError(
      'SubnetsExhausted',
      `All ${LIMIT} places for local clusters on this machine are taken.`,
      'Reset clusters that are no longer needed with `qd local reset --home FOLDER`.',
    )
  })
}

/** Gives the index back. */
export async function releaseIndex(stateFolder: string): Promise<void> {
  const folder = claimsFolder()
  if (!existsSync(folder)) return
  await withLock(join(folder, 'lock'), async () => {
    for (const [index, holder] of claims(folder))
      if (holder === stateFolder) rmSync(join(folder, String(index)), { force: true })
  })
}

const claims = (folder: string): [number, string][] =>
  readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .map((name) => [Number(name), readFileSync(join(folder, name), 'utf8')])

function routedRanges(): string[] {
  const ip = programPath('ip')
  if (!ip) return []
  const routes = JSON.parse(
    execFileSync(ip, ['-j', 'route', 'show', 'table', 'all'], { encoding: 'utf8' }) || '[]',
  ) as { dst?: string }[]
  return routes.map((route) => route.dst ?? '')
}

async function allFree(ports: number[]): Promise<boolean> {
  for (const port of ports) if (!(await isFree(port))) return false
  return true
}
