import { type KeyboardEvent, type PointerEvent, useRef } from 'react'
import { Icon } from '../icon.tsx'
import { useText } from '../text.ts'
import { partTexts } from '../texts.ts'
import { boundWidth, type GridColumn, type GridSort, sortAfterClick } from './grid-column.ts'

interface GridHeadProps<Row> {
  columns: readonly GridColumn<Row>[]
  widths: Readonly<Record<string, number>>
  sort: readonly GridSort[]
  onSort: (sort: GridSort[]) => void
  onWidth: (name: string, width: number | undefined) => void
}

/** The headings: a click sorts, with shift as a further key; the line at the end of each sets its width. */
export function GridHead<Row>({ columns, widths, sort, onSort, onWidth }: GridHeadProps<Row>) {
  const t = useText(partTexts)
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: what can be pressed in it is focusable
    // biome-ignore lint/a11y/useSemanticElements: rows of a table cannot be placed freely
    <div role="row" className="grid-row head" aria-rowindex={1}>
      {/* biome-ignore lint/a11y/useFocusableInteractive: nothing to do here */}
      {/* biome-ignore lint/a11y/useSemanticElements: as above */}
      <div role="columnheader" className="tick">
        <span className="hidden">{t('picked')}</span>
      </div>
      {columns.map((column) => {
        const at = sort.findIndex(({ field }) => field === column.name)
        const key = sort[at]
        return (
          // biome-ignore lint/a11y/useFocusableInteractive: the button in it is
          // biome-ignore lint/a11y/useSemanticElements: as above
          <div
            key={column.name}
            role="columnheader"
            className={column.end ? 'end' : undefined}
            aria-sort={!key ? 'none' : key.descending ? 'descending' : 'ascending'}
            title={column.description}
          >
            <button type="button" onClick={(event) => onSort(sortAfterClick(sort, column, event.shiftKey))}>
              <span className="clip">{column.title}</span>
              {key && <Direction descending={key.descending === true} place={sort.length > 1 ? at + 1 : undefined} />}
            </button>
            <Edge
              title={column.title}
              width={widths[column.name] ?? column.width}
              onWidth={(width) => onWidth(column.name, width)}
            />
          </div>
        )
      })}
    </div>
  )
}

const Direction = ({ descending, place }: { descending: boolean; place: number | undefined }) => (
  <span className="direction" aria-hidden="true">
    <Icon name={descending ? 'fall' : 'rise'} />
    {place}
  </span>
)

/** The line after a heading that is dragged to set its width; arrows set it too, a double click gives it back. */
function Edge({
  title,
  width,
  onWidth,
}: {
  title: string
  width: number
  onWidth: (width: number | undefined) => void
}) {
  const t = useText(partTexts)
  const from = useRef<{ x: number; width: number }>(undefined)
  const down = (event: PointerEvent<HTMLDivElement>) => {
    const heading = event.currentTarget.parentElement
    from.current = { x: event.clientX, width: heading?.offsetWidth ?? width }
    event.currentTarget.setPointerCapture(event.pointerId)
    event.preventDefault()
  }
  const move = (event: PointerEvent) => {
    if (from.current) onWidth(boundWidth(from.current.width + event.clientX - from.current.x))
  }
  const up = () => {
    from.current = undefined
  }
  const key = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 16 : event.key === 'ArrowLeft' ? -16 : 0
    if (step === 0) return
    event.preventDefault()
    event.stopPropagation()
    onWidth(boundWidth(width + step))
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a separator that can be moved has no element of its own
    <div
      role="separator"
      className="edge"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label={t('widthOf', { title })}
      aria-valuenow={width}
      aria-valuemin={48}
      aria-valuemax={1200}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerCancel={up}
      onDoubleClick={() => onWidth(undefined)}
      onKeyDown={key}
    />
  )
}
