import { applyLiveFrame, type LivePage, type LiveWindow, type LiveWindowFrame } from '@quarterdeck/client'
import type { LiveQuery, LiveSocket, LiveState, LiveSubscription, LiveWindowPlace } from './live-socket.ts'
import { type Direction, mustMove, placeAround } from './window-place.ts'

/** How far to trust what is shown of one cluster. */
export interface ListFreshness {
  cluster: string
  state: 'syncing' | 'live' | 'stale' | 'unknown'
  revision: string
  ageSeconds: number
  percent?: number | undefined
  message: string
}
/** A row of a live list; its values stand in the order of the page's columns. */
export interface ListRow {
  id: number
  cluster: string
  uid: string
  revision: string
  values: (string | number | string[] | null)[]
}
/** The rows of one window, with what is known of the whole list. */
export type ListPage = LivePage<ListRow, ListFreshness>
type Frame = LiveWindowFrame<ListRow, ListFreshness>

/** What the page knows of a list at one moment; another object whenever any of it has changed. */
export interface LiveView {
  state: LiveState
  /** Undefined until the first rows have come. */
  page: ListPage | undefined
  /** Why the server does not show it; rows that are there stay. */
  refused: string | undefined
  /** When the newest frame came, milliseconds since 1970; 0 before the first. */
  frameTime: number
}

/** Windows are asked for no faster than this: each costs the server about a page. */
const BETWEEN_MS = 50
const AGAIN_MS = 2_000

/**
 * One list as it changes: keeps the window around the rows in sight. While another window is on its way the rows of the
 * last one stay, so that scrolling never empties the table.
 */
export class LiveList {
  #window: LiveWindow<ListRow, ListFreshness> | undefined
  readonly #changed: () => void
  #subscription: LiveSubscription
  #place: LiveWindowPlace
  #sight: { first: number; count: number } = { first: 0, count: 30 }
  #direction: Direction = 0
  /** A window was asked for and has not come. */
  #waiting = true
  #previous: ListPage | undefined
  #moveTime = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #view: LiveView = { state: 'connecting', page: undefined, refused: undefined, frameTime: 0 }

  /** `changed` is called after `view()` has become another. */
  constructor(socket: LiveSocket<Frame>, query: LiveQuery, changed: () => void) {
    this.#changed = changed
    this.#place = placeAround(0, this.#sight.count)
    let begun = false
    this.#subscription = socket.open(query, this.#place, {
      frame: (frame) => this.#take(frame),
      refused: (detail, passing) => this.#refused(detail, passing),
      gone: (message) => this.#refused(message, true),
      state: (state) => {
        // A new connection begins with a whole window, whatever was asked for on the old one.
        if (state === 'open') this.#waiting = true
        if (begun) this.#set({ state })
        else this.#view = { ...this.#view, state }
      },
    })
    begun = true
  }

  view = (): LiveView => this.#view

  /** The row in a place, as far as it is known. */
  rowAt = (index: number): ListRow | undefined => {
    const { page } = this.#view
    if (!page) return undefined
    if (index >= page.total) return undefined
    return page.rows[index - page.offset] ?? this.#previous?.rows[index - this.#previous.offset]
  }

  /** Told which rows are in sight. */
  show = (first: number, count: number): void => {
    this.#direction = Math.sign(first - this.#sight.first) as Direction
    this.#sight = { first, count }
    if (!this.#waiting) this.#moveIfNeeded()
  }

  end = (): void => {
    clearTimeout(this.#timer)
    this.#subscription.end()
  }

  /** What is refused for a while is asked for again; a sentence is shown only where there are no rows. */
  #refused(detail: string, passing: boolean): void {
    if (!passing || !this.#view.page) this.#set({ refused: detail })
    if (!passing) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#waiting = true
      this.#subscription.again()
    }, AGAIN_MS)
  }

  #moveIfNeeded(): void {
    const { first, count } = this.#sight
    if (count === 0 || !mustMove(this.#place, first, count, this.#view.page?.total ?? 0)) return
    this.#waiting = true
    this.#place = placeAround(first, count, this.#direction)
    const pause = this.#moveTime + BETWEEN_MS - Date.now()
    clearTimeout(this.#timer)
    if (pause <= 0) this.#move()
    else this.#timer = setTimeout(() => this.#move(), pause)
  }

  /** To where the rows in sight are now. */
  #move(): void {
    this.#moveTime = Date.now()
    this.#place = placeAround(this.#sight.first, this.#sight.count, this.#direction)
    this.#subscription.move(this.#place)
  }

  #take(frame: Frame): void {
    const before = this.#view.page
    const next = applyLiveFrame(this.#window, frame)
    if (!next) {
      // A frame is missing: the same window is asked for as a whole, unless one is on its way.
      if (!this.#waiting) this.#subscription.move(this.#place)
      this.#waiting = true
      return
    }
    if (next === this.#window) return
    this.#window = next
    const { page } = next
    if (frame.type === 'whole') {
      this.#waiting = false
      if (before && before.offset !== page.offset) this.#previous = before
    }
    this.#set({ page, refused: undefined, frameTime: Date.now() })
    if (!this.#waiting) this.#moveIfNeeded()
  }

  #set(part: Partial<LiveView>): void {
    this.#view = { ...this.#view, ...part }
    this.#changed()
  }
}
