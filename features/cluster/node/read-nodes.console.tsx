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
      const filter = `cluster:${cluster}`
      const asked = call(
        sumObjects,
        {
          params: { resource: 'pods' },
          query: {
            filter: `${filter} -phase:Succeeded,Failed`,
            by: 'node',
            fields: 'cpuRequest,memoryRequest',
            limit: 10_000,
          },
        },
        { signal },
      )
      const pages: ObjectPage[] = []
      const read = () => pages.reduce((sum, { rows }) => sum + rows.length, 0)
      do {
        pages.push(
          await call(
            listObjects,
            {
              params: { resource: 'nodes' },
              query: { filter, columns: NODE_COLUMNS.join(','), limit: MOST, offset: read() },
            },
            { signal },
          ),
        )
      } while (read() < (pages[0]?.total ?? 0) && (pages.at(-1)?.rows.length ?? 0) > 0)
      const rows = pages.flatMap((page) => page.rows)
      const { items } = await asked
      return { items: nodeRows(pages[0]?.columns ?? [], rows, items), freshness: pages[0]?.freshness ?? [] }
    },
    refetchInterval: EVERY_MS,
    placeholderData: keepPreviousData,
  })
