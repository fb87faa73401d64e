import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { NO_CLUSTER } from '../batch.ts'
import type { MirrorOptions } from '../mirror.ts'
import { type Manifest, type ManifestTable, readManifest, removeUnsealed, writeManifest } from './manifest.ts'
import { DamagedFile } from './sealed-file.ts'
import type { RestoredTable, SnapshotSource, SnapshotTable } from './snapshot-source.ts'
import { copyTable, type TableCopy } from './table-copy.ts'
import { type FileCluster, readTable, writeTable } from './table-file.ts'

const SUFFIX = '.table'

/** What was on the disk. Cluster numbers in the tables are those of `clusters`. */
export interface Snapshot {
  /** Milliseconds since 1970; 0 when there was none. */
  writtenTime: number
  clusters: FileCluster[]
  tables: RestoredTable[]
}

/**
 * Reads the snapshot that lies in the folder. What is damaged, sealed with another key, of another version or speaks of
 * other clusters than the manifest is passed over with a line in the log, so that these lists are read anew. Synchronous:
 * it is read before anything is served.
 */
export function readSnapshot(folder: string, key: Uint8Array, log: MirrorOptions['log']): Snapshot {
  const empty: Snapshot = { writtenTime: 0, clusters: [], tables: [] }
  let manifest: Manifest | undefined
  try {
    manifest = readManifest(folder, key)
  } catch (error) {
    log.warn({ folder, reason: (error as Error).message }, 'The snapshot is passed over: every list is read anew')
    return empty
  }
  if (!manifest) return empty
  const { clusters } = manifest
  const tables = manifest.tables.flatMap(({ resource, file, tag, stood }) => {
    try {
      const { known, ...table } = readTable(join(folder, file), key, tag)
      if (!known.every((one) => clusters.some((cluster) => same(one, cluster))))
        throw new DamagedFile('speaks of other clusters')
      return [withoutUnknown({ ...table, stood }, known)]
    } catch (error) {
      const reason = (error as Error).message
      log.warn({ resource, file, reason }, 'A file of the snapshot is passed over: this list is read anew')
      return []
    }
  })
  return { writtenTime: Date.parse(manifest.time) || 0, clusters, tables }
}

/** Rows of clusters that had been forgotten when the file was written are free. */
function withoutUnknown(table: RestoredTable, known: FileCluster[]): RestoredTable {
  const numbers = new Set(known.map(({ number }) => number))
  const clusters = table.clusters.map((number) => (numbers.has(number) ? number : NO_CLUSTER))
  return { ...table, clusters, stood: table.stood.filter(({ cluster }) => numbers.has(cluster)) }
}

const same = (one: FileCluster, other: FileCluster) =>
  one.number === other.number && one.name === other.name && one.registration === other.registration

/** Numbers of the clusters that have rows or stand somewhere. */
function clustersOf({ clusters, stood }: TableCopy): Set<number> {
  const seen = new Set(stood.map(({ cluster }) => cluster))
  let last = NO_CLUSTER
  for (const number of clusters) {
    if (number === last) continue
    last = number
    if (number !== NO_CLUSTER) seen.add(number)
  }
  return seen
}

export interface SnapshotsOptions {
  folder: string
  /** 32 bytes: everything is sealed with it. */
  key: Uint8Array
  source: SnapshotSource
  log: MirrorOptions['log']
  /** Default 30,000. */
  intervalMs?: number
}

interface Written {
  table: number
  version: number
  clusters: FileCluster[]
  entry: ManifestTable
}

/**
 * Keeps a snapshot of all tables on the disk: one file a table, written anew when it changed, and a manifest that is put
 * in place last. The serving thread is held for about a millisecond at a time.
 */
export class Snapshots {
  readonly #options: Required<SnapshotsOptions>
  #written: Written[] = []
  #writing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: SnapshotsOptions) {
    this.#options = { intervalMs: 30_000, ...options }
    this.#wait()
  }

  /** Writes what changed since the last time. Failures are logged; what was there before stays. */
  write(): Promise<void> {
    this.#writing ??= this.#write()
      .catch((error: unknown) => {
        const reason = (error as Error).message
        this.#options.log.warn({ folder: this.#options.folder, reason }, 'The snapshot could not be written')
      })
      .finally(() => {
        this.#writing = undefined
      })
    return this.#writing
  }

  /** Writes once more and ends. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#writing
    await this.write()
  }

  #wait(): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => {
      this.write().finally(() => this.#wait())
    }, this.#options.intervalMs)
    this.#timer.unref()
  }

  async #write(): Promise<void> {
    const { folder, key, source } = this.#options
    const tables = source.tables()
    if (tables.length === this.#written.length && tables.every((table) => this.#stands(table))) return
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const written: Written[] = []
    for (const table of tables) written.push(this.#unchanged(table) ?? (await this.#writeTable(table)))
    const clusters = new Map(written.flatMap((one) => one.clusters.map((cluster) => [cluster.number, cluster])))
    await writeManifest(folder, key, {
      time: new Date().toISOString(),
      clusters: [...clusters.values()],
      tables: written.map(({ entry }) => entry),
    })
    this.#written = written
    await this.#prune()
  }

  /** What is on the disk of this table, with how far it has been read by now, when no row of it changed since. */
  #unchanged(table: SnapshotTable): Written | undefined {
    const stood = table.stood()
    const written = this.#written.find(
      (one) =>
        one.table === table.table &&
        one.version === table.version() &&
        one.clusters.every((cluster) => this.#clusters([cluster.number]).some((now) => same(now, cluster))) &&
        stood.every(({ cluster }) => one.clusters.some(({ number }) => number === cluster)),
    )
    return written && { ...written, entry: { ...written.entry, stood } }
  }

  /** Nothing of the table has to be written, nor how far it has been read. */
  #stands(table: SnapshotTable): boolean {
    const now = this.#unchanged(table)
    const before = this.#written.find((one) => one.table === table.table)
    return now !== undefined && JSON.stringify(now.entry.stood) === JSON.stringify(before?.entry.stood)
  }

  /** Those of the clusters that are not forgotten. */
  #clusters(numbers: Iterable<number>): FileCluster[] {
    return [...numbers].flatMap((number) => {
      const cluster = this.#options.source.cluster(number)
      return cluster ? [{ number, name: cluster.name, registration: cluster.registration }] : []
    })
  }

  async #writeTable(table: SnapshotTable): Promise<Written> {
    const { folder, key } = this.#options
    const pause = () => turn()
    const copy = await copyTable(table, pause)
    const { version, stood } = copy
    const clusters = this.#clusters(clustersOf(copy))
    const file = `${randomUUID()}${SUFFIX}`
    const sealed = await writeTable(join(folder, file), copy, clusters, { key, pause })
    return { table: table.table, version, clusters, entry: { resource: table.spec.resource, file, ...sealed, stood } }
  }

  /** Removes files that the manifest does not name. */
  async #prune(): Promise<void> {
    const { folder } = this.#options
    await removeUnsealed(folder)
    const kept = new Set(this.#written.map(({ entry }) => entry.file))
    for (const file of await readdir(folder))
      if (file.endsWith(SUFFIX) && !kept.has(file)) await rm(join(folder, file), { force: true })
  }
}
