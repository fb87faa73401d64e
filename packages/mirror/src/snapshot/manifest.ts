import { readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { DamagedFile, type FileCluster, FORMAT } from './table-file.ts'

const NAME = 'manifest.json'

/** What a snapshot consists of. */
export interface Manifest {
  format: number
  /** RFC 3339. */
  time: string
  clusters: FileCluster[]
  tables: ManifestTable[]
}

export interface ManifestTable {
  resource: string
  file: string
  bytes: number
  crc: number
  /** How far each cluster has been read: it goes on though no row changes, and the file stays as it is. */
  stood: { cluster: number; revision: number }[]
}

/**
 * Puts the manifest in the place of the one before: with this, and not earlier, the new snapshot is the one that counts.
 * It is on the disk when this resolves.
 */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const text = `${JSON.stringify(manifest)}\n`
  const beside = join(folder, `${NAME}.new`)
  const file = await open(beside, 'w', 0o600)
  try {
    await file.writeFile(text + checkOf(text))
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(beside, join(folder, NAME))
  const itself = await open(folder, 'r')
  await itself.sync().finally(() => itself.close())
}

/** Undefined when there is none. Throws DamagedFile. */
export function readManifest(folder: string): Manifest | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(join(folder, NAME))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const end = bytes.indexOf('\n') + 1
  const text = bytes.subarray(0, end).toString()
  if (end === 0 || !bytes.equals(Buffer.from(text + checkOf(text)))) throw new DamagedFile('is damaged')
  const manifest = JSON.parse(text) as Manifest
  if (manifest.format !== FORMAT) throw new DamagedFile('is of another version')
  return manifest
}

const checkOf = (text: string) => `${crc32(text).toString(16).padStart(8, '0')}\n`
