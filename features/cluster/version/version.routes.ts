import { bind, type Server } from '@quarterdeck/http'
import { type Json, type KubeObject, notFound } from '@quarterdeck/kernel'
import type { Db } from '@quarterdeck/store'
import { stringify } from 'yaml'
import {
  getStateAt,
  getVersion,
  listChanges,
  listVersions,
  type ObjectVersion,
  type VersionDetail,
} from './version.contract.ts'
import {
  contentsOf,
  findObjects,
  findVersionAt,
  listChangeRows,
  listVersionRows,
  type ObjectName,
  type RecordedObject,
} from './version.store.ts'

interface Parts {
  db: Db
  /** What differs between two states of an object, path by path. */
  fieldChanges(before: KubeObject | undefined, after: KubeObject): VersionDetail['changes']
}

/** Recorded versions of objects; whoever may read the object may read them. */
export function versionRoutes(server: Server, { db, fieldChanges }: Parts): void {
  bind(server, listVersions, async ({ params, query }) => {
    const name = nameOf(params, query)
    const [object] = await findObjects(db, name)
    if (!object) throw notRecorded(name, 'version')
    const rows = await listVersionRows(db, object.id, { before: query.before, limit: query.limit + 1 })
    const items = rows.slice(0, query.limit)
    const last = items.at(-1)
    return { items, ...(rows.length > items.length && last ? { continue: String(last.number) } : {}) }
  })

  bind(server, getVersion, async ({ params, query }) => {
    const name = nameOf(params, query)
    const [object] = await findObjects(db, name)
    const [version] = object ? await listVersionRows(db, object.id, { before: params.number + 1, limit: 1 }) : []
    if (!object || version?.number !== params.number) throw notRecorded(name, `version ${params.number}`)
    return detailOf(object, version, query.against ?? params.number - 1)
  })

  bind(server, getStateAt, async ({ params, query }) => {
    const name = nameOf(params, query)
    const time = query.time ?? new Date().toISOString()
    for (const object of await findObjects(db, name)) {
      const version = await findVersionAt(db, object.id, time)
      if (version && version.change !== 'deleted') return detailOf(object, version, version.number - 1)
    }
    throw notRecorded(name, `state at ${time}`)
  })

  bind(server, listChanges, async ({ query }) => ({ items: await listChangeRows(db, query) }))

  async function detailOf(object: RecordedObject, version: ObjectVersion, against: number): Promise<VersionDetail> {
    const contents = await contentsOf(
      db,
      object.id,
      [version.number, against].filter((number) => number > 0),
    )
    const before = contents.get(against) as KubeObject | undefined
    const after = contents.get(version.number) as KubeObject
    const { cluster, resource, kind, namespace, name, uid } = object
    return {
      ...version,
      ...{ cluster, resource, kind, namespace, name, uid },
      yaml: stringify(after as unknown as Json, { lineWidth: 0 }),
      ...(before ? { comparedWith: against } : {}),
      changes: version.change === 'deleted' && against === version.number - 1 ? [] : fieldChanges(before, after),
    }
  }
}

const nameOf = (
  { cluster, resource, name }: { cluster: string; resource: string; name: string },
  { namespace, uid }: { namespace: string; uid?: string | undefined },
): ObjectName => ({ cluster, resource, namespace, name, uid })

const notRecorded = ({ cluster, resource, namespace, name }: ObjectName, what: string) =>
  notFound({
    detail: `No ${what} of ${resource} ${namespace === '' ? name : `${namespace}/${name}`} on ${cluster} is recorded. qd versions lists what is; not every kind is recorded.`,
  })
