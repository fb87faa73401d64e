import { expect, test } from 'vitest'
import { Position } from './container-reader.ts'
import { compareTime, type TimedLine } from './line-scanner.ts'
import { mergeByTime } from './merge.ts'
import { Tail } from './tail.ts'

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const item of items) found.push(item)
  return found
}

const line = (seconds: number, nanos: number, text = ''): TimedLine => ({
  seconds,
  nanos,
  time: `${seconds}.${nanos}`,
  text,
})

async function* batches(lines: TimedLine[], size: number) {
  for (let at = 0; at < lines.length; at += size) yield lines.slice(at, at + size)
}

/** The same numbers in every run. */
function numbers(seed: number) {
  let state = seed
  return (below: number) => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff
    return state % below
  }
}

test('many logs come out in the order of time, equal instants in the order of the logs', async () => {
  for (let seed = 1; seed <= 30; seed += 1) {
    const random = numbers(seed)
    const logs = Array.from({ length: random(12) }, (_, source) =>
      Array.from({ length: random(200) }, (_unused, at) => line(random(20), random(5), `${source}/${at}`)).sort(
        compareTime,
      ),
    )
    const expected = logs.flatMap((lines, source) => lines.map((each) => ({ source, line: each })))
    expected.sort((a, b) => compareTime(a.line, b.line) || a.source - b.source)
    const merged = await all(mergeByTime(logs.map((lines) => batches(lines, 1 + random(50)))))
    expect(merged).toEqual(expected)
  }
})

test('a source whose clock goes backwards keeps its own order', async () => {
  const merged = await all(mergeByTime([batches([line(5, 0, 'a'), line(1, 0, 'b')], 1), batches([line(3, 0, 'c')], 1)]))
  expect(merged.map(({ line: { text } }) => text)).toEqual(['c', 'a', 'b'])
})

test('nothing is read ahead of the reader', async () => {
  let read = 0
  async function* endless() {
    for (;;) {
      read += 1
      yield [line(read, 0)]
    }
  }
  const merged = mergeByTime([endless(), endless()])
  for (let count = 0; count < 10; count += 1) await merged.next()
  expect(read).toBeLessThanOrEqual(12)
})

test('the last lines are kept, and no more than fit', () => {
  const tail = new Tail<string>({ limit: 3, limitSize: 100, sizeOf: (text) => text.length })
  for (let count = 0; count < 5_000; count += 1) tail.push(String(count))
  expect([tail.shift(), tail.shift(), tail.shift(), tail.shift()]).toEqual(['4997', '4998', '4999', undefined])
  const large = new Tail<string>({ limit: 1_000, limitSize: 10, sizeOf: (text) => text.length })
  for (const text of ['aaaa', 'bbbb', 'cccc', 'd'.repeat(50)]) large.push(text)
  expect(large.length).toBe(1)
  expect(large.oversize).toBe(3)
  const none = new Tail<string>({ limit: 0, limitSize: 10, sizeOf: () => 1 })
  none.push('x')
  expect(none.length).toBe(0)
})

test('a log that is taken up again gives no line twice and leaves none out', () => {
  const lines = [line(1, 5), line(2, 0, 'a'), line(2, 0, 'b'), line(2, 0, 'c'), line(2, 1), line(3, 0)]
  for (let read = 1; read <= lines.length; read += 1) {
    const position = new Position()
    position.advance(lines.slice(0, read))
    const again = lines.filter(({ seconds }) => seconds >= position.seconds)
    expect(again.filter(position.rest()), String(read)).toEqual(lines.slice(read))
  }
  const position = new Position()
  position.advance([line(Date.UTC(2026, 10, 21, 1, 2, 3) / 1000, 999)])
  expect(position.sinceTime).toBe('2026-11-21T01:02:03Z')
})
