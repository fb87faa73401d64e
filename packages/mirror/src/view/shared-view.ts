import type { Expression } from '../expression.ts'
import { asItIsNow, type ListQuery, type Reader, type ViewListener } from '../mirror.ts'
import { DirtyRows } from './dirty-rows.ts'
import { changeFrame, wholeFrame } from './frames.ts'
import type { LiveList, ViewSource } from './view-source.ts'
import { WindowRows } from './window-rows.ts'

/** A query with its window. */
export type WindowQuery = ListQuery & { offset: number; limit: number }

/** One who looks. `held`: gets nothing until it asks for a whole window; `waiting`: is to get one. */
export interface Looker {
  readonly reader: Reader
  readonly listener: ViewListener
  state: 'current' | 'held' | 'waiting'
}

/** Filters with ages let other rows through as time goes by. */
const AGEING_MS = 1_000

export interface SharedViewOptions {
  source: ViewSource
  key: string
  id: number
  query: WindowQuery
  /** Milliseconds since 1970. */
  now: () => number
}

/** One window of one list with one set of rights, and all who look at it: worked out and encoded once for all. */
export class SharedView {
  readonly key: string
  readonly id: number
  readonly query: WindowQuery
  readonly generation: number
  readonly lookers = new Set<Looker>()
  /** What updates that were left out would have taken in. */
  #owed: DirtyRows[] = []
  /** The table or the rights are others: at the next update the list is opened anew. */
  outdated = false
  readonly #source: ViewSource
  /** With the rights of this view, which those who look may not have any more. */
  readonly #reader: Reader
  readonly #ageing: boolean
  readonly #now: () => number
  #list: LiveList
  #rows: WindowRows
  #version: number
  #readTime: number
  /** What the last frame left with everybody. */
  #number = 1
  #shown: number[]
  #shownTotal: number
  #shownFreshness: string
  /** The whole window as it is now; made when somebody needs it. */
  #whole: Uint8Array | undefined

  /** Throws QueryError. */
  constructor({ source, key, id, query, now }: SharedViewOptions, reader: Reader) {
    this.key = key
    this.id = id
    this.query = query
    this.#reader = asItIsNow(reader)
    this.generation = this.#reader.generation
    this.#now = now
    this.#readTime = now()
    this.#source = source
    this.#ageing = query.filter !== undefined && hasAge(query.filter)
    this.#list = source.openList(query, this.#reader)
    this.#version = this.#list.version()
    this.#rows = new WindowRows(this.#list, query.offset, query.limit)
    this.#shown = this.#rows.rows()
    this.#shownTotal = this.#rows.total
    this.#shownFreshness = textOf(this.#list.freshness())
  }

  /** Whether the passing of time alone may have changed it. */
  get aged(): boolean {
    return this.#ageing && this.#now() - this.#readTime >= AGEING_MS
  }

  /** An update was left out. */
  get behind(): boolean {
    return this.#owed.length > 0
  }

  /** Leaves this update to the next one. */
  postpone(dirty: DirtyRows | undefined): void {
    this.#whole = undefined
    if (dirty) this.#owed.push(dirty)
  }

  /** Tells all what is different since the frame before. `undefined`: no row changed. Throws QueryError. */
  update(news: DirtyRows | undefined): void {
    if (this.outdated) {
      this.#reopen()
      return
    }
    const dirty = DirtyRows.joined(this.#owed, news)
    this.#owed = []
    this.#version = this.#list.version()
    const anew = dirty === undefined || this.aged
    if (anew) this.#read()
    const freshness = dirty?.freshness === true
    if (anew || this.#rows.apply(dirty.list)) this.#tell((row) => dirty?.has(row) === true, freshness)
    else if (freshness) this.#tell(() => false, true)
  }

  /** Sends the whole window as it is now. What the others do not know of it they are told too. Throws QueryError. */
  send(looker: Looker): void {
    if (this.outdated) this.#reopen()
    else if (this.behind || this.#list.version() !== this.#version) this.#catchUp()
    this.#sendWhole(looker)
  }

  close(): void {
    this.#list.close()
  }

  /** What is encoded of the whole window is not kept longer than from tick to tick: ages grow. */
  forgetWhole(): void {
    this.#whole = undefined
  }

  #read(): void {
    this.#rows.read()
    this.#readTime = this.#now()
  }

  /**
   * Between two updates. Not all rows that changed are named yet, so everything is read anew; those that changed and stay
   * where they are come with the next update.
   */
  #catchUp(): void {
    const owed = DirtyRows.joined(this.#owed, undefined)
    this.#owed = []
    this.#version = this.#list.version()
    this.#read()
    this.#tell((row) => owed?.has(row) === true, owed?.freshness === true)
  }

  /** Sends what is different from what was shown: new rows, and those that `changed` says. */
  #tell(changed: (row: number) => boolean, freshnessToo: boolean): void {
    const rows = this.#rows.rows()
    const { total } = this.#rows
    const before = this.#shown
    const moved = rows.length !== before.length || rows.some((row, index) => row !== before[index])
    const told = moved ? newsOf(rows, before, changed) : rows.filter(changed)
    const freshness = freshnessToo ? this.#list.freshness() : undefined
    const freshnessText = freshness ? textOf(freshness) : this.#shownFreshness
    const fresh = freshnessText !== this.#shownFreshness
    if (!moved && told.length === 0 && total === this.#shownTotal && !fresh) return
    this.#shown = rows
    this.#shownTotal = total
    this.#shownFreshness = freshnessText
    this.#number += 1
    this.#whole = undefined
    let frame: Uint8Array | undefined
    for (const looker of this.lookers) {
      if (looker.state !== 'current') continue
      frame ??= changeFrame({
        view: this.id,
        number: this.#number,
        total,
        order: moved ? rows : undefined,
        rows: told.map((row) => this.#list.rowJson(row)),
        freshness: fresh ? freshness : undefined,
      })
      if (!looker.listener.frame(frame, this.id)) looker.state = 'held'
    }
  }

  #sendWhole(looker: Looker): void {
    this.#whole ??= this.#encodeWhole()
    looker.state = 'current'
    if (!looker.listener.frame(this.#whole, this.id)) looker.state = 'held'
  }

  #encodeWhole(): Uint8Array {
    const freshness = this.#list.freshness()
    // Not all have been shown the same: at the next change all are told.
    if (textOf(freshness) !== this.#shownFreshness) this.#shownFreshness = ''
    return wholeFrame({
      view: this.id,
      number: this.#number,
      resource: this.#list.resource,
      columns: this.#list.columns,
      total: this.#shownTotal,
      offset: this.query.offset,
      rows: this.#shown.map((row) => this.#list.rowJson(row)),
      freshness,
    })
  }

  /** Because the table or the rights are others. Throws QueryError. */
  #reopen(): void {
    if (this.lookers.size === 0) return
    const list = this.#source.openList(this.query, this.#reader)
    this.#list.close()
    this.#list = list
    this.#version = list.version()
    this.#rows = new WindowRows(list, this.query.offset, this.query.limit)
    this.#readTime = this.#now()
    this.#owed = []
    this.outdated = false
    this.#number += 1
    this.#whole = undefined
    this.#shown = this.#rows.rows()
    this.#shownTotal = this.#rows.total
    this.#shownFreshness = textOf(this.#list.freshness())
    for (const one of this.lookers) if (one.state === 'current') this.#sendWhole(one)
  }
}

/**
 * The rows that those who were shown `before` need: changed ones, and ones that came. Rows that did not change are in the
 * same order as before, so one walk finds them; one that is not found where it should be is told again, no more.
 */
function newsOf(rows: readonly number[], before: readonly number[], changed: (row: number) => boolean): number[] {
  const news: number[] = []
  let at = 0
  for (const row of rows) {
    if (!changed(row)) {
      let found = at
      while (found < before.length && before[found] !== row) found += 1
      if (found < before.length) {
        at = found + 1
        continue
      }
    }
    news.push(row)
  }
  return news
}

/** Everything but the ages. */
const textOf = (freshness: readonly object[]): string =>
  JSON.stringify(freshness, (key, value: unknown) => (key === 'ageSeconds' ? undefined : value))

function hasAge(expression: Expression): boolean {
  if ('all' in expression) return expression.all.some(hasAge)
  if ('any' in expression) return expression.any.some(hasAge)
  if ('not' in expression) return hasAge(expression.not)
  return 'age' in expression
}
