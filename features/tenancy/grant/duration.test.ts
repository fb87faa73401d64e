import { expect, test } from 'vitest'
import { durationSeconds } from './duration.rules.ts'

test('a duration is a number and a unit, and nothing else', () => {
  expect(['30m', '8h', '7d', ' 1h '].map(durationSeconds)).toEqual([1_800, 28_800, 604_800, 3_600])
  expect(['', '0h', '8', 'h', '-1h', '1.5h', '1w', '1h30m'].map(durationSeconds)).toEqual(Array(8).fill(undefined))
})
