import { bind, type Server } from '@quarterdeck/http'
import { notFound, permissionMissing, type Subject } from '@quarterdeck/kernel'
import type { KindSpec, Page } from '@quarterdeck/mirror'
import { stringify } from 'yaml'
import { getObject, listObjectEvents } from './object.contract.ts'
import { kindAndName, managersOf, shownObject } from './object.rules.ts'
import { checkNamespace, kindNamed, type ObjectParts, refOfKind } from './query.routes.ts'
import { relatedTo } from './related.routes.ts'

interface Asked {
  params: { cluster: string; resource: string; name: string }
  query: { namespace: string }
  subject: Subject
}

/** One object as its API server has it now, and the events about it. */
export function objectDetailRoutes(server: Server, { opened, readerOf, clusterOf }: ObjectParts): void {
  /** What is asked for. Throws unknownKind, invalidInput and permissionMissing. */
  function placed({ params, query: { namespace }, subject }: Asked) {
    const at = opened()
    const kind = kindNamed(at, params.resource, '/params/resource')
    checkNamespace(kind, namespace, '/query/namespace')
    const reader = readerOf(subject)
    if (!reader.may(kind.resource, params.cluster, namespace)) throw notForThem(kind, params.cluster, namespace)
    return { mirror: at.mirror, kind, reader, row: { ...params, resource: kind.resource, namespace } }
  }

  bind(server, getObject, async ({ signal, ...asked }) => {
    const { mirror, kind, reader, row } = placed(asked)
    const cluster = await clusterOf(row.cluster)
    const object = await cluster.get(refOfKind(kind, row), { signal })
    if (!object) throw absent(kind, row)
    const { related, message } = await relatedTo(object, { mirror, reader, cluster, kind, signal })
    const shown = shownObject(object)
    const found = mirror.find(row, reader)
    return {
      cluster: row.cluster,
      resource: kind.resource,
      kind: kind.kind,
      yaml: stringify(shown, { lineWidth: 0 }),
      object: shown,
      ...(found ? { row: found } : {}),
      columns: kind.columns.map(({ name }) => name),
      managers: managersOf(object),
      related,
      relatedMessage: message,
    }
  })

  bind(server, listObjectEvents, async (asked) => {
    const { mirror, kind, reader, row } = placed(asked)
    await clusterOf(row.cluster)
    const events = mirror.kind('events')
    if (!events) return { items: [], total: 0, freshness: [] }
    const about = [
      { field: 'cluster', op: '=' as const, values: [row.cluster] },
      { field: 'object', op: '=' as const, values: [kindAndName(kind.kind, row.name)] },
      // What is about an object without namespace lies in some namespace or other.
      ...(kind.namespaced ? [{ field: 'namespace', op: '=' as const, values: [row.namespace] }] : []),
    ]
    const page = mirror.list(
      { resource: events.resource, filter: { all: about }, sort: NEWEST, limit: asked.query.limit },
      reader,
    )
    return { items: eventsOf(page), total: page.total, freshness: page.freshness }
  })
}

const NEWEST = [{ field: 'last', descending: true }]

function eventsOf({ columns, rows }: Page) {
  const at = (name: string) => columns.indexOf(name)
  const [type, reason, message, count, last] = ['type', 'reason', 'message', 'count', 'last'].map(at) as [
    number,
    ...number[],
  ]
  const reporter = at('reporter')
  return rows.map(({ values }) => {
    const text = (index = -1) => String(values[index] ?? '')
    const seconds = values[last ?? -1]
    return {
      type: text(type),
      reason: text(reason),
      message: text(message),
      count: Number(values[count ?? -1] ?? 1),
      ...(typeof seconds === 'number' ? { lastTime: new Date(seconds * 1_000).toISOString() } : {}),
      reporter: text(reporter),
    }
  })
}

interface Place {
  cluster: string
  namespace: string
  name: string
}

const absent = ({ kind }: KindSpec, { cluster, namespace, name }: Place) =>
  notFound({
    detail: `Cluster ${cluster} has no ${kind} ${namespace === '' ? name : `${namespace}/${name}`}; it may have been deleted a moment ago`,
  })

const notForThem = ({ resource }: KindSpec, cluster: string, namespace: string) =>
  permissionMissing({
    permission: 'object.get',
    detail: `You may not see ${resource} ${namespace === '' ? '' : `of namespace ${namespace} `}on ${cluster}. An administrator can grant it.`,
  })
