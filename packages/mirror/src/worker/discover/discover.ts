import { Refused, textOf } from '../connection/answer.ts'
import type { Ask } from '../connection/connection.ts'
import type { Asked } from '../reflect/source.ts'
import type { ServedKind } from '../served-kind.ts'
import { type GroupVersion, kindsOf } from './choose-kinds.ts'

/** What a cluster serves. */
export interface Discovered {
  kinds: Omit<ServedKind, 'printerColumns'>[]
  /** Groups that could not be asked (their API server is down): what is known of them holds on. */
  silentGroups: Set<string>
}

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const MOST_BYTES = 32 << 20

/**
 * Asks what can be listed and watched, each resource once, in its preferred version. Rejects as Connection.ask does when
 * nothing can be learned.
 */
export async function discover(connection: Pick<Asked, 'ask' | 'timings'>, signal: AbortSignal): Promise<Discovered> {
  const get = async (path: string) => JSON.parse(await read(connection, path, signal)) as unknown
  const silentGroups = new Set<string>()
  const versions: GroupVersion[] = []
  for (const path of ['/api', '/apis']) {
    const answer = (await get(path)) as Aggregated & LegacyRoot
    if (answer.kind === 'APIGroupDiscoveryList') versions.push(...ofAggregated(answer, silentGroups))
    else versions.push(...(await ofLegacy(answer, path, get, silentGroups)))
  }
  return { kinds: kindsOf(versions), silentGroups }
}

async function read(connection: Pick<Asked, 'ask' | 'timings'>, path: string, signal: AbortSignal): Promise<string> {
  const ask: Ask = { path, accept: `${AGGREGATED},application/json`, verb: 'get', what: path }
  return textOf(await connection.ask(ask, signal), connection.timings.answer, signal, MOST_BYTES)
}

// apidiscovery.k8s.io/v2
interface Aggregated {
  kind?: string
  items?: {
    metadata?: { name?: string }
    versions?: {
      version: string
      freshness?: string
      resources?: {
        resource: string
        responseKind?: { kind?: string }
        scope?: string
        verbs?: string[]
        shortNames?: string[]
      }[]
    }[]
  }[]
}

function ofAggregated({ items }: Aggregated, silentGroups: Set<string>): GroupVersion[] {
  return (items ?? []).flatMap(({ metadata, versions }) => {
    const group = metadata?.name ?? ''
    return (versions ?? []).map(({ version, freshness, resources }) => {
      if (freshness === 'Stale') silentGroups.add(group)
      const named = (resources ?? []).map(({ resource, responseKind, scope, verbs, shortNames }) => ({
        plural: resource,
        kind: responseKind?.kind ?? '',
        namespaced: scope === 'Namespaced',
        verbs: verbs ?? [],
        shortNames: shortNames ?? [],
      }))
      return { group, version, resources: named }
    })
  })
}

// meta/v1 APIVersions and APIGroupList
interface LegacyRoot {
  versions?: string[]
  groups?: { name: string; preferredVersion?: { version: string }; versions: { version: string }[] }[]
}
// meta/v1 APIResourceList
interface LegacyResources {
  resources?: { name: string; kind: string; namespaced: boolean; verbs: string[]; shortNames?: string[] }[]
}

async function ofLegacy(
  root: LegacyRoot,
  path: string,
  get: (path: string) => Promise<unknown>,
  silentGroups: Set<string>,
): Promise<GroupVersion[]> {
  const all = [
    ...(root.versions ?? []).map((version) => ({ group: '', version, at: `${path}/${version}` })),
    ...(root.groups ?? []).flatMap(({ name, preferredVersion, versions }) => {
      const preferred = preferredVersion ? [preferredVersion.version] : []
      const ordered = new Set([...preferred, ...versions.map(({ version }) => version)])
      return [...ordered].map((version) => ({ group: name, version, at: `${path}/${name}/${version}` }))
    }),
  ]
  const asked = all.map(async ({ group, version, at }): Promise<GroupVersion> => {
    const answer = await get(at).catch((error) => {
      if (!(error instanceof Refused)) throw error
      silentGroups.add(group)
      return {}
    })
    const resources = ((answer as LegacyResources).resources ?? []).map(({ name, shortNames, ...rest }) => ({
      ...rest,
      plural: name,
      shortNames: shortNames ?? [],
    }))
    return { group, version, resources }
  })
  return Promise.all(asked)
}
