/** One row of a live window; `id` stands for the object as long as it is there. */
export interface LiveRow {
  id: number
}

/** What a window shows. */
export interface LivePage<Row extends LiveRow, Freshness> {
  resource: string
  columns: string[]
  total: number
  offset: number
  rows: Row[]
  freshness: Freshness[]
}

/** `whole`: everything. `change`: what is different since the frame with the number before. */
export type LiveWindowFrame<Row extends LiveRow, Freshness> =
  | { type: 'whole'; view: number; number: number; page: LivePage<Row, Freshness> }
  | {
      type: 'change'
      view: number
      number: number
      total: number
      /** Row ids of the window in order; absent: as before. */
      order?: number[] | undefined
      /** New or changed rows. */
      rows: Row[]
      freshness?: Freshness[] | undefined
    }

/** A window of a list as the frames so far make it. */
export interface LiveWindow<Row extends LiveRow, Freshness> {
  view: number
  number: number
  page: LivePage<Row, Freshness>
}

/**
 * The window after one more frame. Rows that did not change are the same objects as before, and a frame that was taken in
 * already changes nothing. Undefined when the frame does not follow what was there: the view has to be opened again.
 */
export function applyLiveFrame<Row extends LiveRow, Freshness>(
  window: LiveWindow<Row, Freshness> | undefined,
  frame: LiveWindowFrame<Row, Freshness>,
): LiveWindow<Row, Freshness> | undefined {
  if (frame.type === 'whole') return { view: frame.view, number: frame.number, page: frame.page }
  if (window?.view !== frame.view) return undefined
  if (frame.number <= window.number) return window
  if (frame.number !== window.number + 1) return undefined
  const rows = rowsAfter(window.page.rows, frame.order, frame.rows)
  if (!rows) return undefined
  const { total, freshness = window.page.freshness } = frame
  return { view: frame.view, number: frame.number, page: { ...window.page, total, freshness, rows } }
}

/** Undefined when the order names a row that is not known. */
function rowsAfter<Row extends LiveRow>(before: Row[], order: number[] | undefined, changed: Row[]): Row[] | undefined {
  if (!order && changed.length === 0) return before
  const news = new Map(changed.map((row) => [row.id, row]))
  if (!order) return before.map((row) => news.get(row.id) ?? row)
  const olds = new Map(before.map((row) => [row.id, row]))
  const rows: Row[] = []
  for (const id of order) {
    const row = news.get(id) ?? olds.get(id)
    if (!row) return undefined
    rows.push(row)
  }
  return rows
}
