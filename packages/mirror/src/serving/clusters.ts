import type { ClusterMessage } from '../batch.ts'
import type { MirroredCluster } from '../mirror.ts'
import type { ClusterRanks } from '../table/order/compare.ts'

/** One cluster as the mirror knows it. */
export interface ClusterEntry {
  readonly number: number
  readonly name: string
  /** What it is read with; absent: its rows come from a snapshot and nobody has asked for it yet. */
  watched?: MirroredCluster
  /** Its rows and all of it are gone. */
  forgotten: boolean
  /** What the reading thread said last of the whole cluster. */
  heard?: ClusterMessage
}

/** Clusters by name and number. A number stands for one registration: who comes back after `forget` gets another. */
export class Clusters implements ClusterRanks {
  readonly #entries: ClusterEntry[] = []
  readonly #byName = new Map<string, ClusterEntry>()
  #ranks: number[] = []

  get count(): number {
    return this.#entries.length
  }

  name(number: number): string {
    return this.#entries[number]?.name ?? ''
  }

  rank(number: number): number {
    return this.#ranks[number] ?? 0
  }

  /** Rows of a cluster count from when it is watched until it is forgotten. */
  shown(number: number): boolean {
    const entry = this.#entries[number]
    return entry?.watched !== undefined && !entry.forgotten
  }

  /** Undefined when there is none of this number, or it has been forgotten. */
  entry(number: number): ClusterEntry | undefined {
    const entry = this.#entries[number]
    return entry?.forgotten ? undefined : entry
  }

  find(name: string): ClusterEntry | undefined {
    return this.#byName.get(name)
  }

  add(name: string): ClusterEntry {
    const entry: ClusterEntry = { number: this.#entries.length, name, forgotten: false }
    this.#entries.push(entry)
    this.#byName.set(name, entry)
    const names = [...new Set(this.#entries.map((other) => other.name))].sort((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    )
    const places = new Map(names.map((other, at) => [other, at]))
    this.#ranks = this.#entries.map((other) => places.get(other.name) ?? 0)
    return entry
  }

  forget(entry: ClusterEntry): void {
    entry.forgotten = true
    this.#byName.delete(entry.name)
  }

  /** Those that are watched, by name. */
  watched(): ClusterEntry[] {
    return [...this.#byName.values()]
      .filter((entry) => entry.watched)
      .sort((a, b) => this.rank(a.number) - this.rank(b.number))
  }

  /** Those that came from a snapshot and that nobody has asked for. */
  neverWatched(): ClusterEntry[] {
    return [...this.#byName.values()].filter((entry) => !entry.watched)
  }
}
