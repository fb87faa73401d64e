import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { programPath } from './host.ts'
import type { InstanceNetwork, InstancePorts } from './instance.ts'

const execute = promisify(execFile)

/** Runs a system program; rejects with what it wrote to stderr. */
export async function system(program: string, ...args: string[]): Promise<string> {
  try {
    return (await execute(programPath(program) ?? program, args)).stdout
  } catch (error) {
    throw new Error(
      `${program} ${args.join(' ')}: ${(error as { stderr?: string }).stderr?.trim() || (error as Error).message}`,
    )
  }
}

const succeeds = (program: string, ...args: string[]) =>
  system(program, ...args).then(
    () => true,
    () => false,
  )

const namespaceFile = ({ networkNamespace }: InstanceNetwork) => `/run/netns/${networkNamespace}`

/**
 * Gives the cluster a network namespace of its own, joined to this machine by a virtual cable. What the node does to
 * routes, bridges and nftables stays in there, so clusters do not disturb each other and one deletion cleans up.
 * On this machine there is one route, one nftables table and nothing else. Safe to repeat.
 */
export async function ensureNetwork(network: InstanceNetwork, ports: InstancePorts): Promise<void> {
  const { networkNamespace: inside, link, hostAddress, nodeAddress, linkPrefix } = network
  if (!(await succeeds('ip', '-n', inside, 'link', 'show', 'lo'))) {
    await system('ip', 'netns', 'delete', inside).catch(() => '')
    await system('ip', 'netns', 'add', inside)
  }
  if (!existsSync(`/sys/class/net/${link}`) || !(await succeeds('ip', '-n', inside, 'link', 'show', 'eth0'))) {
    await system('ip', 'link', 'delete', link).catch(() => '')
    await system('ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', inside)
  }
  await system('ip', 'address', 'replace', `${hostAddress}/${linkPrefix}`, 'dev', link)
  await system('ip', 'link', 'set', link, 'up')
  await system('ip', '-n', inside, 'link', 'set', 'lo', 'up')
  await system('ip', '-n', inside, 'address', 'replace', `${nodeAddress}/${linkPrefix}`, 'dev', 'eth0')
  await system('ip', '-n', inside, 'link', 'set', 'eth0', 'up')
  await system('ip', '-n', inside, 'route', 'replace', 'default', 'via', hostAddress)
  await system('ip', 'route', 'replace', network.range, 'via', nodeAddress, 'dev', link)
  await setInside(inside, {
    'net/ipv4/ip_forward': 1,
    'net/bridge/bridge-nf-call-iptables': 1,
    'net/ipv4/conf/all/rp_filter': 0,
  })
  await setOnHost(link)
  await writeTable(network, ports)
}

/** Settings of the kernel within the namespace; one that this kernel lacks is passed over. */
async function setInside(inside: string, settings: Record<string, number>): Promise<void> {
  const script = Object.entries(settings).map(
    ([key, value]) => `[ ! -e /proc/sys/${key} ] || echo ${value} > /proc/sys/${key}`,
  )
  await system('nsenter', `--net=/run/netns/${inside}`, 'sh', '-c', script.join('; '))
}

/** Lets the cluster reach out through this machine, and this machine's loopback address be rewritten to the node's. */
async function setOnHost(link: string): Promise<void> {
  const outward = readFileSync('/proc/net/route', 'utf8')
    .split('\n')
    .map((line) => line.split('\t'))
    .find(([, destination]) => destination === '00000000')?.[0]
  for (const path of [`${link}/route_localnet`, `${link}/forwarding`, ...(outward ? [`${outward}/forwarding`] : [])]) {
    writeFileSync(`/proc/sys/net/ipv4/conf/${path}`, '1')
  }
}

async function writeTable(network: InstanceNetwork, ports: InstancePorts): Promise<void> {
  const { table, link, hostAddress, nodeAddress, range } = network
  const nodePorts = network.nodePorts.join('-')
  // The registry asks nobody who they are, so only the node reaches it and no pod does.
  // Deleted and made in one transaction; "add" first, because deleting what is not there is an error.
  const rules = `
    add table ip ${table}
    delete table ip ${table}
    table ip ${table} {
      chain guard {
        type filter hook prerouting priority raw
        iifname "${link}" ip daddr 127.0.0.0/8 drop
      }
      chain inward {
        type nat hook prerouting priority dstnat
        iifname "${link}" ip daddr ${hostAddress} tcp dport ${ports.apiServer} dnat to 127.0.0.1
        iifname "${link}" ip saddr ${nodeAddress} ip daddr ${hostAddress} tcp dport ${ports.registry} dnat to 127.0.0.1
      }
      chain local {
        type nat hook output priority -100
        ip daddr 127.0.0.1 tcp dport ${nodePorts} dnat to ${nodeAddress}
        ip daddr 127.0.0.1 udp dport ${nodePorts} dnat to ${nodeAddress}
      }
      chain outward {
        type nat hook postrouting priority srcnat
        oifname "${link}" ip saddr 127.0.0.0/8 masquerade
        oifname != "${link}" ip saddr ${range} masquerade
      }
    }`
  await new Promise<void>((resolve, reject) => {
    const child = execFile(programPath('nft') ?? 'nft', ['-f', '-'], (error, _stdout, stderr) =>
      error ? reject(new Error(`nft: ${stderr.trim() || error.message}`)) : resolve(),
    )
    child.stdin?.end(rules)
  })
}

/** Removes all that ensureNetwork and the node made. Safe to repeat. */
export async function removeNetwork(network: InstanceNetwork): Promise<void> {
  if (await succeeds('nft', 'list', 'table', 'ip', network.table))
    await system('nft', 'delete', 'table', 'ip', network.table)
  if (existsSync(`/sys/class/net/${network.link}`)) await system('ip', 'link', 'delete', network.link)
  if (existsSync(namespaceFile(network))) await system('ip', 'netns', 'delete', network.networkNamespace)
}
