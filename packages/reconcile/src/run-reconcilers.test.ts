import { expect, test } from 'vitest'
import { parseHint } from './hint.ts'
import { backoffMs } from './run-reconcilers.ts'
import { WorkQueue } from './work-queue.ts'

test('pauses after failures grow from a tenth of a second to thirty seconds and are spread', () => {
  expect(backoffMs(1, 1)).toBe(100)
  expect(backoffMs(4, 1)).toBe(800)
  expect(backoffMs(50, 1)).toBe(30_000)
  expect(backoffMs(50, 0)).toBe(15_000)
})

test('a hint names a kind and a key, and the key may hold spaces', () => {
  expect(parseHint('release shop/web')).toEqual({ kind: 'release', key: 'shop/web' })
  expect(parseHint('release a b')).toEqual({ kind: 'release', key: 'a b' })
  expect(parseHint('nonsense')).toBeUndefined()
})

test('work that is planned for later is done at once when it is asked for', () => {
  const queue = new WorkQueue(() => {})
  queue.add('thing', 'a')
  const item = queue.take()
  if (!item) throw new Error('nothing was queued')
  queue.done(item, 60_000)
  expect(queue.take()).toBeUndefined()
  queue.add('thing', 'a')
  expect(queue.take()).toMatchObject({ kind: 'thing', key: 'a' })
  expect(queue.count()).toEqual({ queued: 0, running: 1, delayed: 0 })
})
