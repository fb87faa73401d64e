import { setTimeout as sleep } from 'node:timers/promises'
import type { RelistCause } from '../../batch.ts'
import { Backoff } from '../backoff.ts'
import { ConnectionLost, Refused, Silent } from '../connection/answer.ts'
import type { ErrorFrame, Frame, ObjectFrame } from '../decode/frame.ts'
import { Unreadable } from '../decode/unreadable.ts'
import type { ObjectSink } from '../object-sink.ts'
import { pace } from '../pace.ts'
import { Later, MustRelist } from './failures.ts'
import { type Known, wentBackwards } from './probe.ts'
import { type Listing, readable, readList } from './read-list.ts'
import { readWatch } from './read-watch.ts'
import { RecentDeletes } from './recent-deletes.ts'
import { revisionNumber, type Server } from './source.ts'
import type { Standing, Step, Target } from './target.ts'

const LIST: Step = { do: 'list', backwards: false, stream: true }
const TELL_EVERY = 1_000 // milliseconds; a live kind's revision and last sign of life
const FIRST_REFUSED_RETRY = 1_000 // milliseconds
const STREAM_PATIENCE = 10 // times the silence that a streaming list may have
const CALM = 60_000 // milliseconds without trouble, after which it is forgotten
const GIVE_UP_PROTOBUF = 3 // unreadable answers without calm between them

/** Keeps one kind of one cluster up to date: lists it, watches it, and lists it again whenever anything is in doubt. */
export class Reflector {
  readonly standing: Standing
  readonly #server: Server
  readonly #target: Target
  readonly #ending = new AbortController()
  readonly #backoff: Backoff
  readonly #relistBackoff: Backoff
  readonly #emptyBackoff: Backoff
  readonly #deletes = new RecentDeletes()
  #sink: ObjectSink
  /** Where a watch goes on from: the last revision that was heard of. */
  #at = ''
  /** Everything up to here was in the last list. */
  #listedTo = 0
  /** The newest revision that was ever heard of. */
  #newest = 0
  #known: Known | undefined
  #protobuf = true
  #unreadable = 0
  /** The server has sent bookmarks for this kind since a watch was silent. */
  #bookmarked = false
  #silences = 0
  #relisted = Number.NEGATIVE_INFINITY
  #emptyEnds = 0
  #refusals = 0
  #told = 0
  #doing: Step = LIST
  /** Aborted when the present step has to be given up. */
  #step = new AbortController()
  #probing = false
  #wake = new AbortController()
  /** Why the list has to be read again before anything else. */
  #anew: MustRelist | undefined

  constructor(server: Server, target: Target) {
    const { timings } = server.connection
    this.#server = server
    this.#target = target
    this.#backoff = new Backoff(timings)
    this.#relistBackoff = new Backoff(timings)
    this.#emptyBackoff = new Backoff({ firstRetry: 2 * timings.quickEnd, longestRetry: timings.longestRetry })
    this.#sink = target.sink()
    const revision = target.restoredRevision
    this.#at = revision > 0 ? String(revision) : ''
    this.#newest = this.#listedTo = revision
    this.standing = { state: 'syncing', revision, loaded: 0, expected: undefined, message: '', heardTime: 0 }
    if (revision > 0) Object.assign(this.standing, { state: 'stale', message: 'Read from the last snapshot.' })
  }

  /** Runs until `close`. Never rejects. */
  async run(): Promise<void> {
    this.#target.onChange()
    if (this.#at !== '') this.#doing = { do: 'probe' }
    while (!this.#ending.signal.aborted) {
      this.#step = new AbortController()
      const signal = AbortSignal.any([this.#step.signal, this.#ending.signal])
      try {
        if (this.#anew) throw this.#anew
        this.#doing = await this.#do(this.#doing, signal)
      } catch (error) {
        if (this.#ending.signal.aborted) return
        const why = this.#anew ?? error
        this.#anew = undefined
        this.#doing = await this.#after(why, this.#doing).catch(() => LIST)
      }
    }
  }

  close(): void {
    this.#ending.abort(new Error('closed'))
  }

  /** Lists again; what is under way is given up. */
  readAnew(cause: RelistCause, message: string): void {
    this.#anew = new MustRelist(cause, message)
    this.#step.abort(this.#anew)
    this.wake()
  }

  get closed(): boolean {
    return this.#ending.signal.aborted
  }

  /** Tries again now what was refused, instead of much later. */
  wake(): void {
    this.#wake.abort()
  }

  /** The cluster cannot be reached; what is known is stale. */
  unreachable(message: string): void {
    this.#tell({ state: 'stale', message })
  }

  #do(step: Step, signal: AbortSignal): Promise<Step> {
    switch (step.do) {
      case 'list':
        return this.#list(step, signal)
      case 'stream':
        return this.#stream(step, signal)
      case 'watch':
        return this.#watch(signal)
      case 'probe':
        return this.#probe(signal)
    }
  }

  async #list({ backwards, stream }: Extract<Step, { do: 'list' }>, signal: AbortSignal): Promise<Step> {
    this.#sink = this.#target.sink()
    if (this.#server.connection.up) this.#tell({ state: 'syncing', message: '', loaded: 0, expected: undefined })
    const listing: Listing = {
      server: this.#server,
      kind: this.#target.kind,
      sink: this.#sink,
      protobuf: this.#protobuf,
      urgency: this.#target.urgency,
      onProgress: (loaded, expected) =>
        this.#tell({ state: 'syncing', message: '', loaded, expected, heardTime: Date.now() }),
      signal,
    }
    const listed = await pace.awake(() => readList(listing, { backwards, stream }))
    if ('restAsStream' in listed) return { do: 'stream', backwards, ...listed }
    this.#listed(listed.revision, backwards)
    return { do: 'watch' }
  }

  #listed(revision: string, backwards: boolean): void {
    const number = revisionNumber(revision)
    this.#at = revision
    this.#listedTo = number
    this.#newest = backwards ? number : Math.max(this.#newest, number)
    this.#known = undefined
    this.#deletes.clear()
    this.#backoff.reset()
    const loaded = this.#sink.count()
    this.#tell({
      state: 'live',
      message: '',
      revision: number || 0,
      loaded,
      expected: undefined,
      heardTime: Date.now(),
    })
  }

  /** A list as the beginning of a watch; the same answer goes on as the watch. */
  async #stream(
    { notOlderThan, backwards, expected }: Extract<Step, { do: 'stream' }>,
    signal: AbortSignal,
  ): Promise<Step> {
    const { timings } = this.#server.connection
    const unfinished = () => new MustRelist('stream-unfinished', 'the streaming list did not come to its end')
    const patience = setTimeout(() => this.#step.abort(unfinished()), timings.streamSilence * STREAM_PATIENCE)
    let loaded = 0
    let complete = false
    const awake = pace.hold()
    this.#sink.beginList({ backwards })
    try {
      await this.#follow(
        signal,
        notOlderThan,
        () => !complete,
        (frame) => {
          if (complete) return this.#take(frame)
          if (frame.type !== 'BOOKMARK') {
            this.#put(frame)
            loaded++
            this.#tell({ state: 'syncing', loaded, expected, heardTime: Date.now() })
          } else if (frame.initialEventsEnd) {
            clearTimeout(patience)
            awake()
            complete = true
            this.#doing = { do: 'watch' }
            this.#sink.endList()
            this.#listed(frame.revision, backwards)
          }
        },
      )
      if (complete) return { do: 'watch' }
    } catch (error) {
      if (!(error instanceof Silent) || complete) throw error
    } finally {
      clearTimeout(patience)
      awake()
    }
    throw unfinished()
  }

  async #watch(signal: AbortSignal): Promise<Step> {
    const began = performance.now()
    let frames = 0
    const ended = await this.#follow(
      signal,
      this.#at,
      () => false,
      (frame) => {
        frames++
        this.#take(frame)
      },
    )
    if (ended === 'cut') return { do: 'probe' }
    const { quickEnd } = this.#server.connection.timings
    if (frames === 0 && performance.now() - began < quickEnd) return this.#afterEmpty(signal)
    this.#emptyEnds = 0
    this.#emptyBackoff.reset()
    return { do: 'watch' }
  }

  /** A watch that ends at once without a word stands for an old revision with some servers. */
  async #afterEmpty(signal: AbortSignal): Promise<Step> {
    this.#emptyEnds++
    await this.#emptyBackoff.pause(signal, this.#server.connection.timings.quickEnd)
    if (this.#emptyEnds === 1) return { do: 'watch' }
    throw new MustRelist('expired', 'the watch ends at once without a word')
  }

  #follow(
    signal: AbortSignal,
    revision: string,
    inList: () => boolean,
    onFrame: (frame: Exclude<Frame, ErrorFrame>) => void,
  ) {
    const { timings } = this.#server.connection
    return readWatch({
      server: this.#server,
      kind: this.#target.kind,
      protobuf: this.#protobuf && this.#sink.protobuf,
      revision,
      withList: inList(),
      silence: () => (inList() ? timings.streamSilence : timings.watchSilence),
      onBegin: () => {
        this.#refusals = 0
        if (!inList()) this.#tell({ state: 'live', message: '', heardTime: Date.now() })
      },
      onFrame: (frame) => {
        this.standing.heardTime = Date.now()
        pace.came()
        onFrame(frame)
      },
      signal,
    })
  }

  async #probe(signal: AbortSignal): Promise<Step> {
    const { kind } = this.#target
    if (Number.isNaN(this.#newest) || !(await wentBackwards(this.#server, kind, this.#newest, this.#known, signal))) {
      return { do: 'watch' }
    }
    this.#target.onBackwards()
    throw new MustRelist('backwards', 'the resource versions of the cluster went backwards: its store was restored')
  }

  #take(frame: Exclude<Frame, ErrorFrame>): void {
    const revision = revisionNumber(frame.revision)
    if (frame.type === 'BOOKMARK') {
      this.#bookmarked = true
      if (revision < this.#newest) this.#lookForBackwards()
    } else if (!(revision <= this.#listedTo)) {
      this.#put(frame)
      const { uid, name, namespace, type } = frame
      if (type === 'DELETED') this.#deletes.add(uid, revision)
      else if (revision >= this.#newest) this.#known = { uid, name, namespace, revision }
    }
    this.#at = frame.revision
    if (revision > this.#newest) this.#newest = revision
    this.#backoff.reset()
    const now = Date.now()
    if (frame.type === 'BOOKMARK' || now - this.#told > TELL_EVERY) {
      this.#told = now
      this.#tell({ revision: Math.max(this.standing.revision, revision || 0), loaded: this.#sink.count() })
    }
  }

  #put({ type, uid, revision, object }: ObjectFrame): void {
    const sink = this.#sink
    if (type !== 'DELETED' && this.#deletes.has(uid, revisionNumber(revision))) return
    readable(() => {
      if ('json' in object) {
        if (type === 'DELETED') sink.remove(object.json)
        else sink.put(object.json)
      } else if (type === 'DELETED') sink.removeProtobuf(object.bytes, object.from, object.to)
      else sink.putProtobuf(object.bytes, object.from, object.to)
    })
  }

  /** An older bookmark may be an old one come late; if the store went backwards, nothing else would tell. */
  #lookForBackwards(): void {
    if (this.#probing) return
    this.#probing = true
    this.#probe(AbortSignal.any([this.#step.signal, this.#ending.signal]))
      .catch((error) => {
        if (error instanceof MustRelist) this.readAnew(error.why, error.message)
      })
      .finally(() => {
        this.#probing = false
      })
  }

  async #after(error: unknown, step: Step): Promise<Step> {
    const signal = this.#ending.signal
    const { note } = this.#target
    if (error instanceof Unreadable) return this.#relist(new MustRelist('unreadable', error.message), step)
    if (error instanceof MustRelist) return this.#relist(error, step)
    if (error instanceof Silent) {
      if (step.do !== 'watch') return this.#retry(step, 'The API server has stopped in the middle of an answer.')
      this.#noteSilence(error.message)
      return { do: 'probe' }
    }
    if (error instanceof Later) {
      await this.#backoff.pause(signal, error.seconds * 1000)
      return step
    }
    if (error instanceof ConnectionLost) {
      await this.#backoff.pause(signal)
      return step.do === 'watch' ? { do: 'probe' } : fromBeginning(step)
    }
    if (error instanceof Refused) return this.#afterRefusal(error, step)
    note('warn', `reading failed: ${(error as Error).stack ?? error}`)
    return this.#retry(step, 'Reading failed for a reason that is in the log.')
  }

  /**
   * An API server sends no bookmarks for what it does not keep in its cache (events, as a rule), nor for a kind of which
   * nothing has changed since it started. Such a watch may well have nothing to say; it is begun anew to be sure.
   */
  #noteSilence(why: string): void {
    const { note } = this.#target
    if (this.#bookmarked) {
      note('warn', `${why}: the watch is begun anew`, 'silent')
      this.#tell({ state: 'stale', message: `No sign of life from the watch: ${why}.` })
    } else {
      const first = this.#silences++ === 0
      note('info', first ? `${why}, and there are no bookmarks: the watch is begun anew each time` : '', 'silent')
    }
    this.#bookmarked = false
  }

  async #afterRefusal({ status, message, retryAfterSeconds }: Refused, step: Step): Promise<Step> {
    const { timings } = this.#server.connection
    const signal = this.#ending.signal
    if (status === 410) return this.#relist(new MustRelist('expired', message), step)
    if (status === 429) {
      await this.#backoff.pause(signal, (retryAfterSeconds ?? 0) * 1000)
      return fromBeginning(step)
    }
    if (step.do === 'stream' && (status === 400 || status === 422)) {
      this.#server.streams = false
      return { do: 'list', backwards: step.backwards, stream: false }
    }
    if ((status === 406 || status === 415) && this.#protobuf) {
      this.#protobuf = false
      return fromBeginning(step)
    }
    if (status === 403 || status === 404 || status === 405) {
      if (this.#refusals++ === 0) this.#target.note('warn', message)
      this.#tell({ state: 'stale', message })
      if (status !== 403) this.#target.onUnknown()
      // At first soon: an API server that has just started does not know all rights and kinds yet.
      const pause = Math.min(timings.refusedRetry, FIRST_REFUSED_RETRY * 4 ** (this.#refusals - 1))
      await this.#nap(pause * (0.75 + Math.random() / 2))
      return fromBeginning(step)
    }
    return this.#retry(step, message, retryAfterSeconds)
  }

  async #relist({ why: cause, message }: MustRelist, step: Step): Promise<Step> {
    const backwards = cause === 'backwards' || ('backwards' in step && step.backwards)
    const stream = cause !== 'stream-unfinished' && (step.do !== 'list' || step.stream)
    const ordered = cause === 'table-replaced'
    this.#target.note(ordered ? 'info' : 'warn', `${message}; the list is read again`, cause)
    this.#tell({ state: 'syncing', message: `The list is read again: ${message}.`, loaded: 0, expected: undefined })
    if (!ordered) await this.#beforeRelist(cause)
    return { do: 'list', backwards, stream }
  }

  /** Lists that succeed do not make the pauses shorter, only a while without trouble does. */
  async #beforeRelist(cause: RelistCause): Promise<void> {
    const now = performance.now()
    if (now - this.#relisted > CALM) {
      this.#relistBackoff.reset()
      this.#unreadable = 0
    }
    this.#relisted = now
    if (cause === 'unreadable' && ++this.#unreadable >= GIVE_UP_PROTOBUF) this.#protobuf = false
    await this.#relistBackoff.pause(this.#ending.signal)
  }

  async #retry(step: Step, message: string, seconds = 0): Promise<Step> {
    this.#tell({ state: 'stale', message })
    await this.#backoff.pause(this.#ending.signal, seconds * 1000)
    return fromBeginning(step)
  }

  async #nap(milliseconds: number): Promise<void> {
    this.#wake = new AbortController()
    const signal = AbortSignal.any([this.#wake.signal, this.#ending.signal])
    await sleep(milliseconds, undefined, { signal }).catch(() => {})
  }

  #tell(change: Partial<Standing>): void {
    Object.assign(this.standing, change)
    this.#target.onChange()
  }
}

/** A list that broke off cannot be gone on with. */
const fromBeginning = (step: Step): Step =>
  step.do === 'stream' ? { do: 'list', backwards: step.backwards, stream: true } : step
