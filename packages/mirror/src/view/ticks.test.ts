import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Ticks } from './ticks.ts'

let times: number[]
let rests: number[]
let ticks: Ticks
/** So many times a tick has no time for all. */
let short = 0
beforeEach(() => {
  vi.useFakeTimers()
  times = []
  rests = []
  short = 0
  ticks = new Ticks((onlyLeft) => {
    const now = performance.now() - start
    ;(onlyLeft ? rests : times).push(now)
    short -= 1
    return short >= 0
  })
})
afterEach(() => {
  ticks.end()
  vi.useRealTimers()
})
let start = 0

/** Lets time go by; something comes at these milliseconds from now. */
function come(at: number[], until: number): void {
  start = performance.now()
  times = []
  let now = 0
  for (const time of [...at, until]) {
    vi.advanceTimersByTime(time - now)
    now = time
    if (time !== until) ticks.came()
  }
}

describe('ticks', () => {
  it('go on about ten times a second while nothing comes', () => {
    come([], 1_000)
    expect(times).toHaveLength(10)
  })

  it('come with every second batch, at once', () => {
    const batches = Array.from({ length: 40 }, (_, index) => 1_000 + index * 50 + (index % 3))
    come(batches, 3_100)
    const busy = times.filter((time) => time >= 1_150 && time < 2_900)
    for (const time of busy) expect(batches.some((batch) => time >= batch && time <= batch + 1)).toBe(true)
    expect(busy.length).toBeGreaterThanOrEqual(16)
    expect(times.length).toBeLessThanOrEqual(32)
  })

  it('are told of what comes alone soon after, and never much faster than ten times a second', () => {
    come(
      Array.from({ length: 300 }, (_, index) => 1_000 + index * 7),
      3_200,
    )
    for (const [index, time] of times.entries())
      if (index > 0) expect(time - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(95)
    come([20], 500)
    expect(times.some((time) => time >= 20 && time <= 140)).toBe(true)
  })

  it('let those who were left out wait no longer than others need for their turn', () => {
    come([], 1_000)
    expect(rests).toEqual([])
    short = 2
    come([], 149)
    const [tick = 0] = times
    expect(rests).toEqual([tick + 5, tick + 10])
    short = 1_000
    come([], 1_000)
    expect(times).toHaveLength(10)
    expect(rests.length).toBeLessThanOrEqual(200)
  })

  it('end', () => {
    short = 1_000
    come([], 150)
    ticks.came()
    ticks.end()
    rests = []
    come([], 1_000)
    expect([...times, ...rests]).toEqual([])
  })
})
