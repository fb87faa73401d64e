import type { Identities } from './identities.ts'
import type { InstanceNetwork, InstancePorts } from './instance.ts'
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
