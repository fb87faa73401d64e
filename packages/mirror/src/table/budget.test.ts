import { expect, test } from 'vitest'
import { Budget } from './budget.ts'

test('what was not used for the longest time goes first when there is too much', () => {
  const budget = new Budget(1_000)
  const made: string[] = []
  const use = (key: string) =>
    budget.use(key, () => {
      made.push(key)
      return { bytes: 300 }
    })
  for (const key of ['a', 'b', 'c', 'a', 'd', 'a', 'c', 'b']) use(key)
  expect(made).toEqual(['a', 'b', 'c', 'd', 'b'])
  expect(budget.bytes).toBeLessThanOrEqual(1_000)
})

test('all that belongs to one table can be dropped', () => {
  const budget = new Budget(1_000)
  budget.use('1/x', () => ({ bytes: 300 }))
  budget.use('2/x', () => ({ bytes: 200 }))
  budget.forget('1/')
  expect(budget.bytes).toBe(200)
})
