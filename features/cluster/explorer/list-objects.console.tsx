import { Button, Check, Grid, type GridColumn, type ListRow, Popover, useGo, useText } from '@quarterdeck/ui'
import { useMemo, useState } from 'react'
import type { ObjectColumn, ObjectKind } from '../object/object.contract.ts'
import { cellOf, NameLink, widthOf } from './cell.console.tsx'
import { useColumnTitle } from './column-title.console.tsx'
import { type ExploreView, type ObjectRef, objectPath, refOf, wholeOfReady } from './explore.rules.ts'
import type { LiveObjects } from './live-objects.console.tsx'
import { BulkBar } from './pick-objects.console.tsx'
import { usePicked } from './picked.console.tsx'
import { exploreTexts } from './texts.console.tsx'

type Widths = Record<string, number>

/** Widths that the person has chosen for a kind; kept in this browser. */
function useWidths(resource: string): [Widths, (name: string, width: number | undefined) => void] {
  const stored = `quarterdeck.widths.${resource}`
  const [widths, setWidths] = useState<Widths>(() => {
    try {
      return JSON.parse(localStorage.getItem(stored) ?? '{}')
    } catch {
      return {}
    }
  })
  const set = (name: string, width: number | undefined) => {
    const { [name]: _, ...others } = widths
    const next = width === undefined ? others : { ...others, [name]: width }
    localStorage.setItem(stored, JSON.stringify(next))
    setWidths(next)
  }
  return [widths, set]
}

/** Columns of the grid: how each value is drawn, by the order in which values come. */
function useGridColumns(
  resource: string,
  shown: readonly ObjectColumn[],
  names: readonly string[] | undefined,
  search: string,
) {
  const titleOf = useColumnTitle()
  const key = `${shown.map(({ name }) => name)} ${names} ${search} ${titleOf({ name: 'name', title: 'Name' })}`
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key holds all that the columns depend on
  return useMemo(
    () =>
      shown.map((column): GridColumn<ListRow> => {
        const at = names?.indexOf(column.name) ?? -1
        const all = names?.indexOf(wholeOfReady(names)) ?? -1
        const status = names?.indexOf('status') ?? -1
        const title = titleOf(column)
        const numeric = column.type === 'count' || column.type === 'number'
        return {
          name: column.name,
          title,
          description: column.description,
          width: widthOf({ ...column, title }),
          wide: column.name === 'name',
          end: numeric,
          largestFirst: numeric || column.type === 'time',
          cell: (row) => {
            if (column.name === 'cluster') return row.cluster
            if (column.name === 'ready' && all >= 0) {
              return readyOf(row.values[at], row.values[all], row.values[status] === 'Completed')
            }
            if (column.name !== 'name') return cellOf(column, row.values[at] ?? null)
            const ref = refOf(resource, names ?? [], row)
            return <NameLink to={objectPath(ref, search)} name={ref.name} />
          },
        }
      }),
    [key],
  )
}

/** `1/2`: ready of how many there should be; marked when some are not, unless it has done its work. */
function readyOf(ready: Value | undefined, all: Value | undefined, done: boolean) {
  const text = `${ready ?? 0}/${all ?? 0}`
  return ready === all || done ? text : <span className="tone-warn">{text}</span>
}
type Value = ListRow['values'][number]

interface ObjectListProps {
  kind: ObjectKind
  view: ExploreView
  /** The part of the address that says what is looked at. */
  search: string
  shown: readonly ObjectColumn[]
  live: LiveObjects
  opened: ObjectRef | undefined
  onSort: (sort: ExploreView['sort']) => void
  onClear: () => void
}

/** The live table of one kind, with what can be done with rows that are picked. */
export function ObjectList({ kind, view, search, shown, live, opened, onSort, onClear }: ObjectListProps) {
  const t = useText(exploreTexts)
  const go = useGo()
  const [widths, setWidth] = useWidths(kind.resource)
  const page = live.view.page
  const names = page?.columns
  const columns = useGridColumns(kind.resource, shown, names, search)
  const picked = usePicked({ resource: kind.resource, view, live })
  const nameAt = names?.indexOf('name') ?? -1
  const open = opened && `${opened.cluster}/${opened.namespace}/${opened.name}`
  const openedRow = page?.rows.find((row) => {
    const ref = refOf(kind.resource, page.columns, row)
    return `${ref.cluster}/${ref.namespace}/${ref.name}` === open
  })
  return (
    <div className="fill object-list">
      <Grid
        label={kind.kind}
        origin={`${kind.resource} ${view.filter} ${JSON.stringify(view.sort)}`}
        columns={columns}
        total={page?.total ?? 0}
        rowAt={live.rowAt}
        keyOf={keyOf}
        revisionOf={revisionOf}
        tickLabel={(row) => t('pick', { name: String(row.values[nameAt] ?? '') })}
        onSight={live.show}
        sort={view.sort}
        onSort={onSort}
        widths={widths}
        onWidth={setWidth}
        picked={picked.keys}
        onPick={picked.pick}
        onOpen={(row) => page && go(objectPath(refOf(kind.resource, page.columns, row), search))}
        opened={openedRow && keyOf(openedRow)}
        busy={page === undefined || live.old}
      >
        {page && (
          <div className="empty">
            <p className="soft">{view.filter === '' ? t('empty') : t('noMatch')}</p>
            {view.filter !== '' && <Button onClick={onClear}>{t('clear')}</Button>}
          </div>
        )}
      </Grid>
      {picked.rows.length > 0 && names && (
        <BulkBar resource={kind.resource} columns={names} rows={picked.rows} clear={picked.clear} full={picked.full} />
      )}
    </div>
  )
}
const keyOf = (row: ListRow) => `${row.cluster}/${row.uid}`
const revisionOf = (row: ListRow) => row.revision

/** Which columns are shown. */
export function ColumnPicker({
  all,
  shown,
  onChange,
}: {
  all: readonly ObjectColumn[]
  shown: readonly ObjectColumn[]
  onChange: (columns: string[] | undefined) => void
}) {
  const t = useText(exploreTexts)
  const titleOf = useColumnTitle()
  const names = shown.map(({ name }) => name)
  const toggle = (name: string, on: boolean) => {
    const next = all.map((column) => column.name).filter((one) => (one === name ? on : names.includes(one)))
    if (next.length > 0) onChange(next)
  }
  return (
    <Popover icon="columns" label={t('columns')} text={<span className="word-wide">{t('columns')}</span>}>
      {() => (
        <div className="pad rows tight">
          <fieldset className="column-list">
            <legend className="hidden">{t('columns')}</legend>
            {all.map((column) => (
              <Check key={column.name} checked={names.includes(column.name)} onChange={(on) => toggle(column.name, on)}>
                {titleOf(column)}
              </Check>
            ))}
          </fieldset>
          <Button small onClick={() => onChange(undefined)}>
            {t('columnsOwn')}
          </Button>
        </div>
      )}
    </Popover>
  )
}
