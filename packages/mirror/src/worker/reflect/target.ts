import type { RelistCause } from '../../batch.ts'
import type { ObjectSink } from '../object-sink.ts'
import type { ServedKind } from '../served-kind.ts'

/** How well one kind is known. As StateMessage. */
export interface Standing {
  state: 'syncing' | 'live' | 'stale'
  revision: number
  loaded: number
  expected: number | undefined
  message: string
  heardTime: number
}

/** What one kind of one cluster is read for. */
export interface Target {
  readonly kind: ServedKind
  /** Less comes first. */
  readonly urgency: number
  /** Asked at each new list: the table may have been replaced. */
  sink(): ObjectSink
  /** Where the rows of a snapshot stand; 0 when there are none. */
  readonly restoredRevision: number
  /** `standing` has changed. */
  onChange(): void
  /** The server's revisions went backwards: other kinds may not be able to tell. */
  onBackwards(): void
  /** The server does not know the kind (any more). */
  onUnknown(): void
  note(level: 'info' | 'warn', message: string, relist?: RelistCause): void
}

/** What a reflector does next. */
export type Step =
  | { do: 'list'; backwards: boolean; stream: boolean }
  /** The watch after a list as it begins, with the list in it. */
  | { do: 'stream'; notOlderThan: string; backwards: boolean; expected: number | undefined }
  | { do: 'watch' }
  /** After the connection was lost: is it still the same store? */
  | { do: 'probe' }
