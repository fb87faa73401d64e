import { call } from '@quarterdeck/ui'
import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query'
import { listObjects, type ObjectPage, sumObjects } from '../object/object.contract.ts'
import { NODE_COLUMNS, type NodeRow, nodeRows } from './node-row.rules.ts'

const MOST = 1_000
const EVERY_MS = 5_000

/** The nodes of a cluster and how fresh what is known of them is. */
export interface Nodes {
  items: NodeRow[]
  freshness: ObjectPage['freshness']
}

/** All nodes of a cluster with what pods ask for on them, from the mirror: no API server is asked. */
export const useNodes = (cluster: string): UseQueryResult<Nodes, Error> =>
  useQuery<Nodes, Error>({
    queryKey: ['node.rows', cluster],
    queryFn: async ({ signal }) => {
      const [pages, { items }] = await Promise.all([nodePages(cluster, signal), podSums(cluster, signal)])
      const rows = pages.flatMap((page) => page.rows)
      return { items: nodeRows(pages[0]?.columns ?? [], rows, items), freshness: pages[0]?.freshness ?? [] }
    },
    refetchInterval: EVERY_MS,
    placeholderData: keepPreviousData,
  })

async function nodePages(cluster: string, signal: AbortSignal): Promise<ObjectPage[]> {
  const pages: ObjectPage[] = []
  let read = 0
  for (;;) {
    const query = { filter: `cluster:${cluster}`, columns: NODE_COLUMNS.join(','), limit: MOST, offset: read }
    const page = await call(listObjects, { params: { resource: 'nodes' }, query }, { signal })
    pages.push(page)
    read += page.rows.length
    if (read >= page.total || page.rows.length === 0) return pages
  }
}

/** What pods that have not ended ask for, by node. */
const podSums = (cluster: string, signal: AbortSignal) => {
  const filter = `cluster:${cluster} -phase:Succeeded,Failed`
  const query = { filter, by: 'node', fields: 'cpuRequest,memoryRequest', limit: 10_000 }
  return call(sumObjects, { params: { resource: 'pods' }, query }, { signal })
}
