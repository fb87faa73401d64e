/** An object as it comes from an API server, parsed. */
export interface JsonObject {
  metadata?: Record<string, unknown>
  [field: string]: unknown
}

/**
 * Where the reading of one kind of one cluster puts what it gets. Nothing is kept of what is passed in. Every method may
 * be called again with the same: the newest resource version of a uid wins, and what is older is passed over.
 */
export interface ObjectSink {
  /** Whether `putProtobuf` understands this kind; otherwise JSON has to be asked for. */
  readonly protobuf: boolean
  /**
   * A whole list begins. What is not put until `endList` is removed by it. Called again before `endList`: it begins anew.
   * `backwards`: the server's revisions went backwards, so what is put until `endList` is taken even when it is older.
   */
  beginList(options?: { backwards?: boolean }): void
  endList(): void
  put(object: JsonObject): void
  remove(object: JsonObject): void
  /** One message of the kind itself (such as core/v1 Pod), without envelope. Throws when it is not well-formed. */
  putProtobuf(bytes: Uint8Array, from: number, to: number): void
  removeProtobuf(bytes: Uint8Array, from: number, to: number): void
  /** Objects of this cluster in the table. */
  count(): number
}
