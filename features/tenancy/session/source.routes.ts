import { BlockList, isIPv6 } from 'node:net'

interface Network {
  address: string
  bits: number
  family: 'ipv4' | 'ipv6'
}

function networkOf(text: string): Network {
  const [address = '', bits] = text.split('/')
  const family = isIPv6(address) ? 'ipv6' : 'ipv4'
  return { address, bits: bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family }
}

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

const covers = (outer: Network, { address, bits, family }: Network): boolean => {
  if (outer.family !== family || bits < outer.bits) return false
  const list = new BlockList()
  list.addSubnet(outer.address, outer.bits, outer.family)
  return list.check(address, family)
}

/** Whether an address lies in one of these networks; in any case when there are none. IPv4 may come mapped into IPv6. */
export function isFrom(sources: readonly string[], peer: string): boolean {
  if (sources.length === 0) return true
  const address = networkOf(MAPPED.exec(peer)?.[1] ?? peer)
  return sources.some((source) => covers(networkOf(source), address))
}

/** The first network of `sources` that reaches beyond `outer`; undefined when all lie within. */
export const beyondSources = (outer: readonly string[], sources: readonly string[]): string | undefined => {
  if (outer.length === 0) return undefined
  if (sources.length === 0) return 'anywhere'
  return sources.find((source) => !outer.some((one) => covers(networkOf(one), networkOf(source))))
}
