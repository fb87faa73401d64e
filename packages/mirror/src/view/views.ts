import { type ListQuery, QueryError, type Reader, type View, type ViewListener } from '../mirror.ts'
import { DirtyRows } from './dirty-rows.ts'
import { LookingView } from './looking-view.ts'
import { SharedView, type WindowQuery } from './shared-view.ts'
import type { TableChanges, ViewSource } from './view-source.ts'

const MOST_ROWS = 1_000
/** Views between two looks at the clock. */
const LOOKED_AT_ONCE = 8

export interface ViewsOptions {
  /** Work that one tick may do before others get their turn, in milliseconds of CPU. Default 10. */
  tickMs?: number
  /** Milliseconds since 1970. Default Date.now. */
  now?: () => number
}

/**
 * Live views: windows of lists that are kept up to date. Whatever is the same for several who look – query, window and
 * rights – is worked out and encoded once. `tick` has to be called every 100 ms while `count` is above 0.
 */
export class Views {
  readonly #source: ViewSource
  readonly #tickMs: number
  readonly #now: () => number
  readonly #shared = new Map<string, SharedView>()
  readonly #looking = new Set<LookingView>()
  /** What the last tick had no time for. */
  #left: ReadonlySet<SharedView> = new Set()
  #lastId = 0

  constructor(source: ViewSource, options: ViewsOptions = {}) {
    this.#source = source
    this.#tickMs = options.tickMs ?? 10
    this.#now = options.now ?? Date.now
  }

  /** Different views; those who look at the same are one. */
  get count(): number {
    return this.#shared.size
  }

  /** Mirror.view. Throws QueryError. */
  view(query: ListQuery, reader: Reader, listener: ViewListener): View {
    const looking = new LookingView(
      {
        join: (wanted, looker) => this.#join(wanted, looker),
        leave: (looker) => this.#leave(looker),
        deliver: (looker) => this.#deliver(looker),
      },
      { ...query, offset: query.offset ?? 0, limit: query.limit ?? 50 },
      reader,
      listener,
    )
    this.#looking.add(looking)
    return looking
  }

  /**
   * Takes in what changed since the tick before, at most ten times a second, and tells all who look. To be called when
   * nothing changed too: that is when readers whose rights changed are seen. `onlyLeft`: between two ticks, tells only
   * those whom the one before had no time for; nobody else is told more often for it. Answers whether time ran out.
   */
  tick(changes: readonly TableChanges[], onlyLeft = false): boolean {
    const end = cpuMs() + this.#tickMs
    this.#seeRights(end)
    const dirtyOf = new Map(
      changes.map(({ resource, dirty, freshness }) => [resource, new DirtyRows(dirty, freshness)]),
    )
    const replaced = new Set(changes.filter((change) => change.replaced).map(({ resource }) => resource))
    const leftOver: SharedView[] = []
    const concerned: SharedView[] = []
    for (const shared of this.#shared.values()) {
      shared.forgetWhole()
      const { resource } = shared.query
      if (onlyLeft ? this.#left.has(shared) : shared.behind || shared.outdated) leftOver.push(shared)
      else if (dirtyOf.has(resource) || shared.aged) concerned.push(shared)
      if (replaced.has(resource)) shared.outdated = true
    }
    // What the tick before left over goes first, so that nobody waits for ever.
    let over = false
    const left = new Set<SharedView>()
    for (const [at, shared] of [...leftOver, ...concerned].entries()) {
      over ||= at > 0 && at % LOOKED_AT_ONCE === 0 && cpuMs() > end
      const dirty = dirtyOf.get(shared.query.resource)
      const later = onlyLeft && at >= leftOver.length
      if (over || later) shared.postpone(dirty)
      else if (shared.lookers.size > 0) this.#update(shared, dirty)
      if (over && !later) left.add(shared)
    }
    this.#left = left
    return left.size > 0
  }

  /** Mirror.readersChanged. What is too much for one tick is left to the next; until then nothing is told. */
  readersChanged(): void {
    this.#seeRights(cpuMs() + this.#tickMs)
  }

  /** Mirror.forgetReaders: opens every list anew. */
  forgetReaders(): void {
    for (const shared of this.#shared.values()) shared.outdated = true
    this.tick([])
  }

  /** Ends every view. */
  close(): void {
    for (const shared of [...this.#shared.values()]) this.#gone(shared, 'The server ends')
  }

  #update(shared: SharedView, dirty: DirtyRows | undefined): void {
    try {
      shared.update(dirty)
    } catch (error) {
      if (!(error instanceof QueryError)) throw error
      this.#gone(shared, error.message)
    }
  }

  /** Who may see something else now looks at another view from here on, and gets nothing before it does. */
  #seeRights(end: number): void {
    let rejoined = 0
    let over = false
    for (const looking of this.#looking) {
      if (looking.reader.generation === looking.shared.generation) continue
      over ||= rejoined > 0 && rejoined % LOOKED_AT_ONCE === 0 && cpuMs() > end
      if (!over) {
        rejoined += 1
        this.#rejoin(looking)
        if (looking.state === 'waiting') this.#deliver(looking)
      } else if (looking.state === 'current') looking.state = 'waiting'
    }
  }

  #rejoin(looking: LookingView): void {
    try {
      looking.rejoin()
    } catch (error) {
      if (!(error instanceof QueryError)) throw error
      looking.gone(error.message)
    }
  }

  #join(query: WindowQuery, looker: LookingView): SharedView {
    const { reader } = looker
    check(query)
    const { resource, filter, sort, columns, offset, limit } = query
    const key = JSON.stringify([resource, filter, sort, columns, offset, limit, reader.key, reader.generation])
    let shared = this.#shared.get(key)
    if (!shared) {
      shared = new SharedView({ source: this.#source, key, id: this.#lastId + 1, query, now: this.#now }, reader)
      this.#lastId += 1
      this.#shared.set(key, shared)
    }
    shared.lookers.add(looker)
    return shared
  }

  #leave(looking: LookingView): void {
    const { shared } = looking
    shared.lookers.delete(looking)
    if (looking.ended) this.#looking.delete(looking)
    if (shared.lookers.size > 0 || this.#shared.get(shared.key) !== shared) return
    this.#shared.delete(shared.key)
    shared.close()
  }

  #deliver(looking: LookingView): void {
    if (looking.reader.generation !== looking.shared.generation) this.#rejoin(looking)
    if (looking.ended) return
    try {
      looking.shared.send(looking)
    } catch (error) {
      if (!(error instanceof QueryError)) throw error
      this.#gone(looking.shared, error.message)
    }
  }

  #gone(shared: SharedView, message: string): void {
    this.#shared.delete(shared.key)
    for (const looking of this.#looking) if (looking.shared === shared) looking.gone(message)
    shared.close()
  }
}

/** CPU time of this thread: that others use the machine is no reason to do less. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

function check({ offset, limit }: WindowQuery): void {
  if (!Number.isSafeInteger(offset) || offset < 0) throw new QueryError('offset is a whole number from 0', '/offset')
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MOST_ROWS)
    throw new QueryError(`limit is a whole number from 1 to ${MOST_ROWS}`, '/limit')
}
