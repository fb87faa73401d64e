import { asItIsNow, type ListQuery, type Reader } from '../mirror.ts'
import type { LiveList, ViewSource } from '../view/view-source.ts'
import type { Queries } from './queries.ts'

/** Lists for live views. Each holds its result and its order, so that asking for one row costs next to nothing. */
export function liveLists(queries: Queries): ViewSource {
  return {
    openList(query: ListQuery, who: Reader): LiveList {
      const reader = asItIsNow(who)
      const open = queries.table(query.resource)
      const { lists, table } = open
      const result = lists.result(query.filter, reader)
      const order = lists.order(query.sort)
      const projection = lists.projection(query.columns)
      let toldUntil = table.log.position
      return {
        resource: open.resource,
        columns: projection.columns,
        version: () => table.log.position + open.stateVersion,
        total: () => result.refresh().count,
        touched: () => {
          const from = toldUntil
          toldUntil = table.log.position
          return result.refresh().touchedSince(from)
        },
        places: () => result.refresh().version + order.refresh().version,
        rows: (offset, limit) => lists.rows(result.refresh(), order.refresh(), offset, limit),
        has: (row) => result.refresh().has(row),
        compare: order.compare,
        rowJson: (row) => projection.json(row),
        freshness: () => queries.freshness(open, query.filter, reader),
        close: () => undefined,
      }
    },
  }
}
