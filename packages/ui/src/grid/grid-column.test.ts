import { expect, test } from 'vitest'
import { sortAfterClick, tracks } from './grid-column.ts'

const cell = () => null
const columns = [
  { name: 'name', title: 'Name', width: 200, wide: true, cell },
  { name: 'restarts', title: 'Restarts', width: 80, largestFirst: true, cell },
]

test('a heading sorts, turns round and lets go', () => {
  const name = { name: 'name' }
  const once = sortAfterClick([], name, false)
  expect(once).toEqual([{ field: 'name' }])
  const twice = sortAfterClick(once, name, false)
  expect(twice).toEqual([{ field: 'name', descending: true }])
  expect(sortAfterClick(twice, name, false)).toEqual([])
})

test('a column of numbers begins with the largest', () => {
  const restarts = { name: 'restarts', largestFirst: true }
  const once = sortAfterClick([], restarts, false)
  expect(once).toEqual([{ field: 'restarts', descending: true }])
  expect(sortAfterClick(once, restarts, false)).toEqual([{ field: 'restarts' }])
})

test('with shift the heading becomes a further key and keeps its place when it turns round', () => {
  const two = sortAfterClick([{ field: 'name' }], { name: 'status' }, true)
  expect(two).toEqual([{ field: 'name' }, { field: 'status' }])
  expect(sortAfterClick(two, { name: 'name' }, true)).toEqual([
    { field: 'name', descending: true },
    { field: 'status' },
  ])
  expect(sortAfterClick(two, { name: 'status' }, false)).toEqual([{ field: 'status', descending: true }])
})

test('the wide column takes what is left until it is given a width', () => {
  expect(tracks(columns, {}).template).toBe('36px minmax(200px, 1fr) 80px')
  expect(tracks(columns, { name: 300 }).template).toBe('36px 300px 80px minmax(0, 1fr)')
  expect(tracks(columns, { name: 300 }).least).toBe(416)
})
