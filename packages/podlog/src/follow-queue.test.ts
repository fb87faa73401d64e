import { expect, test } from 'vitest'
import { FollowQueue } from './follow-queue.ts'
import type { TimedLine } from './line-scanner.ts'

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const item of items) found.push(item)
  return found
}

const line = (seconds: number, text = String(seconds)): TimedLine => ({ seconds, nanos: 0, time: 't', text })
const textOf = (entry: { note: string } | { line: TimedLine }) =>
  'note' in entry ? `(${entry.note})` : entry.line.text

async function readAll(queue: FollowQueue<string>): Promise<string[]> {
  return (await all(queue.read())).map(textOf)
}

test('lines of several sources come in the order of time within the window, remarks after what came before', async () => {
  const queue = new FollowQueue<string>()
  await queue.push('a', [line(2), line(5)], false)
  await queue.push('b', [line(1), line(3)], false)
  queue.note('b is gone')
  await queue.push('a', [line(4)], false)
  queue.end()
  expect(await readAll(queue)).toEqual(['1', '2', '3', '5', '(b is gone)', '4'])
})

test('a reader gets lines as soon as the window has passed', async () => {
  const queue = new FollowQueue<string>({ windowMs: 1 })
  const reading = queue.read()
  await queue.push('a', [line(2)], false)
  await queue.push('b', [line(1)], false)
  expect(textOf((await reading.next()).value as { line: TimedLine })).toBe('1')
  expect(textOf((await reading.next()).value as { line: TimedLine })).toBe('2')
})

test('a full queue holds its source back until the reader has come', async () => {
  const queue = new FollowQueue<string>({ limitLines: 10, patienceMs: 60_000 })
  let pushed = false
  const pushing = queue
    .push(
      'a',
      Array.from({ length: 25 }, (_, index) => line(index)),
      true,
    )
    .then(() => {
      pushed = true
      queue.end()
    })
  await new Promise((resolve) => setImmediate(resolve))
  expect(pushed).toBe(false)
  expect(await readAll(queue)).toEqual(Array.from({ length: 25 }, (_, index) => String(index)))
  await pushing
})

test('when the reader does not come, the oldest lines are left out, counted, and the memory stays bounded', async () => {
  const queue = new FollowQueue<string>({ limitLines: 100, patienceMs: 0 })
  for (let index = 0; index < 1_000; index += 1) await queue.push('a', [line(index)], true)
  queue.end()
  const entries = await readAll(queue)
  const leftOut = Number(/^\((\d+) lines are left out/.exec(entries[0] ?? '')?.[1])
  expect(entries.length - 1).toBeLessThanOrEqual(100)
  expect(leftOut + entries.length - 1).toBe(1_000)
  expect(entries.at(-1)).toBe('999')
  expect(entries[1]).toBe(String(leftOut))
})

test('the size of the text counts as well as the number of lines', async () => {
  const queue = new FollowQueue<string>({ limitSize: 1_000, patienceMs: 0 })
  for (let index = 0; index < 50; index += 1) await queue.push('a', [line(index, 'x'.repeat(300))], true)
  queue.end()
  expect((await readAll(queue)).length).toBeLessThanOrEqual(5)
})

test('what pushes into an ended queue is not held', async () => {
  const queue = new FollowQueue<string>({ limitLines: 1, patienceMs: 60_000 })
  const pushing = queue.push('a', [line(1), line(2), line(3)], true)
  queue.end()
  await pushing
})
