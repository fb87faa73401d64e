import { createHash } from 'node:crypto'
import { z } from 'zod'
import { RegistryError } from './registry-error.ts'

/** Which of an image's variants is meant. */
export interface Platform {
  os: string
  architecture: string
}

const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)
const Descriptor = z.object({ mediaType: z.string().max(255).optional(), digest: Digest, size: z.number().min(0) })

/** OCI image manifest and Docker schema 2, which differ in media types only. */
export const Manifest = z.object({
  config: Descriptor,
  layers: z.array(Descriptor).max(1_000),
  artifactType: z.string().max(255).optional(),
})
export type Manifest = z.infer<typeof Manifest>

/** OCI image index and Docker manifest list. */
export const Index = z.object({
  manifests: z
    .array(
      Descriptor.extend({
        platform: z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() }).optional(),
      }),
    )
    .max(1_000),
})
export type Index = z.infer<typeof Index>

const words = z
  .union([z.array(z.string()), z.string().transform((word) => [word])])
  .nullish()
  .transform((list) => list ?? [])
const keys = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((record) => Object.keys(record ?? {}))

/** An image's configuration as far as the platform reads it (OCI image specification, config.md; Healthcheck is Docker's). */
export const Configuration = z.object({
  created: z.string().nullish(),
  architecture: z.string().max(64).default(''),
  os: z.string().max(64).default(''),
  config: z
    .object({
      ExposedPorts: keys,
      Volumes: keys,
      User: z
        .string()
        .nullish()
        .transform((user) => user ?? ''),
      Env: words,
      Entrypoint: words,
      Cmd: words,
      Labels: z
        .record(z.string(), z.string())
        .nullish()
        .transform((labels) => labels ?? {}),
      Healthcheck: z.object({ Test: words }).nullish(),
    })
    .nullish()
    .transform((config) => config ?? undefined),
})
export type Configuration = z.infer<typeof Configuration>

/** What is asked for, best first. */
export const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')

const CONFIGURATIONS = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
])

export const digestOf = (body: Uint8Array): string => `sha256:${createHash('sha256').update(body).digest('hex')}`

/** The body as `schema` reads it. Throws RegistryError Unsound naming what it is. */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: Buffer, host: string, what: string) {
  try {
    return schema.parse(JSON.parse(body.toString('utf8'))) as z.output<Schema>
  } catch (error) {
    throw new RegistryError('Unsound', host, `${host} sends ${what} that cannot be read`, { cause: error })
  }
}

/** A manifest or an index, told apart by what is in it, since registries mislabel them. */
export function parseManifest(body: Buffer, host: string, what: string): Manifest | Index {
  const parsed = parseBody(z.union([Manifest, Index, z.object({ schemaVersion: z.literal(1) })]), body, host, what)
  if ('schemaVersion' in parsed) {
    throw new RegistryError(
      'Unsound',
      host,
      `${what} has a manifest of schema 1, which no runtime pulls any more; push it anew`,
    )
  }
  return parsed
}

/** The manifest for the platform. Throws RegistryError Absent naming the platforms there are. */
export function chooseManifest({ manifests }: Index, { os, architecture }: Platform, host: string, what: string) {
  const images = manifests.filter(({ platform }) => platform && platform.os !== 'unknown')
  const found = images.find(({ platform }) => platform?.os === os && platform.architecture === architecture)
  // An index of one manifest without a platform is what some builders push.
  const only = manifests.length === 1 && !manifests[0]?.platform ? manifests[0] : undefined
  const chosen = found ?? only
  if (chosen) return chosen
  const there = [...new Set(images.map(({ platform }) => `${platform?.os}/${platform?.architecture}`))].slice(0, 10)
  const have = there.length > 0 ? `it has ${there.join(', ')}` : 'it has none at all'
  throw new RegistryError('Absent', host, `${what} has no image for ${os}/${architecture}; ${have}`)
}

/** Throws RegistryError Absent when the manifest is of something that cannot run, such as a chart or a signature. */
export function requireImage({ config, artifactType }: Manifest, host: string, what: string): void {
  if (config.mediaType === undefined || CONFIGURATIONS.has(config.mediaType)) return
  throw new RegistryError('Absent', host, `${what} is no container image but ${artifactType ?? config.mediaType}`)
}
