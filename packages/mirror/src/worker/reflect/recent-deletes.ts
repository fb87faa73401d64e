const MOST = 4_096

/** The last deletions of a watch: an event from before a deletion, come late or twice, must not bring the object back. */
export class RecentDeletes {
  readonly #revisions = new Map<string, number>()

  add(uid: string, revision: number): void {
    this.#revisions.delete(uid)
    this.#revisions.set(uid, revision)
    if (this.#revisions.size <= MOST) return
    for (const oldest of this.#revisions.keys()) {
      this.#revisions.delete(oldest)
      return
    }
  }

  /** Whether the object is known to have been deleted at this revision or later. */
  has(uid: string, revision: number): boolean {
    const deleted = this.#revisions.get(uid)
    return deleted !== undefined && revision <= deleted
  }

  clear(): void {
    this.#revisions.clear()
  }
}
