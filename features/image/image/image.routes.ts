import { bind, type Server } from '@quarterdeck/http'
import { formatImageReference, type ImageReference, parseImageReference } from '@quarterdeck/kernel'
import { type Platform, type Registry, RegistryError, type RegistryOptions } from '@quarterdeck/registry'
import {
  type ImageConfig,
  type ImageProposal,
  type ImageTag,
  inspectImage,
  listRegistries,
  listRepositories,
  listTags,
} from './image.contract.ts'
import { isSystem, nameHolds, newestFirst, tagsToLookAt, timeOf, toImageConfig } from './image.rules.ts'
import { type KnownRegistries, type KnownRegistry, knownRegistries, orProblem } from './known-registries.routes.ts'

export type { KnownRegistry } from './known-registries.routes.ts'

/** What images say of themselves. */
export interface Images {
  readonly registries: KnownRegistries
  /** Throws imageAbsent, registryUnknown, registryUnreachable, registryRefuses or registryUnsound. */
  inspect(image: string, options?: { platform?: Platform; signal?: AbortSignal }): Promise<ImageConfig>
  /** The same problems. */
  tags(repository: string, signal?: AbortSignal): Promise<{ items: ImageTag[]; total: number }>
}

export interface ImagesOptions {
  /** Asked each time, so that a cluster that comes up brings its registry with it. */
  registries(): Promise<KnownRegistry[]>
  limits?: RegistryOptions
}

const LINUX: Platform = { os: 'linux', architecture: 'amd64' }
const REPOSITORIES = 1_000
const TAGS = 10_000
const AT_ONCE = 8
const REMEMBERED = 2_000

/** Reads the known registries. Remembers what a digest stands for, since that never changes. */
export function openImages({ registries, limits }: ImagesOptions): Images {
  const known = knownRegistries(registries, limits)
  const remembered = new Map<string, Pick<ImageTag, 'createTime' | 'sizeBytes'>>()
  return {
    registries: known,
    async inspect(image, { platform = LINUX, signal } = {}) {
      const { reference, named } = parsed(image)
      const registry = await known.get(reference)
      const asked = reference.digest ?? reference.tag ?? 'latest'
      return toImageConfig(named, await orProblem(registry.image(reference.repository, asked, platform, signal)))
    },
    async tags(repository, signal) {
      const { reference } = parsed(repository)
      const registry = await known.get(reference)
      const { items } = await orProblem(registry.tags(reference.repository, TAGS, signal))
      const tags = await inParallel(tagsToLookAt(items), (tag) =>
        orProblem(describe(registry, reference, tag, remembered, signal)),
      )
      return { items: newestFirst(tags.filter((tag) => tag !== undefined)), total: items.length }
    },
  }
}

function parsed(image: string): { reference: ImageReference; named: string } {
  const reference = parseImageReference(image)
  if (!reference) throw new Error(`${image} was not checked by its schema`)
  return { reference, named: formatImageReference(reference) }
}

/** One tag with its time and size; undefined when it went while we looked. */
async function describe(
  registry: Registry,
  { repository }: ImageReference,
  tag: string,
  remembered: Map<string, Pick<ImageTag, 'createTime' | 'sizeBytes'>>,
  signal: AbortSignal | undefined,
): Promise<ImageTag | undefined> {
  const image = `${registry.host}/${repository}:${tag}`
  const digest = await registry.resolve(repository, tag, signal).catch(unlessAbsent)
  if (digest === undefined) return undefined
  const key = `${registry.host}/${repository}@${digest}`
  const kept = remembered.get(key)
  if (kept) return { image, tag, digest, ...kept }
  // For another platform, a chart, a signature: the tag is there, and that is all to be said.
  const found = await registry.image(repository, digest, LINUX, signal).catch(unlessAbsent)
  const createTime = timeOf(found?.configuration.created)
  const told = { ...(createTime ? { createTime } : {}), ...(found ? { sizeBytes: found.sizeBytes } : {}) }
  remembered.set(key, told)
  for (const oldest of remembered.size > REMEMBERED ? remembered.keys() : []) {
    remembered.delete(oldest)
    break
  }
  return { image, tag, digest, ...told }
}

function unlessAbsent(error: unknown): undefined {
  if (error instanceof RegistryError && error.reason === 'Absent') return undefined
  throw error
}

async function inParallel<From, To>(items: readonly From[], each: (item: From) => Promise<To>): Promise<To[]> {
  const results: To[] = []
  let next = 0
  const work = async () => {
    while (next < items.length) {
      const index = next++
      results[index] = await each(items[index] as From)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return results
}

/** `propose` belongs to the application feature: what to deploy, given what the image says. */
export function imageRoutes(
  server: Server,
  { images, propose }: { images: Images; propose(image: ImageConfig): Omit<ImageProposal, 'image'> },
): void {
  bind(server, listRegistries, async ({ signal }) => {
    const known = await images.registries.all()
    const items = await Promise.all(
      known.map(async ({ client, title }) => {
        const failure = await client.ping(signal).catch((error: unknown) => error)
        if (failure !== undefined && !(failure instanceof RegistryError)) throw failure
        const answers = failure === undefined || failure.reason === 'Refused'
        return { host: client.host, title, answers, message: failure?.message ?? '' }
      }),
    )
    return { items }
  })
  bind(server, listRepositories, async ({ query, signal }) => {
    const problems: string[] = []
    const known = await images.registries.all()
    const found = await Promise.all(
      known.map(async ({ client }) => {
        try {
          const { items, complete } = await client.repositories(REPOSITORIES, signal)
          if (!complete)
            problems.push(`${client.host} has more than ${REPOSITORIES} repositories; type the name of others`)
          return items.map((repository) => ({ registry: client.host, repository }))
        } catch (error) {
          if (!(error instanceof RegistryError)) throw error
          problems.push(`${error.message}; type the image's name`)
          return []
        }
      }),
    )
    const items = found
      .flat()
      .filter(({ repository }) => query.system || !isSystem(repository))
      .filter(({ registry, repository }) => nameHolds(`${registry}/${repository}`, query.search))
    return { items, problems }
  })
  bind(server, listTags, ({ query, signal }) => images.tags(query.repository, signal))
  bind(server, inspectImage, async ({ query, signal }) => {
    const image = await images.inspect(query.image, { signal })
    return { image, ...propose(image) }
  })
}
