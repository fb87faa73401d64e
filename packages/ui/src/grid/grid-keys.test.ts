import { expect, test } from 'vitest'
import { gridKey } from './grid-keys.ts'

const none = { shiftKey: false, ctrlKey: false, metaKey: false, altKey: false }

test('letters and arrows move alike, shift extends what is picked', () => {
  expect(gridKey({ ...none, key: 'j' })).toEqual(gridKey({ ...none, key: 'ArrowDown' }))
  expect(gridKey({ ...none, key: 'k' })).toEqual({ type: 'step', by: -1, extend: false })
  expect(gridKey({ ...none, key: 'J', shiftKey: true })).toEqual({ type: 'step', by: 1, extend: true })
  expect(gridKey({ ...none, key: 'PageUp' })).toEqual({ type: 'page', by: -1, extend: false })
})

test('keys with a modifier belong to the browser', () => {
  expect(gridKey({ ...none, key: 'j', ctrlKey: true })).toBeUndefined()
  expect(gridKey({ ...none, key: 'ArrowDown', altKey: true })).toBeUndefined()
  expect(gridKey({ ...none, key: 'q' })).toBeUndefined()
})
