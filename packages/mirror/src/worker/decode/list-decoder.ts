import { JsonList } from './json-list.ts'
import { type ItemSink, type ListDecoder, PROTOBUF } from './list.ts'
import { ProtobufList } from './protobuf-list.ts'
import { Unreadable } from './unreadable.ts'

/** By the content type of the answer. */
export function listDecoder(contentType: string, sink: ItemSink): ListDecoder {
  if (contentType.startsWith(PROTOBUF)) return new ProtobufList(sink)
  if (contentType.startsWith('application/json')) return new JsonList(sink)
  throw new Unreadable(`the answer is ${contentType || 'of no type'}, not a list`)
}
