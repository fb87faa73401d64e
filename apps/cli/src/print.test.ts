import { expect, test } from 'vitest'
import { formatted } from './print.ts'

const items = [
  { name: 'shop', state: '', restarts: 0, labels: { a: 'b' } },
  { name: '商店', state: 'Ready', restarts: 12, labels: {} },
]

test('columns stand under their headings, in any script', () => {
  const columns = {
    name: (one: Record<string, unknown>) => one.name as string,
    lastState: (one: Record<string, unknown>) => one.state as string,
  }
  expect(formatted({ items }, 'table', columns)).toBe('NAME   LAST STATE\nshop   -\n商店   Ready\n')
})

test('without columns all scalar members are shown, and a single thing line by line', () => {
  expect(formatted(items, 'table').split('\n')[0]).toBe('NAME   STATE   RESTARTS')
  expect(formatted(items[0], 'table')).toContain('restarts:   0\n')
  expect(formatted(items[0], 'table')).toContain('labels:     {"a":"b"}')
})

test('what a name or message holds cannot drive the terminal', () => {
  const text = formatted({ message: 'a\u001b[31mred\u0007\r\nb', nested: { x: '\u009b2J' } }, 'table')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to look for
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
})

test('JSON and YAML are the whole value, and nothing is an empty list', () => {
  expect(JSON.parse(formatted({ items }, 'json'))).toEqual({ items })
  expect(formatted({ items: [] }, 'table')).toBe('')
  expect(formatted(null, 'json')).toBe('null\n')
  expect(formatted({ a: 'yes' }, 'yaml')).toBe('a: yes\n')
})
