import type { JsonObject } from '../object-sink.ts'

/** etcd takes 1.5 MiB an object; JSON of it stays well below. */
export const MOST_FRAME_BYTES = 8 * 1024 * 1024

/** What an event's object is. Only true until the callback returns. */
export type FrameObject =
  | { json: JsonObject }
  /** One message of the kind. */
  | { bytes: Uint8Array; from: number; to: number }

export interface ObjectFrame {
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  revision: string
  uid: string
  name: string
  /** '' for what belongs to none. */
  namespace: string
  object: FrameObject
}
export interface BookmarkFrame {
  type: 'BOOKMARK'
  revision: string
  /** With this one a streaming list is complete. */
  initialEventsEnd: boolean
}
export interface ErrorFrame {
  type: 'ERROR'
  code: number
  message: string
  retryAfterSeconds: number | undefined
}
/** One event of a watch. */
export type Frame = ObjectFrame | BookmarkFrame | ErrorFrame

/** Takes a watch apart as it comes. `push` throws Unreadable when it is not a watch, and whatever `onFrame` throws. */
export interface FrameDecoder {
  push(piece: Buffer): void
  /** Whether the last frame is not all there. */
  cut(): boolean
}

export const INITIAL_EVENTS_END = 'k8s.io/initial-events-end'
