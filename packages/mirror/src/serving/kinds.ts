import type { BatchMessage, DroppedMessage, KindMessage, StateMessage } from '../batch.ts'
import type { KindSpec } from '../kind.ts'
import type { RestoredTable } from '../snapshot/snapshot-source.ts'
import { Budget } from '../table/budget.ts'
import { Lists } from '../table/read/lists.ts'
import { Table } from '../table/table.ts'
import type { TableChanges } from '../view/view-source.ts'
import type { Clusters } from './clusters.ts'
import { drainChanges } from './dirty-rows.ts'
import type { KindState, OpenTable } from './open-table.ts'

/** A table that takes another's place does so after this long, whatever clusters are missing in it. */
const REPLACE_MS = 60_000
/** For bitmaps, orders and rows as JSON of all tables together. */
const BUDGET_BYTES = 48 * 2 ** 20

/** The tables of all kinds. A kind has one that is read from, and perhaps one that is being filled to take its place. */
export class Kinds {
  readonly #clusters: Clusters
  readonly #now: () => number
  readonly budget = new Budget(BUDGET_BYTES)
  readonly #byNumber = new Map<number, OpenTable>()
  readonly #current = new Map<string, OpenTable>()
  readonly #coming = new Map<string, OpenTable>()
  #opened = 0

  /** `now`: milliseconds since 1970. */
  constructor(clusters: Clusters, now: () => number) {
    this.#clusters = clusters
    this.#now = now
  }

  /** Those that some cluster serves. */
  served(): OpenTable[] {
    return [...this.#current.values()].filter(isServed)
  }

  /** Undefined when no cluster serves it. */
  find(resource: string): OpenTable | undefined {
    const open = this.#current.get(resource)
    return open && isServed(open) ? open : undefined
  }

  /** Those that the reading thread knows by their number and that are read from. */
  restorable(): OpenTable[] {
    return this.served().filter((open) => this.#byNumber.get(open.table.number) === open)
  }

  all(): OpenTable[] {
    return [...this.#byNumber.values()]
  }

  #make(number: number, spec: KindSpec): OpenTable {
    this.#opened += 1
    const table = new Table(number, spec, (cluster) => this.#clusters.shown(cluster))
    const seconds = () => Math.floor(this.#now() / 1000)
    const open: OpenTable = {
      id: this.#opened,
      table,
      lists: new Lists(table, this.#clusters, this.budget, seconds, `${this.#opened}/`),
      resource: spec.resource,
      states: new Map(),
      stateVersion: 0,
      openTime: this.#now(),
      told: 0,
      toldStates: 0,
      replaced: true,
      heard: false,
    }
    this.#byNumber.set(number, open)
    return open
  }

  open(message: KindMessage): void {
    const open = this.#make(message.table, message.spec)
    if (this.#current.has(open.resource)) {
      this.#end(this.#coming.get(open.resource))
      this.#coming.set(open.resource, open)
    } else this.#current.set(open.resource, open)
  }

  #end(open: OpenTable | undefined): void {
    if (!open) return
    open.lists.end()
    if (this.#byNumber.get(open.table.number) === open) this.#byNumber.delete(open.table.number)
  }

  /** Answers how many rows were written or removed. */
  apply(batch: BatchMessage): number {
    this.#byNumber.get(batch.table)?.table.apply(batch)
    return batch.rows.length + batch.removed.length
  }

  state(message: StateMessage): void {
    const open = this.#byNumber.get(message.table)
    if (!open || !this.#clusters.entry(message.cluster)) return
    const before = open.states.get(message.cluster)
    open.states.set(message.cluster, message)
    open.heard = true
    if (!before || differs(before, message)) open.stateVersion += 1
    this.settle()
  }

  dropped(message: DroppedMessage): void {
    const open = this.#byNumber.get(message.table)
    if (!open?.states.delete(message.cluster)) return
    open.stateVersion += 1
    if (!isServed(open)) open.replaced = true
    this.settle()
  }

  /** The cluster's rows come or go, as `Clusters.shown` says now. */
  showAgain(cluster: number): void {
    for (const open of this.all()) {
      open.table.showAgain(cluster)
      open.stateVersion += 1
    }
  }

  forget(cluster: number): void {
    for (const open of this.all()) {
      open.table.showAgain(cluster)
      open.stateVersion += 1
      if (open.states.delete(cluster) && !isServed(open)) open.replaced = true
    }
  }

  /** Tables that are complete take the place of the ones before. */
  settle(): void {
    for (const [resource, coming] of this.#coming) {
      const present = this.#current.get(resource)
      const missing = [...(present?.states.keys() ?? [])].filter((cluster) => !complete(coming, cluster))
      if (missing.length > 0 && this.#now() - coming.openTime < REPLACE_MS) continue
      this.#coming.delete(resource)
      this.#end(present)
      coming.replaced = true
      this.#current.set(resource, coming)
    }
  }

  /** Tables as a snapshot has them; answers them by number. Their states are stale until the reading thread is heard. */
  restore(tables: readonly RestoredTable[], heardTime: number): OpenTable[] {
    return tables.map((restored, number) => {
      const open = this.#make(number, restored.spec)
      open.table.restore(restored)
      for (const { cluster, revision } of restored.stood) {
        const message = 'Read from the snapshot; the cluster has not been heard of since the start'
        open.states.set(cluster, { cluster, state: 'stale', revision, loaded: 0, message, heardTime })
      }
      open.heard = true
      this.#current.set(open.resource, open)
      return open
    })
  }

  /**
   * The reading thread has ended: what there is stays readable. `keepNumbers`: the next one goes on with the tables;
   * else it opens others.
   */
  readerEnded(message: string, keepNumbers: boolean): void {
    for (const coming of this.#coming.values()) this.#end(coming)
    this.#coming.clear()
    if (!keepNumbers) this.#byNumber.clear()
    for (const open of this.#current.values()) {
      open.stateVersion += 1
      for (const [cluster, state] of open.states) open.states.set(cluster, { ...state, state: 'stale', message })
    }
  }

  /** What happened to each kind since the call before. */
  changes(): TableChanges[] {
    return [...this.#current.values()].map(drainChanges).filter((changes) => changes !== undefined)
  }
}

/** Clusters serve it, or it has just been opened. */
const isServed = (open: OpenTable): boolean => open.states.size > 0 || !open.heard

const complete = (open: OpenTable, cluster: number): boolean => (open.states.get(cluster)?.revision ?? 0) > 0

const differs = (a: KindState, b: KindState): boolean =>
  a.state !== b.state ||
  a.revision !== b.revision ||
  a.loaded !== b.loaded ||
  a.expected !== b.expected ||
  a.message !== b.message
