import { expect, test } from 'vitest'
import { matches } from './filter.ts'

const shop = { name: 'shop', state: 'Failed', image: 'r/shop:1.9' }

test('every word of a filter must be found somewhere', () => {
  expect(matches('', shop)).toBe(true)
  expect(matches('sho 1.9', shop)).toBe(true)
  expect(matches('shop blog', shop)).toBe(false)
})

test('a member may be named, and only it is looked at then', () => {
  expect(matches('state:failed', shop)).toBe(true)
  expect(matches('state:shop', shop)).toBe(false)
})

test('a word with a colon that names no member is a word', () => {
  expect(matches('shop:1.9', shop)).toBe(true)
})
