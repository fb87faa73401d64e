import type { JsonObject } from '../object-sink.ts'

/** What takes the items of a list; nothing of what it gets may be kept. */
export interface ItemSink {
  put(object: JsonObject): void
  putProtobuf(bytes: Uint8Array, from: number, to: number): void
}

/** The list's own metadata. */
export interface ListMeta {
  /** '' where the list has none. */
  revision: string
  /** To ask for the next page with; '' on the last. */
  continue: string
  /** How many more there are, where the server says so. */
  remaining: number | undefined
}

/** Takes a list apart as it comes. Everything throws Unreadable when it is not a list. */
export interface ListDecoder {
  push(piece: Buffer): void
  /** At the end of the body. Throws Unreadable when the list is not complete. */
  end(): ListMeta
}

export const PROTOBUF = 'application/vnd.kubernetes.protobuf'
