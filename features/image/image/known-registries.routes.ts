import type { ImageReference, ProblemType } from '@quarterdeck/kernel'
import {
  openRegistry,
  type Registry,
  type RegistryAddress,
  RegistryError,
  type RegistryErrorReason,
  type RegistryOptions,
} from '@quarterdeck/registry'
import {
  imageAbsent,
  registryRefuses,
  registryUnknown,
  registryUnreachable,
  registryUnsound,
} from './image.contract.ts'

/** A registry that images may come from, with the name that people give it. */
export interface KnownRegistry extends RegistryAddress {
  title: string
}

/** Clients of the known registries; no other host is ever asked, whatever an image reference names. */
export interface KnownRegistries {
  all(): Promise<{ client: Registry; title: string }[]>
  /** Throws registryUnknown. */
  get(reference: ImageReference): Promise<Registry>
}

/** Keeps one client a registry, and with it its tokens, while address and credentials stay the same. */
export function knownRegistries(list: () => Promise<KnownRegistry[]>, options?: RegistryOptions): KnownRegistries {
  const clients = new Map<string, { key: string; client: Registry }>()
  const clientOf = ({ title: _, ...address }: KnownRegistry): Registry => {
    const key = JSON.stringify(address)
    const kept = clients.get(address.host)
    if (kept?.key === key) return kept.client
    const client = openRegistry(address, options)
    clients.set(address.host, { key, client })
    return client
  }
  return {
    all: async () => (await list()).map((known) => ({ client: clientOf(known), title: known.title })),
    async get({ registry }) {
      const known = await list()
      const found = known.find(({ host }) => host === registry.toLowerCase())
      if (found) return clientOf(found)
      const hosts = known.map(({ host }) => host).join(', ')
      throw registryUnknown({
        detail: `${registry} is not among the registries of the platform (${hosts || 'there are none'}). Begin the image with one of them, or add ${registry} to QUARTERDECK_REGISTRIES.`,
      })
    },
  }
}

const PROBLEMS: Record<RegistryErrorReason, ProblemType> = {
  Absent: imageAbsent,
  Unreachable: registryUnreachable,
  Refused: registryRefuses,
  Unsound: registryUnsound,
}
const CURES: Record<RegistryErrorReason, string> = {
  Absent: 'Check the name and the tag.',
  Unreachable: 'Check that the registry runs and can be reached from here.',
  Refused: 'Check the name, or give the registry credentials in the file that QUARTERDECK_REGISTRY_AUTH names.',
  Unsound: 'Push the image again, or ask whoever runs the registry.',
}

/** A registry's failure as the contract's problem. Everything else goes through. */
export async function orProblem<Result>(answer: Promise<Result>): Promise<Result> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    throw PROBLEMS[error.reason]({ detail: `${error.message}. ${CURES[error.reason]}` })
  }
}
