import type { StateMessage } from '../batch.ts'
import type { Lists } from '../table/read/lists.ts'
import type { Table } from '../table/table.ts'

/** How well one kind of one cluster is known. */
export type KindState = Omit<StateMessage, 'type' | 'table'>

/** A table with what is known of its clusters. */
export interface OpenTable {
  /** Another for each table, whatever reading thread it comes from. */
  readonly id: number
  readonly table: Table
  readonly lists: Lists
  readonly resource: string
  /** By cluster number; clusters that do not serve the kind are missing. */
  readonly states: Map<number, KindState>
  /** Another number whenever something in `states` changed, the time of the last sign of life aside. */
  stateVersion: number
  /** Milliseconds since 1970. */
  readonly openTime: number
  /** Up to where of the table's log the live views have been told. */
  told: number
  toldStates: number
  /** Live views have to begin anew. */
  replaced: boolean
  /** Some cluster has said something of it. */
  heard: boolean
}
