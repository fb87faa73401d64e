import type { LiveWindowPlace } from './live-socket.ts'

/** Rows asked for on both sides of those in sight while nobody scrolls. */
const MARGIN = 60
/** Rows asked for where one scrolls to, and where one comes from. */
const AHEAD = 140
const BEHIND = 30
/** When fewer than this many are left on one side, the window moves. */
const NEAR = 25

/** Where one scrolls to: up, nowhere or down. */
export type Direction = -1 | 0 | 1

/** The window to ask for when these rows are in sight. */
export function placeAround(first: number, count: number, direction: Direction = 0): LiveWindowPlace {
  const above = direction === 0 ? MARGIN : direction < 0 ? AHEAD : BEHIND
  const below = direction === 0 ? MARGIN : direction > 0 ? AHEAD : BEHIND
  const offset = Math.max(0, first - above)
  return { offset, limit: Math.min(1_000, first + count + below - offset) }
}

/** Whether the window must move so that the rows in sight stay well inside it. */
export function mustMove(window: LiveWindowPlace, first: number, count: number, total: number): boolean {
  const before = window.offset > 0 && first - window.offset < NEAR
  const end = window.offset + window.limit
  const after = end < total && end - (first + count) < NEAR
  const small = window.limit < Math.min(count, total - window.offset)
  return before || after || small
}
