import type { ReactNode } from 'react'

/** One column of a grid. Keep the array as it is while nothing of it changes: rows are drawn anew with it. */
export interface GridColumn<Row> {
  /** Stands for it in sorts and widths. */
  name: string
  title: string
  /** Shown when the pointer rests on the heading. */
  description?: string | undefined
  /** Pixels, as long as the person has not chosen another. */
  width: number
  /** Numbers stand at the end. */
  end?: boolean
  /** Takes the room that the others leave, until the person has chosen a width. */
  wide?: boolean
  /** The first click sorts the largest first. */
  largestFirst?: boolean
  cell: (row: Row) => ReactNode
}

/** What rows are ordered by; the first counts most. */
export interface GridSort {
  field: string
  descending?: boolean
}

export const NARROWEST = 48
const WIDEST = 1_200
/** A width within bounds. */
export const boundWidth = (width: number): number => Math.round(Math.min(WIDEST, Math.max(NARROWEST, width)))

/** The tracks of a row: the tick, the columns, and what is left over when no column takes it. */
export function tracks<Row>(
  columns: readonly GridColumn<Row>[],
  widths: Readonly<Record<string, number>>,
): { template: string; least: number } {
  let taken = false
  let least = TICK
  const parts = columns.map((column) => {
    const width = widths[column.name] ?? column.width
    least += width
    if (!column.wide || taken || widths[column.name] !== undefined) return `${width}px`
    taken = true
    return `minmax(${width}px, 1fr)`
  })
  return { template: [`${TICK}px`, ...parts, ...(taken ? [] : ['minmax(0, 1fr)'])].join(' '), least }
}
const TICK = 36

/**
 * The order after a click on a heading: its first direction, then the other, then none. `further` keeps the other keys;
 * without it the heading becomes the only one.
 */
export function sortAfterClick(
  sort: readonly GridSort[],
  column: { name: string; largestFirst?: boolean },
  further: boolean,
): GridSort[] {
  const first = column.largestFirst === true
  const now = sort.find(({ field }) => field === column.name)
  const others = further ? sort.filter(({ field }) => field !== column.name) : []
  const key = (descending: boolean): GridSort =>
    descending ? { field: column.name, descending: true } : { field: column.name }
  if (!now) return [...others, key(first)]
  if ((now.descending === true) !== first) return [...others]
  return further ? sort.map((one) => (one.field === column.name ? key(!first) : one)) : [key(!first)]
}
