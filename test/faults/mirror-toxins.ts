import type { Frame } from './mirror-proxy.ts'
import type { Random } from './random.ts'

/** Adds to the events of a watch what must be harmless. */
export function confused(random: Random): (frame: Frame) => Buffer[] {
  let first: Buffer | undefined
  const line = (event: object) => Buffer.from(`${JSON.stringify(event)}\n`)
  return ({ bytes, event }) => {
    const parts = [bytes]
    if (random.next() < 0.5) parts.push(bytes)
    if (!event?.object.metadata) return parts
    if (event.type === 'ADDED') first ??= bytes
    const revision = Number(event.object.metadata.resourceVersion)
    const bookmark = (at: number) =>
      line({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(at), creationTimestamp: null } } })
    if (random.next() < 0.3) parts.push(bookmark(Math.max(1, revision - 50)))
    if (random.next() < 0.1) parts.push(bookmark(revision + 3))
    if (first && random.next() < 0.3) parts.push(first)
    if (random.next() < 0.3) {
      const metadata = { ...event.object.metadata, uid: '00000000-0000-4000-8000-000000000000', name: 'never-was' }
      parts.push(line({ type: 'DELETED', object: { ...event.object, metadata } }))
    }
    return parts
  }
}

/** The event with which an API server says that a watch cannot go on, as JSON or as protobuf. */
export function goneEvent(protobuf: boolean): Buffer {
  if (!protobuf) return Buffer.from(`${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410 } })}\n`)
  // Each is shorter than 128 bytes, so that its length is one byte.
  const field = (number: number, contents: Buffer) =>
    Buffer.concat([Buffer.from([number * 8 + 2, contents.length]), contents])
  const text = (number: number, contents: string) => field(number, Buffer.from(contents))
  const status = Buffer.from([6 * 8, 0x9a, 0x03]) // code = 6: 410
  const typed = field(1, Buffer.concat([text(1, 'v1'), text(2, 'Status')]))
  const unknown = Buffer.concat([Buffer.from('k8s\0'), typed, field(2, status)])
  const event = Buffer.concat([text(1, 'ERROR'), field(2, field(1, unknown))])
  return Buffer.concat([Buffer.from([0, 0, 0, event.length]), event])
}

/** An event as nobody can read it; the last is one that is too long. */
export const SPOILED: ((bytes: Buffer) => (Buffer | 'end' | 'cut')[])[] = [
  (bytes) => [bytes.subarray(0, bytes.length / 2), 'end'],
  (bytes) => [bytes.subarray(0, bytes.length / 2), 'cut'],
  (bytes) => [Buffer.concat([bytes.subarray(0, 20), Buffer.from([0xff, 0xfe]), bytes.subarray(22)])],
  (bytes) => [Buffer.concat([bytes.subarray(0, 3), Buffer.from('?'), bytes.subarray(4)])],
  (bytes) => [Buffer.alloc(9 << 20, 0x20), bytes],
]

/** Answer of /version of a server that does not encode lists piece by piece. */
export const OLD_SERVER = { status: 200, body: JSON.stringify({ major: '1', minor: '30', gitVersion: 'v1.30.0' }) }
