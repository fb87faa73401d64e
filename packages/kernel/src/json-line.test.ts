import { expect, test } from 'vitest'
import { jsonLine } from './json-line.ts'

test('a line of JSON holds no character that ends a line or steers a terminal, and reads as what it was', () => {
  const value = { text: 'a\n\u001b[2J\u009b31m\u0085\u2028\u2029\u007f和', list: [1, null] }
  const line = jsonLine(value)
  expect(line).toMatch(/^[^\p{Cc}\u2028\u2029]+\n$/u)
  expect(line).toContain('和')
  expect(JSON.parse(line)).toEqual(value)
})
