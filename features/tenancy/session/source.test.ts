import { expect, test } from 'vitest'
import { beyondSources, isFrom } from './source.routes.ts'

test('an address counts within the networks that are named, in either family', () => {
  expect(isFrom([], '203.0.113.9')).toBe(true)
  expect(isFrom(['10.1.0.0/16'], '10.1.2.3')).toBe(true)
  expect(isFrom(['10.1.0.0/16'], '::ffff:10.1.2.3')).toBe(true)
  expect(isFrom(['10.1.0.0/16'], '10.2.0.1')).toBe(false)
  expect(isFrom(['10.1.2.3'], '10.1.2.4')).toBe(false)
  expect(isFrom(['2001:db8::/32'], '2001:db8:1::1')).toBe(true)
  expect(isFrom(['2001:db8::/32'], '10.1.2.3')).toBe(false)
  expect(isFrom(['0.0.0.0/0'], '::1')).toBe(false)
  expect(isFrom(['10.1.0.0/16'], 'not an address')).toBe(false)
})

test('[A41] networks of a new token lie within those of the token that makes it', () => {
  expect(beyondSources([], [])).toBeUndefined()
  expect(beyondSources(['10.1.0.0/16'], ['10.1.5.0/24', '10.1.9.9'])).toBeUndefined()
  expect(beyondSources(['10.1.0.0/16'], [])).toBe('anywhere')
  expect(beyondSources(['10.1.0.0/16'], ['10.0.0.0/8'])).toBe('10.0.0.0/8')
  expect(beyondSources(['10.1.0.0/16'], ['10.1.0.0/16', '10.2.0.0/16'])).toBe('10.2.0.0/16')
  expect(beyondSources(['10.1.0.0/16'], ['::ffff:10.1.0.0/112'])).toBe('::ffff:10.1.0.0/112')
})
