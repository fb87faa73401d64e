import { memo, useRef } from 'react'
import type { GridColumn } from './grid-column.ts'

export interface GridRowProps<Row> {
  /** Undefined while it is not there yet: a grey line stands for it. */
  row: Row | undefined
  id: string
  index: number
  y: number
  columns: readonly GridColumn<Row>[]
  /** Stands for the object; another one in the same place is no change of it. */
  rowKey: string | undefined
  /** Another whenever the object has changed. */
  revision: string | undefined
  label: string
  picked: boolean
  active: boolean
  opened: boolean
}

function PlainGridRow<Row>({ row, id, index, y, columns, rowKey, revision, label, ...is }: GridRowProps<Row>) {
  const changes = useChanges(rowKey, revision)
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus and names the row that is active
    // biome-ignore lint/a11y/useSemanticElements: rows of a table cannot be placed freely
    <div
      role="row"
      id={id}
      className={`grid-row${is.active ? ' active' : ''}${is.opened ? ' opened' : ''}`}
      aria-rowindex={index + 2}
      aria-selected={is.picked}
      data-index={index}
      data-key={rowKey}
      style={{ transform: `translateY(${y}px)` }}
    >
      {/* biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus */}
      {/* biome-ignore lint/a11y/useSemanticElements: as above */}
      <div role="gridcell" className="tick">
        {row !== undefined && (
          <input type="checkbox" tabIndex={-1} aria-label={label} checked={is.picked} readOnly data-tick="" />
        )}
        {changes > 0 && <i key={changes} className="changed" />}
      </div>
      {columns.map((column) => (
        // biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus
        // biome-ignore lint/a11y/useSemanticElements: as above
        <div key={column.name} role="gridcell" className={column.end ? 'end' : undefined}>
          {row === undefined ? <i className="blank" /> : column.cell(row)}
        </div>
      ))}
    </div>
  )
}

/** How often the object in this place has changed since it came here; 0 for another object. */
function useChanges(rowKey: string | undefined, revision: string | undefined): number {
  const seen = useRef({ rowKey, revision, changes: 0 })
  if (seen.current.rowKey !== rowKey) seen.current = { rowKey, revision, changes: 0 }
  else if (seen.current.revision !== revision) {
    seen.current = { rowKey, revision, changes: seen.current.changes + 1 }
  }
  return seen.current.changes
}

/** One row; drawn again only when something of it has changed. */
export const GridRow = memo(PlainGridRow) as typeof PlainGridRow
