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
