/** Browsers cut elements off at about 17.8 million pixels (Firefox); beyond this the scroll bar stands for shares. */
export const MOST_PIXELS = 15_000_000

/** How many rows there are, how high each is, and how high the box that they are seen through. All but `rows` in pixels. */
export interface Extent {
  rows: number
  rowHeight: number
  viewHeight: number
}

/** What is seen at a position of the scroll bar. */
export interface Sight {
  /** The first row that is seen, at least in part. */
  first: number
  /** How many rows from there are seen, at least in part. */
  count: number
  /** Row i stands at `shift + i × rowHeight` from the top of the content. 0 as long as all rows fit. */
  shift: number
}

/** Height of the content that scrolls. */
export const contentHeight = ({ rows, rowHeight, viewHeight }: Extent): number =>
  Math.min(rows * rowHeight, Math.max(MOST_PIXELS, viewHeight))

/** How many rows fit into the view, in parts. */
const shownRows = ({ rowHeight, viewHeight }: Extent): number => viewHeight / rowHeight

/** What is seen when the content is scrolled to `top`. */
export function sightAt(extent: Extent, top: number): Sight {
  const { rows, rowHeight, viewHeight } = extent
  const height = contentHeight(extent)
  const furthest = Math.max(0, height - viewHeight)
  const at = Math.min(Math.max(0, top), furthest)
  // Where all rows fit, one pixel is one pixel; else the share of the bar is the share of the rows.
  const whole = rows * rowHeight === height
  const firstExact = whole ? at / rowHeight : furthest === 0 ? 0 : (at / furthest) * (rows - shownRows(extent))
  const first = Math.max(0, Math.min(rows, Math.floor(firstExact)))
  const last = Math.min(rows, Math.ceil(firstExact + shownRows(extent)))
  return { first, count: Math.max(0, last - first), shift: whole ? 0 : at - firstExact * rowHeight }
}

/** Where to scroll so that a row is seen, `undefined` when it is seen whole already. */
export function topToShow(extent: Extent, top: number, row: number): number | undefined {
  const { rows, rowHeight, viewHeight } = extent
  const height = contentHeight(extent)
  const furthest = Math.max(0, height - viewHeight)
  const whole = rows * rowHeight === height
  const topOf = (first: number) =>
    whole ? first * rowHeight : (first / Math.max(1, rows - shownRows(extent))) * furthest
  const firstExact = whole
    ? top / rowHeight
    : furthest === 0
      ? 0
      : (Math.min(top, furthest) / furthest) * (rows - shownRows(extent))
  if (row < firstExact) return Math.max(0, topOf(row))
  const lastFirst = row + 1 - shownRows(extent)
  if (lastFirst > firstExact + 1e-6) return Math.min(furthest, topOf(lastFirst))
  return undefined
}
