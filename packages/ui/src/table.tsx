import { useVirtualizer } from '@tanstack/react-virtual'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { Button } from './button.tsx'
import { Icon } from './icon.tsx'
import { useText } from './text.ts'
import { partTexts } from './texts.ts'
import { isTyping } from './typing.ts'

/** One column: its heading and what stands in a row's cell. */
export interface Column<Row> {
  title: string
  cell: (row: Row) => ReactNode
  /** Numbers stand at the end. */
  end?: boolean
  nowrap?: boolean
  acts?: boolean
  /** Takes the room that the others leave. */
  wide?: boolean
}

/** From this many rows on, only those in sight are in the page. */
const MANY = 200

interface TableProps<Row> {
  label: string
  rows: readonly Row[]
  rowKey: (row: Row) => string
  columns: readonly Column<Row>[]
  empty?: ReactNode
}

/** Rows of one kind. `label` says what they are to those who do not see the heading. */
export function Table<Row>({ label, rows, rowKey, columns, empty }: TableProps<Row>) {
  const [box, setBox] = useState<HTMLDivElement | null>(null)
  if (rows.length === 0 && empty !== undefined) return <>{empty}</>
  const many = rows.length > MANY
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    // biome-ignore lint/a11y/useSemanticElements: a fieldset holds form controls, this holds a table
    <div ref={setBox} className={many ? 'table-box tall' : 'table-box'} tabIndex={0} role="group" aria-label={label}>
      <table className="table" aria-label={label} aria-rowcount={rows.length + 1}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col" className={column.end ? 'end' : undefined}>
                {column.acts ? <span className="hidden">{column.title}</span> : column.title}
              </th>
            ))}
          </tr>
        </thead>
        {many ? (
          <RowsInSight box={box} rows={rows} rowKey={rowKey} columns={columns} />
        ) : (
          <tbody>
            {rows.map((row) => (
              <tr key={rowKey(row)} data-row={rowKey(row)}>
                <Cells row={row} columns={columns} />
              </tr>
            ))}
          </tbody>
        )}
      </table>
    </div>
  )
}

function Cells<Row>({ row, columns }: { row: Row; columns: readonly Column<Row>[] }) {
  return columns.map((column) => (
    <td key={column.title} className={lookOf(column)}>
      {column.cell(row)}
    </td>
  ))
}
const lookOf = ({ acts, end, nowrap, wide }: Column<never>) =>
  acts ? 'acts' : end ? 'end' : nowrap ? 'nowrap' : wide ? 'wide' : undefined

/** The rows in sight between two empty ones that are as high as all the others. */
function RowsInSight<Row>({
  box,
  rows,
  rowKey,
  columns,
}: Omit<TableProps<Row>, 'label' | 'empty'> & { box: HTMLDivElement | null }) {
  const sight = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box,
    estimateSize: () => 33,
    overscan: 12,
  })
  const items = sight.getVirtualItems()
  const above = items[0]?.start ?? 0
  const below = sight.getTotalSize() - (items.at(-1)?.end ?? 0)
  return (
    <tbody>
      <tr style={{ height: above }} />
      {items.map((item) => {
        const row = rows[item.index]
        return (
          row !== undefined && (
            <tr
              key={rowKey(row)}
              data-row={rowKey(row)}
              data-index={item.index}
              aria-rowindex={item.index + 2}
              ref={sight.measureElement}
            >
              <Cells row={row} columns={columns} />
            </tr>
          )
        )
      })}
      <tr style={{ height: below }} />
    </tbody>
  )
}

/** The filter line of a list; the key / goes there. */
export function FilterLine({
  value,
  onChange,
  placeholder,
}: {
  value: string
  onChange: (value: string) => void
  placeholder?: string
}) {
  const t = useText(partTexts)
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if (event.key !== '/' || isTyping(event.target)) return
      event.preventDefault()
      input.current?.focus()
    }
    document.addEventListener('keydown', focus)
    return () => document.removeEventListener('keydown', focus)
  }, [])
  return (
    <div className="filter">
      <Icon name="search" />
      <input
        ref={input}
        className="input"
        type="search"
        aria-label={t('filter')}
        placeholder={placeholder ?? t('filter')}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  )
}

/** Said in the place of the rows when the filter takes all of them away. */
export function NoMatch({ clear }: { clear: () => void }) {
  const t = useText(partTexts)
  return (
    <div className="empty">
      <p className="soft">{t('noMatch')}</p>
      <Button onClick={clear}>{t('clear')}</Button>
    </div>
  )
}
