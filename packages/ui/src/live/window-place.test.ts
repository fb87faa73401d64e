import { expect, test } from 'vitest'
import { mustMove, placeAround } from './window-place.ts'

const TOTAL = 150_000

test('a window around the rows in sight stays while one scrolls a little, and moves before its edge is seen', () => {
  const window = placeAround(1_000, 25)
  expect(window.offset).toBeLessThan(1_000)
  expect(window.offset + window.limit).toBeGreaterThan(1_025)
  expect(mustMove(window, 1_000, 25, TOTAL)).toBe(false)
  expect(mustMove(window, 1_010, 25, TOTAL)).toBe(false)
  expect(mustMove(window, window.offset + window.limit - 30, 25, TOTAL)).toBe(true)
  expect(mustMove(window, window.offset + 5, 25, TOTAL)).toBe(true)
})

test('at either end of the list there is nothing to move to', () => {
  expect(mustMove(placeAround(0, 25), 0, 25, TOTAL)).toBe(false)
  expect(mustMove(placeAround(TOTAL - 25, 25), TOTAL - 25, 25, TOTAL)).toBe(false)
  expect(mustMove(placeAround(0, 25), 0, 25, 3)).toBe(false)
})

test('every window that is asked for would not have to move at once', () => {
  for (const first of [0, 1, 30, 59, 60, 61, 99_999, TOTAL - 30]) {
    for (const direction of [-1, 0, 1] as const) {
      expect(mustMove(placeAround(first, 30, direction), first, 30, TOTAL)).toBe(false)
    }
  }
})

test('while one scrolls, most of the window lies ahead', () => {
  const down = placeAround(1_000, 25, 1)
  const up = placeAround(1_000, 25, -1)
  expect(down.offset + down.limit - 1_025).toBeGreaterThan(1_000 - down.offset)
  expect(1_000 - up.offset).toBeGreaterThan(up.offset + up.limit - 1_025)
})
