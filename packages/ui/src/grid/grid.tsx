import './grid.css'
import {
  type MouseEvent,
  type ReactNode,
  useCallback,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import { flushSync } from 'react-dom'
import { type GridColumn, type GridSort, tracks } from './grid-column.ts'
import { GridHead } from './grid-head.tsx'
import { type GridKey, useGridKeys } from './grid-keys.ts'
import { GridRow } from './grid-row.tsx'
import { contentHeight, type Extent, type Sight, sightAt, topToShow } from './scroll-map.ts'

const ROW = 32
const HEAD = 33
/** Rows drawn above and below those that are seen, so that a quick turn of the wheel meets rows. */
const OVERSCAN = 10

export interface GridProps<Row> {
  label: string
  /** What the list is: with another one the grid begins at its top. */
  origin: string
  columns: readonly GridColumn<Row>[]
  /** How many rows there are; only those in sight are asked for. */
  total: number
  /** The row in a place; undefined while it is not there yet. */
  rowAt: (index: number) => Row | undefined
  keyOf: (row: Row) => string
  revisionOf: (row: Row) => string
  /** What a row's tick is called. */
  tickLabel: (row: Row) => string
  /** Told which rows are in sight, whenever that changes. */
  onSight: (first: number, count: number) => void
  sort: readonly GridSort[]
  onSort: (sort: GridSort[]) => void
  widths: Readonly<Record<string, number>>
  /** Without a width: back to the column's own. */
  onWidth: (name: string, width: number | undefined) => void
  picked: ReadonlySet<string>
  /** `range`: from the row that was picked last to this one. */
  onPick: (index: number, how: 'toggle' | 'range') => void
  onOpen: (row: Row) => void
  /** Key of the row whose details are shown. */
  opened?: string | undefined
  busy?: boolean
  /** In the place of the rows when there are none. */
  children?: ReactNode
}

/**
 * A list of any length that scrolls in one box: only rows in sight are in the page. Arrows or j and k move, Enter opens,
 * x picks; the focus stays on the grid, which names the row that is active.
 */
export function Grid<Row>(props: GridProps<Row>) {
  const { label, columns, total, rowAt, keyOf, onSight, widths, busy } = props
  const id = useId()
  const box = useRef<HTMLDivElement>(null)
  const { sight, extent, scrollTo } = useSight(box, total)
  const [active, setActive] = useActive(props)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list begins at its top
  useLayoutEffect(() => {
    scrollTo(0)
    setActive(undefined)
  }, [props.origin])
  const first = Math.max(0, sight.first - OVERSCAN)
  const last = Math.min(total, sight.first + sight.count + OVERSCAN)
  const seen = useRef(onSight)
  seen.current = onSight
  useEffect(() => seen.current(sight.first, sight.count), [sight.first, sight.count])

  const go = (to: number, how: 'move' | 'range' = 'move') => {
    if (total === 0) return
    const index = Math.max(0, Math.min(total - 1, to))
    if (how === 'range') {
      if (active !== undefined && props.picked.size === 0) props.onPick(active, 'toggle')
      props.onPick(index, 'range')
    }
    setActive(index)
    const top = topToShow(extent(), box.current?.scrollTop ?? 0, index)
    if (top !== undefined) scrollTo(top)
  }
  useGridKeys(box, (key) => pressed(key, { ...props, active, page: Math.max(1, sight.count - 2), go }))

  const click = (event: MouseEvent<HTMLElement>) => {
    const target = event.target as HTMLElement
    const index = Number(target.closest<HTMLElement>('[data-index]')?.dataset.index ?? Number.NaN)
    if (Number.isNaN(index)) return
    const tick = target.closest('.tick') !== null
    if (event.shiftKey) props.onPick(index, 'range')
    else if (tick || event.metaKey || event.ctrlKey) {
      if (!target.closest('a')) props.onPick(index, 'toggle')
    }
    setActive(index)
  }
  const { template, least } = tracks(columns, widths)
  const slots = Math.max(1, last - first)
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table's rows cannot be placed freely
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys are heard by useGridKeys
    <div
      ref={box}
      role="grid"
      className="grid"
      tabIndex={0}
      aria-label={label}
      aria-rowcount={total + 1}
      aria-colcount={columns.length + 1}
      aria-multiselectable="true"
      aria-busy={busy === true}
      aria-activedescendant={active !== undefined && active >= first && active < last ? `${id}-${active}` : undefined}
      style={{ '--tracks': template, '--least': `${least}px` } as object}
      onClick={click}
    >
      {/* biome-ignore lint/a11y/useSemanticElements: as above */}
      <div role="rowgroup" className="grid-head">
        <GridHead {...props} />
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: as above */}
      <div role="rowgroup" className="grid-body" style={{ height: contentHeight({ rows: total, ...SIZE }) }}>
        {Array.from({ length: last - first }, (_, offset) => {
          const index = first + offset
          const row = rowAt(index)
          const key = row === undefined ? undefined : keyOf(row)
          return (
            <GridRow
              // A row that leaves at one end comes back at the other: nothing is made anew while scrolling.
              key={index % slots}
              row={row}
              id={`${id}-${index}`}
              index={index}
              y={sight.shift + index * ROW}
              columns={columns}
              rowKey={key}
              revision={row === undefined ? undefined : props.revisionOf(row)}
              label={row === undefined ? '' : props.tickLabel(row)}
              picked={key !== undefined && props.picked.has(key)}
              active={index === active}
              opened={key !== undefined && key === props.opened}
            />
          )
        })}
      </div>
      {total === 0 && props.children}
    </div>
  )
}

const SIZE = { rowHeight: ROW, viewHeight: 0 }

/** Which rows are in sight: follows the box as it scrolls and changes its size. */
function useSight(box: { current: HTMLDivElement | null }, total: number) {
  const [view, setView] = useState(600)
  const [top, setTop] = useState(0)
  const extent = useCallback(
    (): Extent => ({ rows: total, rowHeight: ROW, viewHeight: Math.max(0, view) }),
    [total, view],
  )
  const now = useRef({ extent, sight: sightAt(extent(), top) })
  now.current = { extent, sight: sightAt(extent(), top) }
  useLayoutEffect(() => {
    const element = box.current
    if (!element) return
    const measure = () => setView(element.clientHeight - HEAD)
    measure()
    const watch = new ResizeObserver(measure)
    watch.observe(element)
    const scroll = () => {
      const next = sightAt(now.current.extent(), element.scrollTop)
      const { sight } = now.current
      if (next.first === sight.first && next.count === sight.count && next.shift === sight.shift) return
      // In the same frame, so that the rows never lag behind the scroll bar.
      flushSync(() => setTop(element.scrollTop))
    }
    element.addEventListener('scroll', scroll, { passive: true })
    return () => {
      watch.disconnect()
      element.removeEventListener('scroll', scroll)
    }
  }, [box])
  const scrollTo = (to: number) => {
    if (box.current) box.current.scrollTop = to
  }
  const sight: Sight = now.current.sight
  return { sight, extent, scrollTo }
}

/** The active row; it is followed when rows come and go around it. */
function useActive<Row>({ rowAt, keyOf, total }: GridProps<Row>) {
  const [active, setActive] = useState<{ index: number; key: string | undefined }>()
  const keyAt = (index: number) => {
    const row = rowAt(index)
    return row === undefined ? undefined : keyOf(row)
  }
  let index = active?.index
  if (active?.key !== undefined && keyAt(active.index) !== active.key) {
    for (let step = 1; step <= 100; step++) {
      const found = [active.index - step, active.index + step].find((one) => keyAt(one) === active.key)
      if (found === undefined) continue
      index = found
      break
    }
  }
  if (index !== undefined && index >= total) index = total === 0 ? undefined : total - 1
  const set = (to: number | undefined) => setActive(to === undefined ? undefined : { index: to, key: keyAt(to) })
  return [index, set] as const
}

interface Place<Row> extends Pick<GridProps<Row>, 'rowAt' | 'onOpen' | 'onPick'> {
  active: number | undefined
  total: number
  page: number
  go: (to: number, how?: 'move' | 'range') => void
}

function pressed<Row>(key: GridKey, { active, total, page, go, rowAt, onOpen, onPick }: Place<Row>): void {
  const from = active ?? -1
  switch (key.type) {
    case 'step':
      go(active === undefined ? 0 : from + key.by, key.extend ? 'range' : 'move')
      break
    case 'page':
      go(Math.max(0, from) + key.by * page, key.extend ? 'range' : 'move')
      break
    case 'first':
      go(0)
      break
    case 'last':
      go(total - 1)
      break
    case 'pick':
      if (active !== undefined) onPick(active, 'toggle')
      break
    case 'open': {
      const row = active === undefined ? undefined : rowAt(active)
      if (row !== undefined) onOpen(row)
    }
  }
}
