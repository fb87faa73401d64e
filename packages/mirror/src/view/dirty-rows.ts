/** Rows of one table that changed between two ticks. */
export class DirtyRows {
  readonly list: ArrayLike<number>
  /** What is known of some cluster changed. */
  readonly freshness: boolean
  readonly #rows: ReadonlySet<number>

  constructor(list: ArrayLike<number>, freshness: boolean) {
    const rows = new Set<number>()
    for (let index = 0; index < list.length; index += 1) rows.add(list[index] as number)
    this.list = list
    this.freshness = freshness
    this.#rows = rows
  }

  has(row: number): boolean {
    return this.#rows.has(row)
  }

  /** What changed in several times between two ticks; undefined when nothing is there. */
  static joined(before: readonly DirtyRows[], last: DirtyRows | undefined): DirtyRows | undefined {
    if (before.length === 0) return last
    const all = last ? [...before, last] : before
    const rows = new Set<number>()
    for (const { list } of all) for (let index = 0; index < list.length; index += 1) rows.add(list[index] as number)
    return new DirtyRows(
      [...rows],
      all.some(({ freshness }) => freshness),
    )
  }
}
