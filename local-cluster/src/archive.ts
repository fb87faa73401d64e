import { createHash } from 'node:crypto'
import {
  copyFileSync,
  createReadStream,
  createWriteStream,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import tar from 'tar-stream'
import { CHECKSUMS, sourceFolderName } from './binary-source.ts'
import { explained } from './local-cluster-error.ts'
import { type ObtainOptions, obtain } from './obtain.ts'
import { progressOf } from './progress.ts'
import { TOOL_NAMES, type ToolName, toolOf } from './tool.ts'

export interface ArchiveOptions extends ObtainOptions {
  /** Ends in .tar or .tar.gz for an archive; anything else is a folder, which a web server can offer as it is. */
  file: string
  /** Absent means all. */
  tools?: readonly ToolName[]
}

interface Entry {
  path: string
  from: string
  sha256: string
}

/**
 * Writes the programs with their SHA256SUMS, for machines that have neither Go nor a way out: QUARTERDECK_BINARIES names
 * the result there. Obtains what is not in the cache yet. Answers the paths within the archive.
 */
export async function writeArchive(options: ArchiveOptions): Promise<string[]> {
  const { tools = TOOL_NAMES, onProgress } = options
  const file = resolve(options.file)
  const binaries = await obtain(tools, options)
  const progress = progressOf(onProgress, 'obtain', 'archive')
  const entries: Entry[] = []
  try {
    for (const name of tools) {
      const tool = toolOf(name)
      for (const executable of tool.executables) {
        const from = binaries.executable(executable)
        progress.running(`adding up ${executable}`)
        entries.push({ path: `${sourceFolderName(tool)}/${executable}`, from, sha256: await sha256Of(from) })
      }
    }
    const sums = entries.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join('')
    if (/\.(tar|tar\.gz|tgz)$/.test(file)) await writeTar(file, entries, sums, progress.running)
    else writeFolder(file, entries, sums, progress.running)
    progress.done(file)
    return entries.map((entry) => entry.path)
  } catch (error) {
    progress.failed((error as Error).message)
    throw explained(error, dirname(file))
  }
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

type Tell = (detail: string, percent?: number) => void

async function writeTar(file: string, entries: readonly Entry[], sums: string, tell: Tell): Promise<void> {
  mkdirSync(dirname(file), { recursive: true })
  const draft = `${file}.${process.pid}.draft`
  const pack = tar.pack()
  const out = createWriteStream(draft)
  const written = /gz$/.test(file) ? pipeline(pack, createGzip(), out) : pipeline(pack, out)
  const fill = async () => {
    pack.entry({ name: CHECKSUMS }, sums)
    for (const [index, { path, from }] of entries.entries()) {
      tell(`writing ${path}`, Math.floor((100 * index) / entries.length))
      await new Promise<void>((done, fail) => {
        const entry = pack.entry({ name: path, mode: 0o755, size: statSync(from).size }, (error) =>
          error ? fail(error) : done(),
        )
        createReadStream(from)
          .on('error', fail)
          .pipe(entry as unknown as NodeJS.WritableStream)
      })
    }
    pack.finalize()
  }
  try {
    await Promise.all([written, fill()])
    renameSync(draft, file)
  } finally {
    rmSync(draft, { force: true })
  }
}

function writeFolder(folder: string, entries: readonly Entry[], sums: string, tell: Tell): void {
  for (const [index, { path, from }] of entries.entries()) {
    tell(`writing ${path}`, Math.floor((100 * index) / entries.length))
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    copyFileSync(from, join(folder, path))
  }
  // Last: its presence says that the rest is there.
  writeFileSync(join(folder, CHECKSUMS), sums)
}
