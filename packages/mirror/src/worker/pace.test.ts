import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Pace } from './pace.ts'

const FAR = 1_000

function opened(due = () => performance.now() + FAR) {
  const rests: number[] = []
  const pace = new Pace((milliseconds) => {
    rests.push(milliseconds)
    const until = performance.now() + milliseconds
    while (performance.now() < until);
  })
  pace.begin(due)
  /** Wake-ups with so many events each, for so many milliseconds. */
  const wakeUps = async (milliseconds: number, events: number, pause = 0) => {
    const until = performance.now() + milliseconds
    while (performance.now() < until) {
      for (let n = 0; n < events; n++) pace.came()
      await turn()
      const next = performance.now() + pause
      while (performance.now() < next) await turn()
    }
  }
  return { pace, rests, wakeUps }
}

test('in a storm it rests after a wake-up, and when it is over it does not', async () => {
  const { rests, wakeUps } = opened()
  await wakeUps(300, 1)
  expect(rests.length).toBeGreaterThan(5)
  expect(Math.max(...rests)).toBeLessThanOrEqual(10)
  await wakeUps(300, 1, 50)
  rests.length = 0
  await wakeUps(300, 1, 50)
  expect(rests).toEqual([])
})

test('it never rests while somebody waits, nor when events come by the dozen or are only a part of what comes', async () => {
  const { pace, rests, wakeUps } = opened()
  const over = pace.hold()
  await wakeUps(250, 1)
  expect(rests).toEqual([])
  over()
  over()
  const answer = Promise.withResolvers<number>()
  const asked = pace.awake(() => answer.promise)
  await wakeUps(250, 1)
  expect(rests).toEqual([])
  answer.resolve(1)
  await asked
  await wakeUps(250, 64)
  expect(rests).toEqual([])
  const until = performance.now() + 250
  while (performance.now() < until) {
    pace.read(128 << 10)
    pace.came()
    await turn()
  }
  expect(rests).toEqual([])
  await wakeUps(250, 1)
  expect(rests.length).toBeGreaterThan(5)
})

test('it is awake when what it has read is due', async () => {
  const { rests, wakeUps } = opened(() => performance.now() + 6)
  await wakeUps(250, 1)
  expect(rests.length).toBeGreaterThan(5)
  expect(Math.max(...rests)).toBeLessThan(6)
  const soon = opened(() => performance.now() + 3)
  await soon.wakeUps(250, 1)
  expect(soon.rests).toEqual([])
})
