import { call, type ListRow } from '@quarterdeck/ui'
import { useEffect, useRef, useState } from 'react'
import { listObjects } from '../object/object.contract.ts'
import { type ExploreView, sortText } from './explore.rules.ts'
import type { LiveObjects } from './live-objects.console.tsx'

const MOST = 1_000
const keyOf = (row: ListRow) => `${row.cluster}/${row.uid}`

/** What is picked in a list: single rows and ranges, also of rows that are not in sight. */
export interface Picked {
  keys: ReadonlySet<string>
  rows: readonly ListRow[]
  /** No more can be picked. */
  full: boolean
  pick: (index: number, how: 'toggle' | 'range') => void
  clear: () => void
}

/** Nothing is picked at first, and nothing after the list has become another. */
export function usePicked({
  resource,
  view,
  live,
}: {
  resource: string
  view: ExploreView
  live: LiveObjects
}): Picked {
  const [rows, setRows] = useState<ReadonlyMap<string, ListRow>>(new Map())
  const anchor = useRef<number>(undefined)
  const list = `${resource} ${view.filter}`
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list has other rows
  useEffect(() => {
    setRows(new Map())
    anchor.current = undefined
  }, [list])
  const add = (found: readonly ListRow[]) =>
    setRows((before) => new Map([...before, ...found.map((row) => [keyOf(row), row] as const)].slice(0, MOST)))
  const range = async (from: number, to: number) => {
    const first = Math.min(from, to)
    const count = Math.min(MOST, Math.abs(to - from) + 1)
    const known = Array.from({ length: count }, (_, at) => live.rowAt(first + at))
    if (known.every((row) => row !== undefined)) return add(known)
    const page = await call(listObjects, {
      params: { resource },
      query: {
        offset: first,
        limit: count,
        ...(view.filter ? { filter: view.filter } : {}),
        ...(view.sort.length > 0 ? { sort: sortText(view.sort) } : {}),
        columns: live.view.page?.columns.join(','),
      },
    })
    add(page.rows)
  }
  return {
    keys: new Set(rows.keys()),
    rows: [...rows.values()],
    full: rows.size >= MOST,
    clear: () => {
      anchor.current = undefined
      setRows(new Map())
    },
    pick: (index, how) => {
      if (how === 'range') {
        void range(anchor.current ?? index, index)
        return
      }
      anchor.current = index
      const row = live.rowAt(index)
      if (row === undefined) return
      setRows((before) => {
        const next = new Map(before)
        if (!next.delete(keyOf(row)) && next.size < MOST) next.set(keyOf(row), row)
        return next
      })
    },
  }
}
