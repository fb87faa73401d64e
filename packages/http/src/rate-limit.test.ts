import { expect, test } from 'vitest'
import { createRateLimit } from './rate-limit.ts'

test('a burst at once, then one when its time has come', () => {
  const limit = createRateLimit({ burst: 2, perSecond: 1 / 10 })
  expect([limit.take('a', 1, 0), limit.take('a', 1, 0), limit.take('a', 1, 0)]).toEqual([0, 0, 10])
  expect([limit.take('b', 1, 0), limit.take('a', 1, 10_000), limit.take('a', 1, 10_000)]).toEqual([0, 0, 10])
})

test('what is given back can be taken again, and there is never more than the burst', () => {
  const limit = createRateLimit({ burst: 2, perSecond: 1 / 10 })
  limit.take('a', 1, 0)
  for (let time = 0; time < 9; time++) limit.giveBack('a', 1, 0)
  limit.giveBack('nobody', 1, 0)
  expect([1, 2, 3].map(() => limit.take('a', 1, 0))).toEqual([0, 0, 10])
  expect([1, 2, 3].map(() => limit.take('nobody', 1, 0))).toEqual([0, 0, 10])
})
