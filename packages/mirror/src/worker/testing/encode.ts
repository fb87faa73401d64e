/** An object as the fake API server has it. */
export interface FakeObject {
  uid: string
  name: string
  namespace: string
  revision: number
}

export interface FakeEvent {
  type: string
  object: FakeObject | { bookmark: number; end?: boolean } | { code: number; message: string }
}

/** What an API server sends, in one of its two encodings. */
export interface Encoding {
  readonly contentType: string
  list(objects: FakeObject[], meta: { revision: number; continue?: string; remaining?: number }): Buffer
  event(event: FakeEvent): Buffer
}

const metadata = ({ uid, name, namespace, revision }: FakeObject) => ({
  name,
  namespace,
  uid,
  resourceVersion: String(revision),
  annotations: { note: 'quotes " and \\ and } and ] and ü' },
})
const endAnnotation = { 'k8s.io/initial-events-end': 'true' }

export const JSON_ENCODING: Encoding = {
  contentType: 'application/json',
  list(objects, { revision, continue: next, remaining }) {
    const items = objects.map((one) => ({ metadata: metadata(one), spec: { list: [[], {}, [1, '"']] } }))
    const meta = { resourceVersion: String(revision), continue: next, remainingItemCount: remaining }
    return Buffer.from(`${JSON.stringify({ kind: 'List', apiVersion: 'v1', metadata: meta, items })}\n`)
  },
  event: ({ type, object }) => Buffer.from(`${JSON.stringify({ type, object: jsonOf(object) })}\n`),
}

function jsonOf(object: FakeEvent['object']): object {
  if ('code' in object) return { kind: 'Status', ...object }
  if (!('bookmark' in object)) return { metadata: metadata(object), spec: { text: 'line\nbreak' } }
  return {
    metadata: { resourceVersion: String(object.bookmark), ...(object.end ? { annotations: endAnnotation } : {}) },
  }
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let left = value
  for (; left > 0x7f; left = Math.floor(left / 128)) bytes.push((left % 128) | 0x80)
  return [...bytes, left]
}
const part = (number: number, contents: Buffer | string) => {
  const bytes = Buffer.from(contents as string)
  return Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(bytes.length)]), bytes])
}
const count = (number: number, value: number) => Buffer.from([...varint(number * 8), ...varint(value)])
const unknown = (kind: string, raw: Buffer) =>
  Buffer.concat([
    Buffer.from('k8s\0'),
    part(1, Buffer.concat([part(1, 'v1'), part(2, kind)])),
    part(2, raw),
    part(3, ''),
    part(4, ''),
  ])

function protobufMeta(fields: { [number: number]: string }, annotations: Record<string, string> = {}): Buffer {
  const texts = Object.entries(fields).map(([number, text]) => part(Number(number), text))
  const pairs = Object.entries(annotations).map(([key, value]) =>
    part(12, Buffer.concat([part(1, key), part(2, value)])),
  )
  return Buffer.concat([...texts, ...pairs])
}

const protobufObject = ({ uid, name, namespace, revision }: FakeObject) =>
  Buffer.concat([
    part(1, protobufMeta({ 1: name, 3: namespace, 5: uid, 6: String(revision) }, { note: 'ü' })),
    part(2, part(1, 'spec that nobody reads')),
    count(3, 300),
  ])

export const PROTOBUF_ENCODING: Encoding = {
  contentType: 'application/vnd.kubernetes.protobuf',
  list(objects, { revision, continue: next = '', remaining }) {
    const meta = Buffer.concat([
      part(2, String(revision)),
      part(3, next),
      ...(remaining === undefined ? [] : [count(4, remaining)]),
    ])
    return unknown('List', Buffer.concat([part(1, meta), ...objects.map((one) => part(2, protobufObject(one)))]))
  },
  event({ type, object }) {
    const raw = unknown('Thing', rawOf(object))
    const event = Buffer.concat([part(1, type), part(2, part(1, raw))])
    const length = Buffer.alloc(4)
    length.writeUInt32BE(event.length)
    return Buffer.concat([length, event])
  },
}

function rawOf(object: FakeEvent['object']): Buffer {
  if ('code' in object) return Buffer.concat([part(3, object.message), count(6, object.code)])
  if (!('bookmark' in object)) return protobufObject(object)
  return part(1, protobufMeta({ 6: String(object.bookmark) }, object.end ? endAnnotation : {}))
}
