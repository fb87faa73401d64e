import type { ImageConfig, ImageTag } from './image.contract.ts'

/** An image as a registry describes it; the names are those of the OCI image configuration. */
export interface DescribedImage {
  digest: string
  sizeBytes: number
  configuration: {
    created?: string | null | undefined
    architecture: string
    os: string
    config?:
      | {
          ExposedPorts: string[]
          Volumes: string[]
          User: string
          Env: string[]
          Entrypoint: string[]
          Cmd: string[]
          Labels: Record<string, string>
          Healthcheck?: { Test: string[] } | null | undefined
        }
      | undefined
  }
}

/** At most this many tags are looked at, so that a repository with thousands still answers in seconds. */
export const TAGS_LOOKED_AT = 200
const PORTS = 50

/** What the image says of itself, in the contract's words. */
export function toImageConfig(image: string, { digest, sizeBytes, configuration }: DescribedImage): ImageConfig {
  const { config, created, architecture, os } = configuration
  const createTime = timeOf(created)
  const test = config?.Healthcheck?.Test ?? []
  return {
    image,
    digest,
    ...(createTime === undefined ? {} : { createTime }),
    architecture,
    os,
    sizeBytes,
    ports: (config?.ExposedPorts ?? []).flatMap(portsOf).slice(0, PORTS),
    user: config?.User ?? '',
    volumes: config?.Volumes ?? [],
    entrypoint: config?.Entrypoint ?? [],
    command: config?.Cmd ?? [],
    environment: (config?.Env ?? []).map(variableOf),
    labels: config?.Labels ?? {},
    ...(test.length === 0 || test[0] === 'NONE' ? {} : { healthcheck: test }),
  }
}

/** An instant in UTC; undefined for none and for the year 1 that reproducible builds write. */
export function timeOf(created: string | null | undefined): string | undefined {
  const ms = created ? Date.parse(created) : Number.NaN
  return Number.isNaN(ms) || ms <= 0 ? undefined : new Date(ms).toISOString()
}

/** `8080/tcp`, `53/udp`, `8080` or a range `8000-8003/tcp`, as builders write them. */
export function portsOf(text: string): ImageConfig['ports'] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text)
  if (!match) return []
  const first = Number(match[1])
  const last = Math.min(Number(match[2] ?? first), first + PORTS - 1, 65_535)
  const protocol = (match[3] ?? 'tcp').toUpperCase() as 'TCP' | 'UDP' | 'SCTP'
  const ports: ImageConfig['ports'] = []
  for (let port = Math.max(first, 1); port <= last; port += 1) ports.push({ port, protocol })
  return ports
}

function variableOf(text: string): { name: string; value: string } {
  const equals = text.indexOf('=')
  return equals < 0 ? { name: text, value: '' } : { name: text.slice(0, equals), value: text.slice(equals + 1) }
}

const byName = new Intl.Collator('en', { numeric: true })

/** The tags to look at: `latest` and the highest names, by number where there are numbers. */
export const tagsToLookAt = (tags: readonly string[]): string[] =>
  [...tags]
    .sort((a, b) => Number(b === 'latest') - Number(a === 'latest') || byName.compare(b, a))
    .slice(0, TAGS_LOOKED_AT)

/** Newest first; those without a time last, highest names first. */
export const newestFirst = (tags: readonly ImageTag[]): ImageTag[] =>
  [...tags].sort((a, b) => (b.createTime ?? '').localeCompare(a.createTime ?? '') || byName.compare(b.tag, a.tag))

/** True when `search` is part of the name, upper and lower case alike; an absent one finds all. */
export const nameHolds = (name: string, search: string | undefined): boolean =>
  search === undefined || name.toLowerCase().includes(search.trim().toLowerCase())

/** True for the images that a local cluster is made of; nobody deploys them. */
export const isSystem = (repository: string): boolean => repository.startsWith('quarterdeck/')
