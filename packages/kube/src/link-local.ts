import { lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

// Machines of clouds answer there with their own credentials (169.254.169.254, fd00:ec2::254).
const addresses = new BlockList()
addresses.addSubnet('169.254.0.0', 16, 'ipv4')
addresses.addSubnet('fe80::', 10, 'ipv6')
addresses.addAddress('fd00:ec2::254', 'ipv6')

/** Whether an address, brackets allowed, is one where no API server is: link-local or a cloud's metadata service. */
export function isLinkLocal(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '')
  const family = isIP(address)
  return family !== 0 && addresses.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

/** Resolves a name as Node does, without its link-local addresses; fails when it has no other. */
export const lookupServer: LookupFunction = (host, options, done) =>
  lookup(host, { ...options, all: true }, (error, found) => {
    const usable = (found ?? []).filter(({ address }) => !isLinkLocal(address))
    const [first] = usable
    if (error) done(error, [], 0)
    else if (!first) done(new Error(`${host} is a link-local address, where no API server is`), [], 0)
    else if (options.all) done(null, usable)
    else done(null, first.address, first.family)
  })
