import type { Reader, View, ViewListener } from '../mirror.ts'
import { goneFrame } from './frames.ts'
import type { Looker, SharedView, WindowQuery } from './shared-view.ts'

/** What one who looks asks of all the views. */
export interface Seats {
  /** Throws QueryError. */
  join(query: WindowQuery, looking: LookingView): SharedView
  leave(looking: LookingView): void
  deliver(looking: LookingView): void
}

/** One who looks at a shared view, and at another one after a move or with other rights. */
export class LookingView implements View, Looker {
  readonly reader: Reader
  readonly listener: ViewListener
  state: Looker['state'] = 'waiting'
  shared: SharedView
  ended = false
  readonly #seats: Seats
  #query: WindowQuery
  /** The last frame, while it could not be taken. */
  #farewell: Uint8Array | undefined

  /** Throws QueryError. */
  constructor(seats: Seats, query: WindowQuery, reader: Reader, listener: ViewListener) {
    this.#seats = seats
    this.#query = query
    this.reader = reader
    this.listener = listener
    this.shared = seats.join(query, this)
    this.#deliverSoon()
  }

  get id(): number {
    return this.shared.id
  }

  move(offset: number, limit: number): void {
    if (!this.ended) this.#change({ ...this.#query, offset, limit })
  }

  /** Looks at the same with the rights that the reader has now. Throws QueryError. */
  rejoin(): void {
    this.#change(this.#query)
  }

  resend(): void {
    if (this.#farewell) queueMicrotask(() => this.#tellFarewell())
    if (this.ended) return
    this.state = 'waiting'
    this.#deliverSoon()
  }

  end(): void {
    if (this.ended) return
    this.ended = true
    this.#seats.leave(this)
  }

  /** Ends it and says why: at once to a listener that could take no more too, and again when that asks for a resend. */
  gone(message: string): void {
    if (this.ended) return
    this.#farewell = goneFrame(this.id, message)
    this.end()
    this.#tellFarewell()
  }

  #tellFarewell(): void {
    if (this.#farewell && this.listener.frame(this.#farewell, this.id)) this.#farewell = undefined
  }

  #change(query: WindowQuery): void {
    const next = this.#seats.join(query, this)
    this.#query = query
    if (next !== this.shared) {
      this.#seats.leave(this)
      this.shared = next
    }
    if (this.state === 'held') return
    this.state = 'waiting'
    this.#deliverSoon()
  }

  /** After the caller has seen the id. */
  #deliverSoon(): void {
    queueMicrotask(() => {
      if (this.state === 'waiting' && !this.ended) this.#seats.deliver(this)
    })
  }
}
