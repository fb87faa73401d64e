import { bind, type Server } from '@quarterdeck/http'
import { type Json, type KubeObject, notFound, type Subject } from '@quarterdeck/kernel'
import type { Db } from '@quarterdeck/store'
import { stringify } from 'yaml'
import type { ObjectReader } from '../access/access.contract.ts'
import { type Authorship, authorsOf } from './author.rules.ts'
import {
  type ChangedObject,
  getStateAt,
  getVersion,
  listChanges,
  listVersions,
  type ObjectVersion,
  type VersionDetail,
} from './version.contract.ts'
import {
  type ChangeFilter,
  contentsOf,
  findObjects,
  findVersionAt,
  type KindPlace,
  listChangeRows,
  listPlaces,
  listVersionRows,
  type ObjectName,
  type RecordedObject,
} from './version.store.ts'

interface Parts {
  db: Db
  /** What a subject may see of the clusters. */
  readerOf(subject: Subject): Pick<ObjectReader, 'may' | 'allows'>
  /** Who had the object changed in a span of time (RFC 3339), the newest first. */
  authorships(object: RecordedObject, span: { since: string; until: string }): Promise<Authorship[]>
  /** What differs between two states of an object, path by path. */
  fieldChanges(before: KubeObject | undefined, after: KubeObject): VersionDetail['changes']
}

/** Recorded versions of objects; whoever may read the object may read them. */
export function versionRoutes(server: Server, { db, readerOf, authorships, fieldChanges }: Parts): void {
  /** Nothing is recorded, as far as they know, of what they may not see. */
  const recorded = async (subject: Subject, name: ObjectName) =>
    readerOf(subject).allows('get', name) ? await findObjects(db, name) : []

  bind(server, listVersions, async ({ params, query, subject }) => {
    const name = nameOf(params, query)
    const [object] = await recorded(subject, name)
    if (!object) throw notRecorded(name, 'version')
    const rows = await listVersionRows(db, object.id, { before: query.before, limit: query.limit + 1 })
    const items = await withAuthors(object, rows.slice(0, query.limit))
    const last = items.at(-1)
    return { items, ...(rows.length > items.length && last ? { continue: String(last.number) } : {}) }
  })

  bind(server, getVersion, async ({ params, query, subject }) => {
    const name = nameOf(params, query)
    const [object] = await recorded(subject, name)
    const [version] = object ? await listVersionRows(db, object.id, { before: params.number + 1, limit: 1 }) : []
    if (!object || version?.number !== params.number) throw notRecorded(name, `version ${params.number}`)
    return detailOf(object, version, query.against ?? params.number - 1)
  })

  bind(server, getStateAt, async ({ params, query, subject }) => {
    const name = nameOf(params, query)
    const time = query.time ?? new Date().toISOString()
    for (const object of await recorded(subject, name)) {
      const version = await findVersionAt(db, object.id, time)
      if (version && version.change !== 'deleted') return detailOf(object, version, version.number - 1)
    }
    throw notRecorded(name, `state at ${time}`)
  })

  bind(server, listChanges, async ({ query, subject }) => ({ items: await changesFor(subject, query) }))

  /** The versions with who had each done, as far as that is known. */
  async function withAuthors(object: RecordedObject, versions: ObjectVersion[]): Promise<ObjectVersion[]> {
    const times = versions.flatMap(({ time, managedTime }) => [Date.parse(time), Date.parse(managedTime ?? time)])
    if (times.length === 0) return versions
    const at = (time: number) => new Date(time).toISOString()
    const span = { since: at(Math.min(...times) - AROUND_MS), until: at(Math.max(...times) + AROUND_MS) }
    const newest = versions[0]?.number ?? 0
    // One that follows may be whose it was.
    const next = await listVersionRows(db, object.id, { before: newest + 2, limit: 1 })
    const authors = authorsOf(
      [...next.filter(({ number }) => number > newest), ...versions],
      await authorships(object, span),
    )
    return versions.map((version) => ({ ...version, ...authors.get(version.number) }))
  }

  /** The newest ones that they may see: mostly that is all of them; else only places are read that they may list. */
  async function changesFor(subject: Subject, filter: ChangeFilter): Promise<ChangedObject[]> {
    const { may } = readerOf(subject)
    const seen = ({ resource, cluster, namespace }: KindPlace) => may(resource, cluster, namespace)
    const all = await listChangeRows(db, filter)
    if (all.every(seen)) return all
    const places = (await listPlaces(db, filter)).filter(seen)
    return places.length === 0 ? [] : await listChangeRows(db, filter, places)
  }

  async function detailOf(object: RecordedObject, version: ObjectVersion, against: number): Promise<VersionDetail> {
    const contents = await contentsOf(
      db,
      object.id,
      [version.number, against].filter((number) => number > 0),
    )
    const before = contents.get(against) as KubeObject | undefined
    const after = contents.get(version.number) as KubeObject
    const { cluster, resource, kind, namespace, name, uid } = object
    const [authored] = await withAuthors(object, [version])
    return {
      ...version,
      ...authored,
      ...{ cluster, resource, kind, namespace, name, uid },
      yaml: stringify(after as unknown as Json, { lineWidth: 0 }),
      ...(before ? { comparedWith: against } : {}),
      changes: version.change === 'deleted' && against === version.number - 1 ? [] : fieldChanges(before, after),
    }
  }
}

/** What changed an object may have been accepted some time before it did. */
const AROUND_MS = 60_000

const nameOf = (
  { cluster, resource, name }: { cluster: string; resource: string; name: string },
  { namespace, uid }: { namespace: string; uid?: string | undefined },
): ObjectName => ({ cluster, resource, namespace, name, uid })

const notRecorded = ({ cluster, resource, namespace, name }: ObjectName, what: string) =>
  notFound({
    detail: `No ${what} of ${resource} ${namespace === '' ? name : `${namespace}/${name}`} on ${cluster} is recorded, or you may not see it. qd versions lists what is; not every kind is recorded.`,
  })
