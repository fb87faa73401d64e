import type { FromReader, Restore, StateMessage } from '../batch.ts'
import { COMMON_COLUMNS, type ColumnSpec, type KindSpec } from '../kind.ts'
import type { ObjectSink } from '../worker/object-sink.ts'
import type { Kind } from './kinds/reading.ts'
import { AnnotationChoice } from './metadata.ts'
import { dropRows, TableReaders, TableSink } from './sink.ts'
import { Table } from './table.ts'
import { VersionRecorder } from './versions/version-recorder.ts'

/** What is told is collected for so long, in milliseconds. */
const FLUSH_EVERY = 50
/** A table that was replaced is given up at the latest after so long, in milliseconds; the serving thread does likewise. */
const REPLACED_AFTER = 60_000

export interface TablesOptions {
  /** Hands a message to the serving thread. */
  post(message: FromReader, transfer: ArrayBuffer[]): void
  /** Exact keys, or beginnings that end in `*`. */
  searchedAnnotations: readonly string[]
  /** Whether changes of a resource are recorded. */
  recordsVersions(resource: string): boolean
  /** Key of the digests that stand for values of Secrets. */
  digestKey: Uint8Array
  /**
   * A new table has been opened in place of the one these clusters' rows are in: for each call `sink` again and list into
   * it. The old sinks may be used until then. Never called from within another call.
   */
  readAnew(resource: string, clusters: number[]): void
}

/** The tables of all kinds that the reading thread fills. */
export interface Tables {
  /** Where one kind of one cluster is put; opens the table when there is none, or when it lacks columns of this kind. */
  sink(cluster: number, kind: Kind): ObjectSink
  /** Up to which revision the rows of a restored cluster are complete; 0: it has to be listed. To be asked after `sink`. */
  standing(cluster: number, resource: string): number
  /** Tells how well a cluster's kind is known, after all rows that were put. */
  state(cluster: number, resource: string, state: Omit<StateMessage, 'type' | 'cluster' | 'table'>): void
  /** Number of the kind's table. */
  table(resource: string): number | undefined
  /** Takes the rows of a cluster out: of one kind, or of all. */
  drop(cluster: number, resource?: string): void
  /** Takes over the rows of a snapshot. To be called before `sink`. */
  restore(message: Restore): void
  /** `recordsVersions` answers otherwise than before: what is recorded from here on is listed anew. */
  recordAnew(): void
  /** Tells what has been collected. */
  flush(): void
  /** When what has been collected is told, as performance.now; far off when there is nothing. */
  due(): number
  /** Bytes of memory, shared and own. */
  bytes(): number
  /** Tells what has been collected and ends. */
  close(): void
}

/** Tables without rows. */
export function openTables(options: TablesOptions): Tables {
  return new OpenTables(options)
}

interface Replaced {
  table: Table
  /** Clusters that have not been listed into the new one. */
  waiting: Set<number>
  time: number
}

class OpenTables implements Tables {
  readonly #options: TablesOptions
  readonly #annotations: AnnotationChoice
  readonly #current = new Map<string, TableReaders>()
  readonly #replaced = new Set<Replaced>()
  /** In which table a cluster's last sink of a resource puts, by `cluster resource`. */
  readonly #inUse = new Map<string, Table>()
  readonly #changed = new Set<Table>()
  #timer: NodeJS.Timeout | undefined
  #due = Number.POSITIVE_INFINITY
  #number = 0

  constructor(options: TablesOptions) {
    this.#options = options
    this.#annotations = new AnnotationChoice(options.searchedAnnotations)
  }

  sink(cluster: number, kind: Kind): ObjectSink {
    const { resource } = kind.spec
    let readers = this.#current.get(resource)
    const spec = readers === undefined ? kind.spec : joined(readers.table, kind.spec, cluster)
    if (readers === undefined || spec !== readers.table.spec) readers = this.#open(spec, cluster)
    const { table } = readers
    if (!table.counts.has(cluster)) table.counts.set(cluster, 0)
    this.#inUse.set(`${cluster} ${resource}`, table)
    return new TableSink(readers, cluster, kind, () => this.#listed(cluster, resource))
  }

  standing(cluster: number, resource: string): number {
    return this.#current.get(resource)?.table.stood.get(cluster) ?? 0
  }

  state(cluster: number, resource: string, state: Omit<StateMessage, 'type' | 'cluster' | 'table'>): void {
    const table = this.#inUse.get(`${cluster} ${resource}`)
    if (table === undefined) return
    this.#flushTable(table)
    this.#options.post({ type: 'state', cluster, table: table.number, ...state }, [])
  }

  table(resource: string): number | undefined {
    return this.#current.get(resource)?.table.number
  }

  drop(cluster: number, resource?: string): void {
    const replaced = [...this.#replaced].map(({ table }) => table)
    for (const table of [...[...this.#current.values()].map((readers) => readers.table), ...replaced]) {
      if (resource !== undefined && table.spec.resource !== resource) continue
      dropRows(table, cluster)
      this.#inUse.delete(`${cluster} ${table.spec.resource}`)
      this.#listed(cluster, table.spec.resource)
    }
  }

  restore(message: Restore): void {
    this.#number = Math.max(this.#number, message.table)
    this.#use(new Table({ ...this.#partsOf(message.spec), number: message.table, restore: message }))
  }

  recordAnew(): void {
    for (const { table } of [...this.#current.values()]) {
      const records = this.#options.recordsVersions(table.spec.resource)
      if (records && !table.recorder) this.#open(table.spec, undefined)
      if (!records) table.stopRecording()
    }
  }

  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#due = Number.POSITIVE_INFINITY
    for (const table of this.#changed) this.#flushTable(table)
    for (const replaced of this.#replaced) {
      if (Date.now() - replaced.time > REPLACED_AFTER) this.#giveUp(replaced)
    }
  }

  due(): number {
    return this.#due
  }

  bytes(): number {
    const current = [...this.#current.values()].map(({ table }) => table)
    const replaced = [...this.#replaced].map(({ table }) => table)
    return [...current, ...replaced].reduce((sum, table) => sum + table.memoryBytes, 0)
  }

  close(): void {
    this.flush()
    for (const { table } of this.#current.values()) table.close()
    for (const replaced of this.#replaced) this.#giveUp(replaced)
  }

  /** Opens a table in place of the current one; all clusters but `except` have to be read anew. */
  #open(spec: KindSpec, except: number | undefined): TableReaders {
    const before = this.#current.get(spec.resource)?.table
    const table = new Table({ ...this.#partsOf(spec), number: ++this.#number })
    const replaces = before === undefined ? {} : { replaces: before.number }
    this.#options.post({ type: 'kind', table: table.number, spec, ...replaces }, [])
    const readers = this.#use(table)
    if (before !== undefined) this.#replace(before, except)
    return readers
  }

  #replace(before: Table, except: number | undefined): void {
    this.#flushTable(before)
    const waiting = new Set(before.counts.keys())
    this.#replaced.add({ table: before, waiting, time: Date.now() })
    const others = [...waiting].filter((cluster) => cluster !== except)
    if (others.length > 0) queueMicrotask(() => this.#options.readAnew(before.spec.resource, others))
  }

  #use(table: Table): TableReaders {
    const readers = new TableReaders(table, this.#annotations)
    this.#current.set(table.spec.resource, readers)
    return readers
  }

  #partsOf(spec: KindSpec) {
    const { digestKey, post, recordsVersions } = this.#options
    const recorder = recordsVersions(spec.resource)
      ? new VersionRecorder(spec.resource, digestKey, (message) => post(message, []))
      : undefined
    return { spec, ...(recorder && { recorder }), changed: (table: Table, full: boolean) => this.#note(table, full) }
  }

  #note(table: Table, full: boolean): void {
    if (full) {
      this.#flushTable(table)
      return
    }
    this.#changed.add(table)
    if (this.#timer) return
    this.#timer = setTimeout(() => this.flush(), FLUSH_EVERY)
    this.#due = performance.now() + FLUSH_EVERY
  }

  #flushTable(table: Table): void {
    this.#changed.delete(table)
    const batch = table.takeBatch()
    if (batch !== undefined) this.#options.post(batch.message, batch.transfer)
    table.recorder?.flush()
    if (this.#current.get(table.spec.resource)?.table === table && table.isWasteful()) this.#open(table.spec, undefined)
  }

  /** A cluster's rows are whole in the current table, or it is not read any more. */
  #listed(cluster: number, resource: string): void {
    for (const replaced of this.#replaced) {
      const { table, waiting } = replaced
      if (table.spec.resource !== resource || this.#inUse.get(`${cluster} ${resource}`) === table) continue
      waiting.delete(cluster)
      if (waiting.size === 0) this.#giveUp(replaced)
    }
  }

  #giveUp(replaced: Replaced): void {
    replaced.table.close()
    this.#changed.delete(replaced.table)
    this.#replaced.delete(replaced)
  }
}

/**
 * The table's kind when it has all columns of this one, else one with the columns of both: clusters may have different
 * versions of a custom kind. Columns of two types become texts, so this comes to an end. A table that holds nobody else's
 * rows takes over the kind as it is.
 */
function joined(table: Table, spec: KindSpec, cluster: number): KindSpec {
  const old = table.spec
  const missing = spec.columns.filter((column) => !old.columns.some((has) => fits(has, column)))
  const alone = [...table.counts.keys()].every((other) => other === cluster)
  if (alone) return missing.length === 0 && sameKind(old, spec) ? old : spec
  if (missing.length === 0) return old
  const named = new Map([...old.columns, ...spec.columns].map((column) => [column.name, column]))
  const columns = [...named.values()].map((column): ColumnSpec => {
    const before = old.columns.find(({ name }) => name === column.name)
    const same = before === undefined || before.type === column.type
    return same || COMMON_COLUMNS.some(({ name }) => name === column.name) ? column : { ...column, type: 'text' }
  })
  return { ...spec, columns }
}

const fits = (has: ColumnSpec, column: ColumnSpec): boolean =>
  has.name === column.name && (has.type === column.type || has.type === 'text')

const sameKind = (a: KindSpec, b: KindSpec): boolean =>
  a.version === b.version && a.kind === b.kind && a.namespaced === b.namespaced && a.columns.length === b.columns.length
