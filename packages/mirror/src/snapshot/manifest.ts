import { existsSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DamagedFile, readSealed, writeSealed } from './sealed-file.ts'
import type { FileCluster } from './table-file.ts'

const NAME = 'manifest.sealed'
/** Until format 2, which was not sealed. */
const UNSEALED = 'manifest.json'

/** What a snapshot consists of. */
export interface Manifest {
  /** RFC 3339. */
  time: string
  clusters: FileCluster[]
  tables: ManifestTable[]
}

export interface ManifestTable {
  resource: string
  file: string
  bytes: number
  /** Of the file: no other can be put in its place. */
  tag: string
  /** How far each cluster has been read: it goes on though no row changes, and the file stays as it is. */
  stood: { cluster: number; revision: number }[]
}

/**
 * Puts the manifest in the place of the one before: with this, and not earlier, the new snapshot is the one that counts.
 * It is on the disk when this resolves.
 */
export async function writeManifest(folder: string, key: Uint8Array, manifest: Manifest): Promise<void> {
  const beside = join(folder, `${NAME}.new`)
  await writeSealed(beside, [Buffer.from(JSON.stringify(manifest))], { key, flag: 'w', pause: async () => {} })
  await rename(beside, join(folder, NAME))
  const itself = await open(folder, 'r')
  await itself.sync().finally(() => itself.close())
}

/** Undefined when there is none. Throws DamagedFile. */
export function readManifest(folder: string, key: Uint8Array): Manifest | undefined {
  try {
    return JSON.parse(Buffer.from(readSealed(join(folder, NAME), key).buffer).toString()) as Manifest
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    if (existsSync(join(folder, UNSEALED))) throw new DamagedFile('is of another version')
    return undefined
  }
}

/** Removes the manifest of a version that did not seal. */
export const removeUnsealed = (folder: string): Promise<void> => rm(join(folder, UNSEALED), { force: true })
