import { bind, type Server } from '@quarterdeck/http'
import { actRoutes } from './act.routes.ts'
import type { ActOptions } from './chosen.routes.ts'
import { deleteRoutes } from './delete.routes.ts'
import { editRoutes } from './edit.routes.ts'
import { liveRoutes } from './live.routes.ts'
import { completeFilter, countObjects, listKinds, listObjects, searchObjects, sumObjects } from './object.contract.ts'
import { objectDetailRoutes } from './object-detail.routes.ts'
import { objectTreeRoutes } from './object-tree.routes.ts'
import { answered, filterOf, kindNamed, listQuery } from './query.routes.ts'

// A list takes a hundredth of what most requests take, and a page that is looked at asks for many.
const CHEAP = { unchecked: true, cost: 0.1 }

/** Lists, figures and searches from the mirror; single objects from their API servers. */
export function objectRoutes(server: Server, options: ActOptions): void {
  const { opened, readerOf } = options
  bind(server, listKinds, ({ subject }) => {
    const { mirror } = opened()
    const reader = readerOf(subject)
    const states = mirror.clusters(reader)
    return {
      items: mirror.kinds(reader).map((spec) => ({
        ...spec,
        clusters: states.flatMap(({ cluster, kinds }) =>
          kinds
            .filter(({ resource }) => resource === spec.resource)
            .map(({ state, objects, message }) => ({ cluster, state, objects, message })),
        ),
      })),
      clusters: states.map(({ kinds: _, ...state }) => state),
    }
  })
  bind(
    server,
    listObjects,
    ({ params, query, subject }) => {
      const at = opened()
      const reader = readerOf(subject)
      const kind = kindNamed(at, reader, params.resource, '/params/resource')
      return answered(() => at.mirror.listJson(listQuery(at, kind, query), reader))
    },
    CHEAP,
  )
  bind(
    server,
    countObjects,
    ({ params, query, subject }) => {
      const at = opened()
      const reader = readerOf(subject)
      const kind = kindNamed(at, reader, params.resource, '/params/resource')
      const { fields, limit } = query
      const asked = () => ({ resource: kind.resource, ...filterOf(at, kind, query.filter), fields, limit })
      return answered(() => ({ items: at.mirror.facets(asked(), reader) }))
    },
    CHEAP,
  )
  bind(
    server,
    sumObjects,
    ({ params, query, subject }) => {
      const at = opened()
      const reader = readerOf(subject)
      const kind = kindNamed(at, reader, params.resource, '/params/resource')
      const { by, fields, limit } = query
      const group = by === undefined ? {} : { by }
      const asked = () => ({ resource: kind.resource, ...filterOf(at, kind, query.filter), ...group, fields, limit })
      return answered(() => ({ items: at.mirror.sums(asked(), reader) }))
    },
    CHEAP,
  )
  bind(
    server,
    completeFilter,
    ({ params, query, subject }) => {
      const at = opened()
      const reader = readerOf(subject)
      const { resource } = kindNamed(at, reader, params.resource, '/params/resource')
      const { text, cursor = text.length } = query
      return answered(() => ({ items: at.mirror.complete({ resource, text, cursor }, reader) }))
    },
    CHEAP,
  )
  bind(
    server,
    searchObjects,
    ({ query: { text, cluster, limit }, subject }) => {
      const clusters = cluster === undefined ? {} : { clusters: [cluster] }
      return answered(() => opened().mirror.search({ text, limit, ...clusters }, readerOf(subject)))
    },
    CHEAP,
  )
  objectDetailRoutes(server, options)
  objectTreeRoutes(server, options)
  liveRoutes(server, options)
  deleteRoutes(server, options)
  editRoutes(server, options)
  actRoutes(server, options)
}
