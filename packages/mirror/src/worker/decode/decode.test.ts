import { expect, test } from 'vitest'
import { type Encoding, type FakeObject, JSON_ENCODING, PROTOBUF_ENCODING } from '../testing/encode.ts'
import { MapSink } from '../testing/map-sink.ts'
import { type Frame, MOST_FRAME_BYTES } from './frame.ts'
import { frameDecoder } from './frame-decoder.ts'
import { listDecoder } from './list-decoder.ts'
import { Unreadable } from './unreadable.ts'

const objects: FakeObject[] = Array.from({ length: 40 }, (_, n) => ({
  uid: `uid-${n}`,
  name: `name-${n}-ü`,
  namespace: n % 3 === 0 ? '' : `space-${n % 3}`,
  revision: 100 + n,
}))
const lines = objects.map(({ namespace, name, revision }) => `${namespace}/${name} ${revision}`).sort()
const encodings = [
  ['JSON', JSON_ENCODING],
  ['protobuf', PROTOBUF_ENCODING],
] as const

function read(bytes: Buffer, { contentType }: Encoding, size: number) {
  const sink = new MapSink()
  const decoder = listDecoder(contentType, sink)
  for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, at + size))
  return { sink, meta: decoder.end() }
}

test.each(encodings)('a list in %s gives the same objects in whatever pieces it comes', (_, encoding) => {
  const bytes = encoding.list(objects, { revision: 500, continue: 'more', remaining: 7 })
  for (const size of [1, 2, 3, 7, 64, 1_000, bytes.length]) {
    const { sink, meta } = read(bytes, encoding, size)
    expect(sink.lines()).toEqual(lines)
    expect(meta).toEqual({ revision: '500', continue: 'more', remaining: 7 })
  }
})

test.each(encodings)('a list in %s that is cut off anywhere is never taken for a whole one', (_, encoding) => {
  const bytes = encoding.list(objects.slice(0, 3), { revision: 500 })
  const complete = encoding === JSON_ENCODING ? bytes.length - 1 : bytes.length // without its last newline it is whole
  // Of protobuf's envelope the last two fields are empty and may be missing.
  const whole = encoding === JSON_ENCODING ? [complete] : [complete - 4, complete - 2]
  for (let length = 0; length < complete; length++) {
    if (whole.includes(length)) continue
    expect(() => read(bytes.subarray(0, length), encoding, 50), `${length} bytes`).toThrow(Unreadable)
  }
})

test('lists in JSON may have their members in any order, white space, and no items', () => {
  const spaced = JSON.stringify(
    {
      items: [{ metadata: { uid: 'u', name: 'n', resourceVersion: '4' } }],
      metadata: { resourceVersion: '5' },
      other: [{}],
    },
    null,
    2,
  )
  const { sink, meta } = read(Buffer.from(spaced), JSON_ENCODING, 5)
  expect([sink.lines(), meta.revision]).toEqual([['/n 4'], '5'])
  for (const items of ['[]', 'null', '[ ]']) {
    expect(
      read(Buffer.from(`{"metadata":{"resourceVersion":"5"},"items":${items}}`), JSON_ENCODING, 3).sink.count(),
    ).toBe(0)
  }
})

test.each([
  ['no list', '{"kind":"Status"}'],
  ['an array', '[]'],
  ['items that are no array', '{"metadata":{},"items":{}}'],
  ['an item that is no object', '{"metadata":{},"items":[1]}'],
  ['brackets that do not match', '{"metadata":{},"items":[{}}'],
  ['no comma', '{"metadata":{},"items":[{}{}]}'],
  ['something behind', '{"metadata":{},"items":[]}x'],
  ['something behind the items', '{"metadata":{},"items":[]x}'],
  ['an item that is no JSON', '{"metadata":{},"items":[{"a":tru}]}'],
])('%s is not taken for a list in JSON', (_, text) => {
  expect(() => read(Buffer.from(text), JSON_ENCODING, 4)).toThrow(Unreadable)
})

const revisionsOf = (frames: Frame[]) =>
  frames.map((frame) => ('revision' in frame ? `${frame.type} ${frame.revision}` : frame))

test.each(encodings)('events in %s come whole in whatever pieces they come', (_, encoding) => {
  const bytes = Buffer.concat([
    ...objects.slice(0, 3).map((object) => encoding.event({ type: 'ADDED', object })),
    encoding.event({ type: 'DELETED', object: objects[0] as FakeObject }),
    encoding.event({ type: 'BOOKMARK', object: { bookmark: 900, end: true } }),
    encoding.event({ type: 'ERROR', object: { code: 410, message: 'too old' } }),
  ])
  for (const size of [1, 5, 100, bytes.length]) {
    const frames: Frame[] = []
    const decoder = frameDecoder(encoding.contentType, (frame) => frames.push(frame))
    for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, at + size))
    expect(revisionsOf(frames)).toEqual([
      'ADDED 100',
      'ADDED 101',
      'ADDED 102',
      'DELETED 100',
      'BOOKMARK 900',
      { type: 'ERROR', code: 410, message: 'too old', retryAfterSeconds: undefined },
    ])
    expect(frames[1]).toMatchObject({ uid: 'uid-1', name: 'name-1-ü', namespace: 'space-1' })
    expect(frames[4]).toMatchObject({ initialEventsEnd: true })
    expect(decoder.cut()).toBe(false)
    decoder.push(bytes.subarray(0, 3))
    expect(decoder.cut()).toBe(true)
  }
})

test.each([
  ['no JSON', Buffer.from('{"type":\n')],
  [
    'no UTF-8',
    Buffer.concat([Buffer.from('{"type":"ADDED","object":{"a":"'), Buffer.from([0xff]), Buffer.from('"}}\n')]),
  ],
  ['no object', Buffer.from('{"type":"ADDED"}\n')],
  ['no known type', Buffer.from('{"type":"MOVED","object":{"metadata":{"resourceVersion":"1"}}}\n')],
  ['no resource version', Buffer.from('{"type":"ADDED","object":{"metadata":{}}}\n')],
  ['too long', Buffer.alloc(MOST_FRAME_BYTES + 1, 0x20)],
])('an event in JSON that is %s is unreadable', (_, bytes) => {
  const decoder = frameDecoder('application/json', () => {})
  expect(() => decoder.push(bytes)).toThrow(Unreadable)
})

test('each byte of the outlines of an event in protobuf matters', () => {
  const bytes = PROTOBUF_ENCODING.event({ type: 'ADDED', object: objects[1] as FakeObject })
  for (let at = 0; at < 14; at++) {
    if (at >= 6 && at <= 10) continue // the letters of the type: another test
    const wrong = Buffer.from(bytes)
    wrong.writeUInt8((wrong.readUInt8(at) + 1) % 256, at)
    const frames: Frame[] = []
    const decoder = frameDecoder(PROTOBUF_ENCODING.contentType, (frame) => frames.push(frame))
    let failed = false
    try {
      decoder.push(wrong)
      decoder.push(bytes)
    } catch (error) {
      failed = error instanceof Unreadable
    }
    expect(failed || decoder.cut(), `byte ${at}`).toBe(true)
    expect(frames.length, `byte ${at}`).toBe(0)
  }
})
