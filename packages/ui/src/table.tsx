import { type ReactNode, useEffect, useRef } from 'react'
import { Button } from './button.tsx'
import { Icon } from './icon.tsx'
import { useText } from './text.ts'
import { partTexts } from './texts.ts'

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

/** Rows of one kind. `label` says what they are to those who do not see the heading. */
export function Table<Row>({
  label,
  rows,
  rowKey,
  columns,
  empty,
}: {
  label: string
  rows: readonly Row[]
  rowKey: (row: Row) => string
  columns: readonly Column<Row>[]
  empty?: ReactNode
}) {
  if (rows.length === 0 && empty !== undefined) return <>{empty}</>
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
    // biome-ignore lint/a11y/useSemanticElements: a fieldset holds form controls, this holds a table
    <div className="table-box" tabIndex={0} role="group" aria-label={label}>
      <table className="table" aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col" className={column.end ? 'end' : undefined}>
                {column.acts ? <span className="hidden">{column.title}</span> : column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} data-row={rowKey(row)}>
              {columns.map((column) => (
                <td
                  key={column.title}
                  className={
                    column.acts
                      ? 'acts'
                      : column.end
                        ? 'end'
                        : column.nowrap
                          ? 'nowrap'
                          : column.wide
                            ? 'wide'
                            : undefined
                  }
                >
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
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

/** True while keys go into a text. */
export function isTyping(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null
  return (
    element instanceof HTMLElement &&
    (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName) || !!element.closest('.xterm'))
  )
}
