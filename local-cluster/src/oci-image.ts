import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import tar from 'tar-stream'
import { LocalClusterError } from './local-cluster-error.ts'

/** One entry of an image's file system. */
export interface LayerEntry {
  /** Path in the image, without a leading slash. */
  path: string
  /** Content, or a file of this machine to take it from. Absent for folders and links. */
  content?: string | Buffer
  from?: string
  type?: 'file' | 'directory' | 'symlink'
  linkTarget?: string
  /** Octal; defaults to 0644, folders 0755. */
  mode?: number
}

/** An image configuration as Docker and OCI share it. */
export interface ImageConfig {
  User?: string
  ExposedPorts?: Record<string, object>
  Env?: string[]
  Entrypoint?: string[]
  Cmd?: string[]
  WorkingDir?: string
  Labels?: Record<string, string>
  StopSignal?: string
  /** Not in the OCI specification; Docker's, durations in nanoseconds. */
  Healthcheck?: { Test: string[]; Interval?: number; Timeout?: number; Retries?: number }
}

/** An image to be pushed. Layers lie on top of each other in their order. */
export interface ImageSource {
  repository: string
  tag: string
  /** RFC 3339. Fixed, so that the same content has the same digest everywhere. */
  created: string
  config: ImageConfig
  layers: Layer[]
}

/** A finished layer. */
export interface Layer {
  compressed: Buffer
  digest: string
  /** Digest of the uncompressed archive. */
  diffId: string
}

const digestOf = (content: Buffer | string) => `sha256:${createHash('sha256').update(content).digest('hex')}`
const gzipped = promisify(gzip)

/** Packs entries into a layer; the same entries give the same digest. */
export async function layerOf(entries: readonly LayerEntry[]): Promise<Layer> {
  const pack = tar.pack()
  for (const entry of entries) {
    const content = entry.from ? readFileSync(entry.from) : Buffer.from(entry.content ?? '')
    const type = entry.type ?? 'file'
    const header = {
      name: entry.path,
      type,
      mode: entry.mode ?? (type === 'directory' ? 0o755 : entry.from ? statSync(entry.from).mode & 0o777 : 0o644),
      mtime: new Date(0),
      ...(entry.linkTarget ? { linkname: entry.linkTarget } : {}),
    }
    if (type === 'file') pack.entry(header, content)
    else pack.entry(header)
  }
  pack.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of pack) chunks.push(chunk as Buffer)
  const archive = Buffer.concat(chunks)
  // The lightest compression: the registry is on this machine.
  const compressed = await gzipped(archive, { level: 1 })
  return { compressed, digest: digestOf(compressed), diffId: digestOf(archive) }
}

const ARCHITECTURES: Record<string, string> = { x64: 'amd64', arm64: 'arm64' }

/** Pushes the image to a registry; layers that are there already are not sent again. Answers the manifest's digest. */
export async function pushImage(registryUrl: string, image: ImageSource): Promise<string> {
  const config = JSON.stringify({
    created: image.created,
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    config: image.config,
    rootfs: { type: 'layers', diff_ids: image.layers.map((layer) => layer.diffId) },
    history: image.layers.map(() => ({ created: image.created, created_by: 'quarterdeck local-cluster' })),
  })
  const root = `${registryUrl}/v2/${image.repository}`
  for (const layer of image.layers) await pushBlob(root, layer.digest, layer.compressed)
  await pushBlob(root, digestOf(config), Buffer.from(config))
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(config),
      size: Buffer.byteLength(config),
    },
    layers: image.layers.map(({ digest, compressed }) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest,
      size: compressed.length,
    })),
  })
  await sent(`${root}/manifests/${image.tag}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
    body: manifest,
  })
  return digestOf(manifest)
}

async function pushBlob(root: string, digest: string, content: Buffer): Promise<void> {
  if ((await fetch(`${root}/blobs/${digest}`, { method: 'HEAD' })).ok) return
  const started = await sent(`${root}/blobs/uploads/`, { method: 'POST' })
  const location = new URL(started.headers.get('location') ?? '', root)
  location.searchParams.set('digest', digest)
  await sent(location.href, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
    body: new Uint8Array(content),
  })
}

async function sent(url: string, request: RequestInit): Promise<Response> {
  const response = await fetch(url, request)
  const text = await response.text()
  if (response.ok) return response
  const full = /no space left on device/i.test(text)
  throw new LocalClusterError(
    full ? 'DiskFull' : 'RegistryRefused',
    `The registry answered ${request.method} ${url} with status ${response.status}: ${text.slice(0, 300)}`,
    full
      ? 'Free space on the disk of the state folder and start again.'
      : 'Read logs/registry.log in the state folder.',
  )
}
