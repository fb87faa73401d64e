import type { Frame, FrameDecoder } from './frame.ts'
import { JsonFrames } from './json-frames.ts'
import { PROTOBUF } from './list.ts'
import { ProtobufFrames } from './protobuf-frames.ts'
import { Unreadable } from './unreadable.ts'

/** By the content type of the answer. */
export function frameDecoder(contentType: string, onFrame: (frame: Frame) => void): FrameDecoder {
  if (contentType.startsWith(PROTOBUF)) return new ProtobufFrames(onFrame)
  if (contentType.startsWith('application/json')) return new JsonFrames(onFrame)
  throw new Unreadable(`the answer is ${contentType || 'of no type'}, not a watch`)
}
