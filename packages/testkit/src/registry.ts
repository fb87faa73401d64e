import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { gzipSync } from 'node:zlib'
import { obtain } from '@quarterdeck/local-cluster'

/** The distribution registry, running on a loopback port with an empty store of its own. */
export interface TestRegistry {
  /** `127.0.0.1:port`, plain HTTP. */
  readonly host: string
  /** Ends it; what was pushed stays until `close`. */
  stop(): Promise<void>
  /** Starts it again at the same port. */
  start(): Promise<void>
  close(): Promise<void>
}

/** `auth` is the registry's own configuration section, as JSON; absent: everybody may read and write. */
export async function startRegistry({ auth }: { auth?: Record<string, unknown> } = {}): Promise<TestRegistry> {
  const program = (await obtain(['registry'])).executable('registry')
  const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-registry-'))
  let running = await run(program, folder, '127.0.0.1:0', auth)
  const { host } = running
  const stop = () => running.end()
  return {
    host,
    stop,
    async start() {
      running = await run(program, folder, host, auth)
    },
    async close() {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function run(program: string, folder: string, address: string, auth: Record<string, unknown> | undefined) {
  const file = join(folder, 'config.json') // YAML holds JSON
  const settings = {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, 'store') }, delete: { enabled: true } },
    http: { addr: address, secret: randomBytes(8).toString('hex') },
    ...(auth ? { auth } : {}),
  }
  writeFileSync(file, JSON.stringify(settings))
  // On Linux it ends with us even when we are killed.
  const [first = '', ...rest] = [
    ...(process.platform === 'linux' ? ['setpriv', '--pdeathsig', 'KILL'] : []),
    ...[program, 'serve', file],
  ]
  const child = spawn(first, rest, { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const killed = () => void child.kill('SIGKILL')
  process.once('exit', killed)
  const host = await new Promise<string>((resolve, reject) => {
    let said = ''
    child.once('exit', () => reject(new Error(`The registry has ended: ${said}`)))
    child.once('error', reject)
    createInterface(child.stderr).on('line', (line) => {
      said = line
      const listening = /listening on ([\d.]+:\d+)/.exec(line)
      if (listening?.[1]) resolve(listening[1])
    })
  })
  return {
    host,
    async end() {
      process.removeListener('exit', killed)
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** What a pushed image says of itself; members as in an OCI image configuration. */
export interface ImageContents {
  created?: string
  architecture?: string
  os?: string
  config?: Record<string, unknown>
  /** Media types: OCI by default. */
  docker?: boolean
}

interface Descriptor {
  mediaType: string
  digest: string
  size: number
}

const OCI = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
}
const DOCKER = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  index: 'application/vnd.docker.distribution.manifest.list.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
}

export interface PushTarget {
  host: string
  repository: string
  /** Sent as Authorization. */
  authorization?: string
}

/** Pushes an image of one small layer; resolves to the descriptor of its manifest. */
export async function pushImage(
  target: PushTarget,
  reference: string,
  { docker = false, ...contents }: ImageContents = {},
): Promise<Descriptor> {
  const types = docker ? DOCKER : OCI
  const layer = await pushBlob(target, gzipSync(randomBytes(100)))
  const configuration = {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
    ...contents,
  }
  const config = await pushBlob(target, Buffer.from(JSON.stringify(configuration)))
  return pushManifest(target, reference, types.manifest, {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { ...config, mediaType: types.config },
    layers: [{ ...layer, mediaType: types.layer }],
  })
}

/** Pushes one image a platform and an index over them. */
export async function pushIndex(
  target: PushTarget,
  tag: string,
  images: (ImageContents & { os: string; architecture: string })[],
  { docker = false } = {},
): Promise<Descriptor> {
  const types = docker ? DOCKER : OCI
  const manifests = []
  for (const image of images) {
    const descriptor = await pushImage(target, '', { ...image, docker })
    manifests.push({ ...descriptor, platform: { os: image.os, architecture: image.architecture } })
  }
  return pushManifest(target, tag, types.index, { schemaVersion: 2, mediaType: types.index, manifests })
}

/** Pushes any manifest; an empty reference means its own digest. */
export async function pushManifest(
  target: PushTarget,
  reference: string,
  mediaType: string,
  manifest: unknown,
): Promise<Descriptor> {
  const body = Buffer.from(JSON.stringify(manifest))
  const digest = digestOf(body)
  await send(target, 'PUT', `manifests/${reference || digest}`, body, mediaType)
  return { mediaType, digest, size: body.length }
}

/** Pushes a blob; the media type is for the descriptor's reader to set. */
export async function pushBlob(target: PushTarget, body: Buffer): Promise<Descriptor> {
  const digest = digestOf(body)
  const opened = await send(target, 'POST', 'blobs/uploads/')
  const upload = new URL(opened.headers.get('location') ?? '', `http://${target.host}`)
  upload.searchParams.set('digest', digest)
  await send(target, 'PUT', upload.href, body, 'application/octet-stream')
  return { mediaType: 'application/octet-stream', digest, size: body.length }
}

const digestOf = (body: Buffer) => `sha256:${createHash('sha256').update(body).digest('hex')}`

async function send(
  { host, repository, authorization }: PushTarget,
  method: string,
  path: string,
  body?: Buffer,
  type?: string,
): Promise<Response> {
  const url = path.startsWith('http') ? path : `http://${host}/v2/${repository}/${path}`
  const headers = { ...(type ? { 'content-type': type } : {}), ...(authorization ? { authorization } : {}) }
  const response = await fetch(url, { method, headers, ...(body ? { body: new Uint8Array(body) } : {}) })
  if (!response.ok) throw new Error(`${method} ${url} answers ${response.status}: ${await response.text()}`)
  return response
}
