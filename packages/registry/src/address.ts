import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'

/** A registry and how to reach it. */
export interface RegistryAddress {
  /** `host` or `host:port`, as it stands in image references. */
  host: string
  /** True: plain HTTP. Only for loopback registries and those that the operator names with http://. */
  insecure: boolean
  /** Sent to exactly this host and port, never to another. */
  credentials?: Credentials
}

export interface Credentials {
  username: string
  password: string
}

// Docker's own registry answers under another name than the one in references.
const DOCKER_HUB = 'registry-1.docker.io'

/** Where requests to the registry begin. */
export const baseUrl = ({ host, insecure }: RegistryAddress): URL =>
  new URL(`${insecure ? 'http' : 'https'}://${host === 'docker.io' ? DOCKER_HUB : host}/`)

const HOST = /^([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:]{2,45}\])(:\d{1,5})?$/

/** Reads one entry of QUARTERDECK_REGISTRIES: `host[:port]`, with `http://` in front for plain HTTP. */
export function parseRegistryAddress(entry: string): RegistryAddress | undefined {
  const text = entry.trim()
  const insecure = text.startsWith('http://')
  const host = text.replace(/^https?:\/\//, '').replace(/\/+$/, '')
  return HOST.test(host) && URL.canParse(`https://${host}`) ? { host: host.toLowerCase(), insecure } : undefined
}

/** True for addresses that reach this machine or its neighbour on the wire: loopback, unspecified and link-local. */
export function isLocalAddress(address: string): boolean {
  const ip = address.replace(/^\[|\]$/g, '').toLowerCase()
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(ip)?.[1] ?? ip
  if (isIP(mapped) === 4) return /^(127\.|0\.|169\.254\.)/.test(mapped)
  if (isIP(mapped) === 6) return mapped === '::1' || mapped === '::' || /^(fe[89ab]|::ffff:(7f|a9fe|0:))/.test(mapped)
  return mapped === 'localhost' || mapped.endsWith('.localhost')
}

/** A name look-up that refuses local addresses, so that a registry cannot send us to this machine's own services. */
export const outsideLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, '', 0)
    const local = addresses.find(({ address }) => isLocalAddress(address))
    if (local) return callback(new Error(`${hostname} is ${local.address}, an address of this machine`), '', 0)
    if (options.all) return callback(null, addresses)
    const first = addresses[0]
    return first
      ? callback(null, first.address, first.family)
      : callback(new Error(`${hostname} has no address`), '', 0)
  })
}
