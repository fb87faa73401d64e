import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { programPath } from './host.ts'
import { LocalClusterError } from './local-cluster-error.ts'
import type { Binaries } from './obtain.ts'
import { type ImageConfig, type Layer, type LayerEntry, layerOf } from './oci-image.ts'

/** An image that every new cluster gets, before its layers are made. */
export interface SampleImage {
  repository: string
  tag: string
  created: string
  config: ImageConfig
  /** Changes when the image would come out differently; cheap to know. */
  madeFrom: string
  layers(): Promise<Layer[]>
}

const USER = '10001'
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const SECOND = 1_000_000_000

const labels = (title: string, version: string, description: string) => ({
  'org.opencontainers.image.title': title,
  'org.opencontainers.image.version': version,
  'org.opencontainers.image.description': description,
})

const directory = (path: string, mode = 0o755): LayerEntry => ({ path, type: 'directory', mode })

const SYSTEM_FILES: LayerEntry[] = [
  directory('etc'),
  directory('tmp', 0o1777),
  { path: 'etc/passwd', content: `root:x:0:0:root:/root:/bin/sh\napp:x:${USER}:${USER}:app:/tmp:/bin/sh\n` },
  { path: 'etc/group', content: `root:x:0:\napp:x:${USER}:\n` },
]

/** What a cluster's own pods run: the pause container, and CoreDNS and metrics-server as far as they are obtained. */
export function systemImages(binaries: Binaries): SampleImage[] {
  const catatonit = required('catatonit')
  const single = (repository: string, from: string, entrypoint: string[], version: string): SampleImage => ({
    repository: `quarterdeck/${repository}`,
    tag: version,
    created: '2026-01-01T00:00:00Z',
    config: { Entrypoint: entrypoint, User: '65532', WorkingDir: '/', Env: [PATH] },
    madeFrom: fingerprint([from]),
    layers: async () => [await layerOf([{ path: entrypoint[0]?.slice(1) ?? '', from, mode: 0o755 }])],
  })
  return [
    single('pause', catatonit, ['/pause', '-P'], '1'),
    ...binaries.folders
      .filter(({ tool }) => tool === 'coredns' || tool === 'metrics-server')
      .map(({ tool, version }) => single(tool, binaries.executable(tool), [`/${tool}`], version)),
  ]
}

/** The images that a person can deploy at once: `hello` in two versions and `shell`. */
export function sampleImages(): SampleImage[] {
  const server = join(import.meta.dirname, '..', 'images', 'hello', 'server.ts')
  const busybox = required('busybox')
  let base: Promise<Layer> | undefined
  const hello = (version: string, created: string): SampleImage => ({
    repository: 'hello',
    tag: version,
    created,
    madeFrom: fingerprint([process.execPath, server, import.meta.filename]),
    config: {
      User: USER,
      ExposedPorts: { '8080/tcp': {} },
      Env: [PATH, `VERSION=${version}`, 'PORT=8080', 'NODE_ENV=production'],
      Cmd: ['/usr/bin/node', '/app/server.ts'],
      WorkingDir: '/app',
      StopSignal: 'SIGTERM',
      Labels: labels('hello', version, 'A small HTTP service with health and metrics endpoints'),
      Healthcheck: {
        Test: [
          'CMD',
          '/usr/bin/node',
          '-e',
          "fetch('http://127.0.0.1:8080/healthz').then((r) => process.exit(r.ok ? 0 : 1))",
        ],
        Interval: 10 * SECOND,
        Timeout: 2 * SECOND,
        Retries: 3,
      },
    },
    async layers() {
      base ??= layerOf(nodeFiles(busybox))
      return [await base, await layerOf([directory('app'), { path: 'app/server.ts', from: server, mode: 0o644 }])]
    },
  })
  return [
    {
      repository: 'shell',
      tag: '1',
      created: '2026-10-20T08:00:00Z',
      madeFrom: fingerprint([busybox, import.meta.filename]),
      config: {
        User: USER,
        Env: [PATH, 'HOME=/tmp'],
        Cmd: ['/bin/sh', '-c', "trap 'exit 0' TERM INT; echo ready; while :; do sleep 3600 & wait $!; done"],
        WorkingDir: '/',
        Labels: labels('shell', '1', 'A shell and the usual small programs'),
      },
      layers: async () => [await layerOf([...SYSTEM_FILES, ...busyboxFiles(busybox)])],
    },
    hello('1', '2026-11-01T08:00:00Z'),
    hello('2', '2026-11-15T08:00:00Z'),
  ]
}

/** The shell with a link for each program it can be. */
function busyboxFiles(busybox: string): LayerEntry[] {
  const names = execFileSync(busybox, ['--list'], { encoding: 'utf8' })
    .split('\n')
    .filter((name) => name && name !== 'busybox')
  return [
    directory('bin'),
    { path: 'bin/busybox', from: busybox, mode: 0o755 },
    ...names.map((name) => ({ path: `bin/${name}`, type: 'symlink' as const, linkTarget: 'busybox' })),
  ]
}

/** The Node that runs us, with the libraries it is linked to, and a shell to look around with. */
function nodeFiles(busybox: string): LayerEntry[] {
  const node = realpathSync(process.execPath)
  const libraries = librariesOf(node)
  const folders = new Set(['usr/bin', ...libraries.map((path) => dirname(path).slice(1))])
  return [
    ...SYSTEM_FILES,
    ...busyboxFiles(busybox),
    ...[...folders]
      .flatMap(parentsOf)
      .filter((path, at, all) => all.indexOf(path) === at)
      .map((path) => directory(path)),
    { path: 'usr/bin/node', from: node, mode: 0o755 },
    ...libraries.map((path) => ({ path: path.slice(1), from: realpathSync(path), mode: 0o755 })),
  ]
}

/** Shared libraries of a program; none when it is linked statically. */
function librariesOf(program: string): string[] {
  try {
    // Lines look like "libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)" or "/lib64/ld-linux-x86-64.so.2 (0x…)".
    const listed = execFileSync('ldd', [program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return [...listed.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path)
  } catch {
    return []
  }
}

function parentsOf(folder: string): string[] {
  const parts = folder.split('/')
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}

function required(program: string): string {
  const path = programPath(program)
  if (path) return realpathSync(path)
  throw new LocalClusterError(
    'HostPackagesMissing',
    `The program ${program}, which goes into one of the cluster's images, is not installed.`,
    `Install it: apt-get install ${program === 'busybox' ? 'busybox-static' : program}`,
  )
}

/** Small files by content, large ones by size and time: reading them takes longer than the rest of a warm start. */
function fingerprint(files: string[]): string {
  const hash = createHash('sha256')
  for (const file of files) {
    const { size, mtimeMs } = statSync(file)
    hash.update(size < 1_000_000 ? readFileSync(file) : `${file} ${size} ${mtimeMs}`)
  }
  return hash.digest('hex').slice(0, 16)
}
