/** What became of the connection that all live lists of a page share. */
export type LiveState = 'connecting' | 'open' | 'lost' | 'signed-out'

/** A list that is looked at: what `open` says of it, its window apart. */
export interface LiveQuery {
  resource: string
  filter?: string | undefined
  sort?: string | undefined
  columns?: string[] | undefined
}
/** Which rows of it. */
export interface LiveWindowPlace {
  offset: number
  limit: number
}

/** What comes for one list. `Frame` is a frame with rows, as the server sends it. */
export interface LiveListener<Frame> {
  frame: (frame: Frame) => void
  /** The server does not show this list: the sentence says why. `passing`: it may the next time. */
  refused: (detail: string, passing: boolean) => void
  /** The list is gone on the server: its kind is no longer served, or is another now. */
  gone: (message: string) => void
  state: (state: LiveState) => void
}

/** One list on the connection. */
export interface LiveSubscription {
  /** Looks at other rows. What comes then begins with a whole window. */
  move: (place: LiveWindowPlace) => void
  /** Asks for the list anew, after it was refused or gone. */
  again: () => void
  end: () => void
}

interface Subscriber<Frame> {
  query: LiveQuery
  place: LiveWindowPlace
  view: number | undefined
  listener: LiveListener<Frame>
}
type AnyFrame = { type: string; view: number; id: number; detail: string; pointer?: string; message: string }

/** Milliseconds until the next attempt: 0.5 s, then 1, 2, 4 and at most 8. */
const pauseBefore = (attempt: number): number => Math.min(8_000, 250 * 2 ** attempt)
/** How long the connection stays when nobody looks at anything, so that a change of page does not begin anew. */
const LINGER_MS = 3_000

/**
 * One WebSocket for all live lists of a page. It opens with the first and closes after the last. When it breaks it is
 * opened again, and every list asks anew for what it shows; a frame of a view that nobody asked for is passed over.
 */
export class LiveSocket<Frame extends { view: number }> {
  readonly #url: () => string
  readonly #subscribers = new Map<number, Subscriber<Frame>>()
  #socket: WebSocket | undefined
  #state: LiveState = 'connecting'
  #lastId = 0
  #attempt = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(url: () => string) {
    this.#url = url
  }

  /** Looks at a list until `end`. */
  open(query: LiveQuery, place: LiveWindowPlace, listener: LiveListener<Frame>): LiveSubscription {
    this.#lastId += 1
    let id = this.#lastId
    const subscriber: Subscriber<Frame> = { query, place, view: undefined, listener }
    this.#subscribers.set(id, subscriber)
    listener.state(this.#state)
    if (this.#socket) this.#ask(id, subscriber)
    else if (this.#state !== 'lost') this.#connect()
    return {
      move: (next) => {
        if (!this.#subscribers.has(id)) return
        subscriber.place = next
        this.#say({ type: 'move', id, ...next })
      },
      again: () => {
        if (!this.#subscribers.delete(id)) return
        // Under another number: the server may still hold the old one.
        if (subscriber.view !== undefined) this.#say({ type: 'close', id })
        this.#lastId += 1
        id = this.#lastId
        subscriber.view = undefined
        this.#subscribers.set(id, subscriber)
        this.#ask(id, subscriber)
      },
      end: () => {
        if (!this.#subscribers.delete(id)) return
        this.#say({ type: 'close', id })
        if (this.#subscribers.size === 0) setTimeout(() => this.#rest(), LINGER_MS)
      },
    }
  }

  /** Tries at once instead of waiting: the network has come back, or the person has signed in. */
  retry(): void {
    if (this.#socket || this.#subscribers.size === 0) return
    clearTimeout(this.#timer)
    this.#connect()
  }

  #rest(): void {
    if (this.#subscribers.size > 0) return
    clearTimeout(this.#timer)
    const socket = this.#socket
    this.#socket = undefined
    socket?.close()
    this.#attempt = 0
    this.#state = 'connecting'
  }

  #ask(id: number, { query, place }: Subscriber<Frame>): void {
    const { resource, filter, sort, columns } = query
    this.#say({ type: 'open', id, resource, filter, sort, columns, ...place })
  }

  #say(request: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(request))
  }

  #enter(state: LiveState): void {
    this.#state = state
    for (const { listener } of this.#subscribers.values()) listener.state(state)
  }

  #connect(): void {
    const socket = new WebSocket(this.#url())
    this.#socket = socket
    socket.onopen = () => {
      if (this.#socket !== socket) return
      this.#attempt = 0
      for (const [id, subscriber] of this.#subscribers) {
        subscriber.view = undefined
        this.#ask(id, subscriber)
      }
      this.#enter('open')
    }
    socket.onmessage = ({ data }) => {
      if (this.#socket === socket) this.#take(JSON.parse(String(data)))
    }
    socket.onclose = ({ code }) => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      if (code === 4401) return this.#enter('signed-out')
      this.#attempt += 1
      this.#enter('lost')
      if (this.#subscribers.size > 0) this.#timer = setTimeout(() => this.retry(), pauseBefore(this.#attempt))
    }
  }

  #take(frame: AnyFrame): void {
    if (frame.type === 'opened') {
      const subscriber = this.#subscribers.get(frame.id)
      if (subscriber) subscriber.view = frame.view
      return
    }
    if (frame.type === 'refused') {
      this.#subscribers.get(frame.id)?.listener.refused(frame.detail, frame.pointer === undefined)
      return
    }
    for (const subscriber of [...this.#subscribers.values()]) {
      if (subscriber.view !== frame.view) continue
      if (frame.type === 'gone') subscriber.listener.gone(frame.message)
      else subscriber.listener.frame(frame as unknown as Frame)
    }
  }
}
