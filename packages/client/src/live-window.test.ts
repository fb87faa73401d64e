import { describe, expect, it } from 'vitest'
import { applyLiveFrame, type LiveWindow, type LiveWindowFrame } from './live-window.ts'

interface Row {
  id: number
  name: string
}
type Frame = LiveWindowFrame<Row, string>

const row = (id: number, name = `pod-${id}`): Row => ({ id, name })
const whole: Frame = {
  type: 'whole',
  view: 1,
  number: 4,
  page: { resource: 'pods', columns: ['name'], total: 2, offset: 0, rows: [row(1), row(2)], freshness: ['live'] },
}
const change = (more: Partial<Extract<Frame, { type: 'change' }>>): Frame => ({
  type: 'change',
  view: 1,
  number: 5,
  total: 2,
  rows: [],
  ...more,
})
const opened = applyLiveFrame<Row, string>(undefined, whole) as LiveWindow<Row, string>

describe('a live window', () => {
  it('is what a whole frame says', () => {
    expect(opened).toEqual({ view: 1, number: 4, page: whole.type === 'whole' && whole.page })
  })

  it('takes in changed rows and leaves the others the objects they were', () => {
    const next = applyLiveFrame(opened, change({ rows: [row(2, 'other')], total: 7 }))
    expect(next?.page.rows).toEqual([row(1), row(2, 'other')])
    expect(next?.page.rows[0]).toBe(opened.page.rows[0])
    expect(next?.page.total).toBe(7)
    expect(next?.page.freshness).toBe(opened.page.freshness)
    expect(opened.page.rows[1]?.name).toBe('pod-2')
  })

  it('takes rows in and out in the order told', () => {
    const next = applyLiveFrame(opened, change({ order: [3, 1], rows: [row(3)], freshness: ['stale'] }))
    expect(next?.page.rows).toEqual([row(3), row(1)])
    expect(next?.page.freshness).toEqual(['stale'])
  })

  it('keeps its rows when only the total is another', () => {
    expect(applyLiveFrame(opened, change({ total: 9 }))?.page.rows).toBe(opened.page.rows)
  })

  it('is not changed by a frame that it has taken in already', () => {
    expect(applyLiveFrame(opened, change({ number: 4, order: [] }))).toBe(opened)
  })

  it('is lost when a frame is missing, is of another view or names a row that is not known', () => {
    expect(applyLiveFrame(opened, change({ number: 6 }))).toBeUndefined()
    expect(applyLiveFrame(opened, change({ view: 2 }))).toBeUndefined()
    expect(applyLiveFrame(opened, change({ order: [1, 9] }))).toBeUndefined()
    expect(applyLiveFrame<Row, string>(undefined, change({}))).toBeUndefined()
  })
})
