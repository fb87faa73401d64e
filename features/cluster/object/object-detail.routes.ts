import { bind, type Server } from '@quarterdeck/http'
import { notFound, type Subject } from '@quarterdeck/kernel'
import type { KindSpec, Page } from '@quarterdeck/mirror'
import { stringify } from 'yaml'
import type { NamedObject, ObjectReader } from '../access/access.contract.ts'
import { getObject, listObjectEvents } from './object.contract.ts'
import { kindAndName, managersOf, shownObject } from './object.rules.ts'
import { checkNamespace, kindNamed, type ObjectParts, type OpenedMirror, refOfKind } from './query.routes.ts'
import { relatedTo } from './related.routes.ts'

interface Asked {
  params: { cluster: string; resource: string; name: string }
  query: { namespace: string }
  subject: Subject
}

/** One object as its API server has it now, and the events about it. */
export function objectDetailRoutes(server: Server, parts: ObjectParts): void {
  const { clusterOf } = parts
  bind(server, getObject, async ({ signal, subject, ...asked }) => {
    const { mirror, kind, reader, row, cluster, object } = await placedObject(parts, { ...asked, subject }, signal)
    const { related, message } = await relatedTo(object, { mirror, reader, cluster, kind, signal })
    const shown = shownObject(object)
    const mirrored = mirror.find(row, reader)
    return {
      cluster: row.cluster,
      resource: kind.resource,
      kind: kind.kind,
      yaml: stringify(shown, { lineWidth: 0 }),
      object: shown,
      ...(mirrored ? { row: mirrored } : {}),
      columns: kind.columns.map(({ name }) => name),
      managers: managersOf(object),
      related,
      relatedMessage: message,
    }
  })

  bind(server, listObjectEvents, async (asked) => {
    const { mirror, kind, reader, row } = placed(parts, asked)
    await clusterOf(row.cluster)
    const events = mirror.kind('events', reader)
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

/** What is asked for. Throws unknownKind, invalidInput, and notFound for what they may not see. */
function placed({ opened, readerOf }: ObjectParts, { params, query: { namespace }, subject }: Asked) {
  const at = opened()
  const reader = readerOf(subject)
  const kind = kindOf(at, reader, { ...params, namespace })
  const row = { ...params, resource: kind.resource, namespace }
  const seen = reader.allows('get', row)
  if (!seen && !reader.knows(params.cluster)) throw noCluster(params.cluster)
  checkNamespace(kind, namespace, '/query/namespace')
  if (!seen) throw absent(kind, row)
  return { mirror: at.mirror, kind, reader, row }
}

/** The same with the object, read from its API server as who asks. Throws notFound when it is not there, too. */
export async function placedObject(parts: ObjectParts, asked: Asked, signal: AbortSignal) {
  const place = placed(parts, asked)
  const cluster = await parts.clusterAs(asked.subject, place.row.cluster)
  const object = await cluster.get(refOfKind(place.kind, place.row), { signal })
  if (!object) throw absent(place.kind, place.row)
  return { ...place, cluster, object }
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

/** Who may not list a kind may still be let see this one object of it. Throws unknownKind. */
function kindOf(at: OpenedMirror, reader: ObjectReader, asked: NamedObject): KindSpec {
  const kind = at.mirror.kind(asked.resource)
  if (kind && reader.allows('get', { ...asked, resource: kind.resource })) return kind
  return kindNamed(at, reader, asked.resource, '/params/resource')
}

/** The same words for what is not there and for what one may not see. */
const absent = ({ kind }: KindSpec, { cluster, namespace, name }: NamedObject) =>
  notFound({
    detail: `Cluster ${cluster} has no ${kind} ${namespace === '' ? name : `${namespace}/${name}`}, or you may not see it; it may have been deleted a moment ago`,
  })

const noCluster = (cluster: string) => notFound({ detail: `There is no cluster ${cluster}, or you may not see it` })
