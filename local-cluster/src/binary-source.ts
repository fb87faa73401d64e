import { createHash } from 'node:crypto'
import { chmodSync, createReadStream, createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { get as httpGet } from 'node:http'
import { get as httpsGet } from 'node:https'
import { dirname, isAbsolute, join, normalize } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import tar from 'tar-stream'
import { LocalClusterError } from './local-cluster-error.ts'
import type { Tool } from './tool.ts'

/** A place that has finished programs. */
export interface BinarySource {
  /**
   * Puts the tool's executables into `folder`; false when the source does not have this tool.
   * Throws ChecksumMismatch, naming the file, when one is not what SHA256SUMS says.
   */
  take(tool: Tool, folder: string, onProgress: (detail: string, percent?: number) => void): Promise<boolean>
  close(): void
}

/** File name of the list of checksums in every source, in the format of sha256sum. */
export const CHECKSUMS = 'SHA256SUMS'

/** Folder of a tool within a source: tool, version and the machine it runs on. */
export const sourceFolderName = (tool: Tool): string =>
  `${tool.name}-${tool.version}-${process.platform}-${process.arch}`

/**
 * Opens a folder, a .tar or .tar.gz archive, or an http(s) base URL (of files, or of one such archive).
 * Absent means QUARTERDECK_BINARIES; undefined when neither names one. `scratchFolder` receives temporary files.
 */
export async function openBinarySource(
  location: string | undefined,
  scratchFolder: string,
): Promise<BinarySource | undefined> {
  const source = location ?? process.env.QUARTERDECK_BINARIES
  if (!source) return undefined
  const remote = /^https?:\/\//.test(source)
  if (/\.(tar|tar\.gz|tgz)$/.test(remote ? new URL(source).pathname : source)) {
    return archiveSource(source, remote ? await download(source) : createReadStream(source), scratchFolder)
  }
  const base = source.replace(/\/+$/, '')
  const open = remote
    ? (path: string) => download(`${base}/${path.split('/').map(encodeURIComponent).join('/')}`)
    : async (path: string) => createReadStream(join(source, path))
  return fileSource(open, await readAll(source, open(CHECKSUMS)), () => {})
}

type OpenFile = (path: string) => Promise<Readable>

function fileSource(open: OpenFile, checksums: string, close: () => void): BinarySource {
  const sums = new Map(
    checksums.split('\n').flatMap((line) => {
      const [, sum, path] = line.match(/^([0-9a-f]{64}) [ *](.+)$/) ?? []
      return sum && path ? [[path.replace(/^\.\//, ''), sum] as const] : []
    }),
  )
  return {
    close,
    async take(tool, folder, onProgress) {
      const paths = tool.executables.map((name) => ({ name, path: `${sourceFolderName(tool)}/${name}` }))
      if (!paths.every(({ path }) => sums.has(path))) return false
      for (const [index, { name, path }] of paths.entries()) {
        onProgress(`${tool.version}: taking ${name}`, Math.floor((100 * index) / paths.length))
        await copyChecked(path, await open(path), join(folder, name), sums.get(path) ?? '')
      }
      return true
    },
  }
}

async function copyChecked(path: string, from: Readable, to: string, expected: string): Promise<void> {
  const hash = createHash('sha256')
  await pipeline(
    from,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        hash.update(chunk)
        yield chunk
      }
    },
    createWriteStream(to),
  )
  const actual = hash.digest('hex')
  if (actual !== expected) {
    rmSync(to, { force: true })
    throw new LocalClusterError(
      'ChecksumMismatch',
      `${path} has the SHA-256 sum ${actual}, but ${CHECKSUMS} says ${expected}.`,
      'Make or download the archive again; do not use this one. QUARTERDECK_BINARIES names it.',
    )
  }
  chmodSync(to, 0o755)
}

/** Unpacks an archive into a scratch folder, then reads that. */
async function archiveSource(name: string, stream: Readable, scratchFolder: string): Promise<BinarySource> {
  mkdirSync(scratchFolder, { recursive: true })
  const folder = mkdtempSync(join(scratchFolder, '.archive-'))
  const close = () => rmSync(folder, { recursive: true, force: true })
  try {
    const extract = tar.extract()
    const packed = /gz$/.test(new URL(name, 'file:///').pathname)
    const unpacked = packed ? pipeline(stream, createGunzip(), extract) : pipeline(stream, extract)
    await Promise.all([unpacked, writeEntries(extract, folder)])
    const open: OpenFile = async (path) => createReadStream(join(folder, path))
    return fileSource(open, readFileSync(join(folder, CHECKSUMS), 'utf8'), close)
  } catch (error) {
    close()
    throw sourceUnreadable(name, error)
  }
}

/** Writes the files of an archive; entries that point out of the folder are left out. */
async function writeEntries(extract: tar.Extract, folder: string): Promise<void> {
  for await (const entry of extract) {
    const path = normalize(entry.header.name)
    if (entry.header.type !== 'file' || isAbsolute(path) || path.startsWith('..')) {
      entry.resume()
      continue
    }
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    await pipeline(entry, createWriteStream(join(folder, path)))
  }
}

const REDIRECTS = 5
const SILENT_MILLISECONDS = 60_000

// Not fetch: its parser ends the process when a server closes the connection while the reader is behind (Node 24.21).
function download(url: string, redirects = REDIRECTS): Promise<Readable> {
  const get = url.startsWith('https:') ? httpsGet : httpGet
  return new Promise((resolve, reject) => {
    const outgoing = get(url, { timeout: SILENT_MILLISECONDS }, (incoming) => {
      const { statusCode = 0, headers } = incoming
      if (statusCode === 200) return resolve(incoming)
      incoming.resume()
      if (statusCode >= 300 && statusCode < 400 && headers.location && redirects > 0) {
        return resolve(download(new URL(headers.location, url).href, redirects - 1))
      }
      reject(downloadFailed(url, `HTTP status ${statusCode}`))
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error(`silent for ${SILENT_MILLISECONDS / 1000} s`)))
    outgoing.on('error', (error) => reject(downloadFailed(url, error.message)))
  })
}

const downloadFailed = (url: string, why: string) =>
  new LocalClusterError(
    'DownloadFailed',
    `${url} could not be fetched: ${why}.`,
    `Check QUARTERDECK_BINARIES: it must be a base URL under which ${CHECKSUMS} lies, or the URL of an archive.`,
  )

async function readAll(source: string, stream: Promise<Readable>): Promise<string> {
  try {
    return Buffer.concat(await (await stream).toArray()).toString('utf8')
  } catch (error) {
    throw sourceUnreadable(source, error)
  }
}

function sourceUnreadable(source: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (error instanceof LocalClusterError || code === 'ENOSPC') return error
  return new LocalClusterError(
    'ArchiveInvalid',
    `The binary source ${source} cannot be read: ${(error as Error).message}.`,
    `Set QUARTERDECK_BINARIES to a folder or an archive that holds ${CHECKSUMS}, as \`qd local archive\` makes them.`,
    { cause: error },
  )
}
