import type { LiveWindowPlace } from './live-socket.ts'

/** Rows asked for above and below those in sight. */
const MARGIN = 60
/** When fewer than this many are left on one side, the window moves. */
const NEAR = 20

/** The window to ask for when these rows are in sight. */
export function placeAround(first: number, count: number): LiveWindowPlace {
  const offset = Math.max(0, first - MARGIN)
  return { offset, limit: Math.min(1_000, first + count + MARGIN - offset) }
}

/** Whether the window must move so that the rows in sight stay well inside it. */
export function mustMove(window: LiveWindowPlace, first: number, count: number, total: number): boolean {
  const before = window.offset > 0 && first - window.offset < NEAR
  const end = window.offset + window.limit
  const after = end < total && end - (first + count) < NEAR
  const small = window.limit < Math.min(count, total - window.offset)
  return before || after || small
}
