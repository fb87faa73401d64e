import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type BinarySource, openBinarySource } from './binary-source.ts'
import { withLock } from './folder-lock.ts'
import { goBuild, goVersion } from './go-build.ts'
import { explained, LocalClusterError } from './local-cluster-error.ts'
import { type OnProgress, progressOf } from './progress.ts'
import { cacheFolderName, type Tool, type ToolName, toolOf } from './tool.ts'

/** Where built programs are kept: QUARTERDECK_CACHE, else /var/cache/quarterdeck for root and ~/.cache/quarterdeck. */
export const defaultCacheFolder = (): string =>
  process.env.QUARTERDECK_CACHE ||
  (process.getuid?.() === 0 ? '/var/cache/quarterdeck' : join(homedir(), '.cache', 'quarterdeck'))

export interface ObtainOptions {
  /** Absent means defaultCacheFolder(). */
  cacheFolder?: string
  /** A folder, a .tar or .tar.gz archive, or an http(s) base URL. Absent means QUARTERDECK_BINARIES; empty means none. */
  source?: string
  onProgress?: OnProgress
  /** The `go` program. Absent means the first one on PATH. */
  go?: string
}

/** Programs that are there, complete and checked. */
export interface Binaries {
  /** Absolute path of one of the asked-for tools' executables, by its file name. */
  executable(name: string): string
  /** Where each asked-for tool lies and where it came from. */
  folders: { tool: ToolName; version: string; folder: string; from: 'cache' | 'source' | 'build' }[]
}

/**
 * Makes the tools' programs available: from the cache, else from the binary source, else built with Go.
 * Throws LocalClusterError BinariesUnavailable (with the ways out) when none of these can, ChecksumMismatch when a
 * source's file is not what its SHA256SUMS says. Safe to run in several processes at once: one builds, the others wait.
 */
export async function obtain(tools: readonly ToolName[], options: ObtainOptions = {}): Promise<Binaries> {
  const cacheFolder = options.cacheFolder ?? defaultCacheFolder()
  const wanted = tools.map(toolOf)
  const folders: Binaries['folders'] = []
  let source: Promise<BinarySource | undefined> | undefined
  // All that is still to come is told first, so that "how far" is of the whole.
  for (const tool of wanted) {
    if (isComplete(join(cacheFolder, cacheFolderName(tool)), tool)) continue
    progressOf(options.onProgress, 'obtain', tool.name).waiting(tool.version)
  }
  try {
    for (const tool of wanted) {
      const folder = join(cacheFolder, cacheFolderName(tool))
      const from = isComplete(folder, tool)
        ? 'cache'
        : await fill(
            tool,
            folder,
            cacheFolder,
            options,
            () => (source ??= openBinarySource(options.source, cacheFolder)),
          )
      folders.push({ tool: tool.name, version: tool.version, folder, from })
      if (from === 'cache') progressOf(options.onProgress, 'obtain', tool.name).done(`${tool.version}, in the cache`)
    }
  } catch (error) {
    throw explained(error, cacheFolder)
  } finally {
    ;(await source?.catch(() => undefined))?.close()
  }
  const paths = new Map(
    folders.flatMap(({ tool, folder }) => toolOf(tool).executables.map((name) => [name, join(folder, name)] as const)),
  )
  return {
    folders,
    executable(name) {
      const path = paths.get(name)
      if (!path) throw new Error(`${name} belongs to none of: ${tools.join(', ')}`)
      return path
    },
  }
}

const isComplete = (folder: string, tool: Tool) => tool.executables.every((name) => existsSync(join(folder, name)))

/** Fills a temporary folder and renames it, so that what is in the cache is always whole. */
async function fill(
  tool: Tool,
  folder: string,
  cacheFolder: string,
  options: ObtainOptions,
  source: () => Promise<BinarySource | undefined>,
): Promise<'cache' | 'source' | 'build'> {
  const progress = progressOf(options.onProgress, 'obtain', tool.name)
  mkdirSync(cacheFolder, { recursive: true })
  const waiting = (pid: number) => progress.running(`${tool.version}: process ${pid} is building it, waiting for that`)
  return withLock(`${folder}.lock`, fillAlone, waiting).catch((error: Error) => {
    progress.failed(error.message)
    throw error
  })

  async function fillAlone() {
    if (isComplete(folder, tool)) return 'cache'
    discardLeftovers(cacheFolder, tool)
    const draft = mkdtempSync(join(cacheFolder, `.${cacheFolderName(tool)}-`))
    try {
      // Temporary folders are closed to others; other users may run what is in the cache.
      chmodSync(draft, 0o755)
      const taken = await (await source())?.take(tool, draft, (detail, percent) => progress.running(detail, percent))
      if (!taken) await build(tool, draft, options, (detail, percent) => progress.running(detail, percent))
      // A folder that is there but not whole was damaged by hand.
      rmSync(folder, { recursive: true, force: true })
      renameSync(draft, folder)
      progress.done(`${tool.version}, ${taken ? 'taken from the binary source' : 'built'}`)
      return taken ? 'source' : 'build'
    } finally {
      rmSync(draft, { recursive: true, force: true })
    }
  }
}

/** What a killed build left; the caller holds the tool's lock, so nobody is writing there. */
function discardLeftovers(cacheFolder: string, tool: Tool): void {
  for (const entry of readdirSync(cacheFolder)) {
    if (entry.startsWith(`.${cacheFolderName(tool)}-`))
      rmSync(join(cacheFolder, entry), { recursive: true, force: true })
  }
}

async function build(
  tool: Tool,
  folder: string,
  { go = 'go' }: ObtainOptions,
  onProgress: (detail: string, percent?: number) => void,
): Promise<void> {
  if (!(await goVersion(go))) throw binariesUnavailable(tool)
  await goBuild({ go, tool, folder, onProgress })
}

/** The error a person sees who has no cluster, no archive and no Go. */
const binariesUnavailable = (tool: Tool) =>
  new LocalClusterError(
    'BinariesUnavailable',
    `${tool.name} ${tool.version} is neither in the cache nor in a binary source, and Go is not installed to build it.`,
    [
      'Do one of these:',
      '(1) use a cluster you have: start with --kubeconfig FILE or set QUARTERDECK_KUBECONFIG;',
      '(2) set QUARTERDECK_BINARIES to a folder, an archive or a URL that `qd local archive` of another machine has filled;',
      '(3) install Go 1.26 or newer, so that it is built here (about 10 minutes, once).',
    ].join(' '),
  )
