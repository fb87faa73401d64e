import { client, LiveList, type LiveQuery, LiveSocket, type LiveView } from '@quarterdeck/ui'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useReducer, useRef } from 'react'
import { watchObjects } from '../object/object.contract.ts'

/** All live lists of this page of the browser go over one connection. */
const socket = new LiveSocket(() => client.socketUrl(watchObjects, {}))
addEventListener('online', () => socket.retry())

/** A list as it is now. */
export interface LiveObjects {
  view: LiveView
  rowAt: LiveList['rowAt']
  /** Says which rows are in sight. */
  show: LiveList['show']
  /** What is shown is still that of the query before. */
  old: boolean
}

const NOTHING: LiveView = { state: 'connecting', page: undefined, refused: undefined, frameTime: 0 }

/** Looks at a list as long as the component is there. When the query changes, the old rows stay until new ones come. */
export function useLiveObjects(query: LiveQuery): LiveObjects {
  const key = JSON.stringify(query)
  const queries = useQueryClient()
  const [, redraw] = useReducer((count: number) => count + 1, 0)
  const now = useRef<LiveList>(undefined)
  const before = useRef<LiveList>(undefined)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key is all of the query
  useEffect(() => {
    const list = new LiveList(socket, query, () => {
      if (list.view().state === 'signed-out') void queries.invalidateQueries()
      redraw()
    })
    now.current = list
    redraw()
    return () => {
      list.end()
      if (list.view().page) before.current = list
    }
  }, [key])
  const list = now.current
  const view = list?.view() ?? NOTHING
  const shown = view.page ? list : (before.current ?? list)
  return {
    view: { ...view, page: shown?.view().page },
    rowAt: shown?.rowAt ?? (() => undefined),
    show: (first, count) => now.current?.show(first, count),
    old: shown !== list,
  }
}
