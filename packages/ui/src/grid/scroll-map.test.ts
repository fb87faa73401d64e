import { expect, test } from 'vitest'
import { contentHeight, MOST_PIXELS, sightAt, topToShow } from './scroll-map.ts'

const pods = { rows: 150_000, rowHeight: 32, viewHeight: 640 }
const huge = { rows: 2_000_000, rowHeight: 32, viewHeight: 640 }
const places = (extent: typeof pods) => {
  const furthest = contentHeight(extent) - extent.viewHeight
  return [0, 1, 31, 32, furthest / 3, furthest / 2, furthest - 1, furthest]
}

test('[SCL-02] the last of 150,000 rows stands at the end of the scroll bar, pixel for pixel', () => {
  expect(contentHeight(pods)).toBe(150_000 * 32)
  expect(sightAt(pods, 0)).toEqual({ first: 0, count: 20, shift: 0 })
  expect(sightAt(pods, 48)).toEqual({ first: 1, count: 21, shift: 0 })
  const end = sightAt(pods, contentHeight(pods) - 640)
  expect(end.first + end.count).toBe(150_000)
})

test('beyond what a browser can show, every row is still reached and the height stays within bounds', () => {
  expect(contentHeight(huge)).toBe(MOST_PIXELS)
  const end = sightAt(huge, MOST_PIXELS - 640)
  expect(end.first + end.count).toBe(2_000_000)
  const middle = sightAt(huge, (MOST_PIXELS - 640) / 2)
  expect(Math.abs(middle.first - 1_000_000)).toBeLessThan(20)
})

test('what is seen stands inside the view at every position, in both ways of scrolling', () => {
  for (const extent of [pods, huge]) {
    for (const top of places(extent)) {
      const { first, count, shift } = sightAt(extent, top)
      const y = shift + first * extent.rowHeight
      expect(y).toBeLessThanOrEqual(top + 0.01)
      expect(y + extent.rowHeight).toBeGreaterThan(top - 0.01)
      expect(shift + (first + count) * extent.rowHeight).toBeGreaterThanOrEqual(
        Math.min(top + extent.viewHeight, contentHeight(extent)) - 0.01,
      )
    }
  }
})

test('scrolling to a row shows it whole, and a row that is seen whole is left where it is', () => {
  for (const extent of [pods, huge]) {
    for (const row of [0, 7, extent.rows >> 1, extent.rows - 1]) {
      for (const from of places(extent)) {
        const top = topToShow(extent, from, row) ?? from
        const { shift } = sightAt(extent, top)
        const y = shift + row * extent.rowHeight
        expect(y).toBeGreaterThanOrEqual(top - 0.1)
        expect(y + extent.rowHeight).toBeLessThanOrEqual(top + extent.viewHeight + 0.1)
        expect(topToShow(extent, top, row)).toBeUndefined()
      }
    }
  }
})

test('fewer rows than fit are all seen', () => {
  expect(sightAt({ ...pods, rows: 3 }, 0)).toEqual({ first: 0, count: 3, shift: 0 })
  expect(sightAt({ ...pods, rows: 0 }, 500)).toEqual({ first: 0, count: 0, shift: 0 })
  expect(topToShow({ ...pods, rows: 3 }, 0, 2)).toBeUndefined()
})
