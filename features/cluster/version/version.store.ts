import type { Json } from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import { type Generated, sql } from 'kysely'
import type { ChangedObject, ObjectVersion } from './version.contract.ts'
import { afterSteps, type Step, stepsBetween } from './version.rules.ts'

interface ObjectTable {
  id: Generated<string>
  cluster: string
  resource: string
  kind: string
  namespace: string
  name: string
  uid: string
  number: number
  content: string
  deleteTime: string | null
}
interface VersionTable {
  object: string
  number: number
  time: string
  change: ObjectVersion['change']
  generation: string
  revision: string
  manager: string
  managedTime: string | null
  back: string
}
const table = (db: Db) => db.withTables<{ recorded_object: ObjectTable; object_version: VersionTable }>()

/** A state of an object to be recorded; `content` is JSON, '' when deleted. */
export interface Change {
  change: ObjectVersion['change']
  namespace: string
  name: string
  uid: string
  generation: number
  revision: string
  /** Milliseconds since 1970. */
  time: number
  manager: string
  /** RFC 3339, or ''. */
  managedTime: string
  content: string
}
export interface Place {
  cluster: string
  resource: string
  kind: string
}

const AT_ONCE = 200

/**
 * Records changes in their order. Safe to repeat, and to do on several servers at once: a revision that is recorded, or
 * content that is the newest already, adds nothing. Answers how many versions were added.
 */
export async function record(db: Db, place: Place, changes: readonly Change[]): Promise<number> {
  let added = 0
  for (let from = 0; from < changes.length; from += AT_ONCE) {
    const part = changes.slice(from, from + AT_ONCE)
    added += await transaction(db, (tx) => recordPart(tx, place, part))
  }
  return added
}

interface Known {
  number: number
  content: string
  deleteTime: string | null
  /** Those of the changes in hand that are recorded. */
  revisions: ReadonlySet<string>
  last: Change
}

async function recordPart(tx: Db, place: Place, changes: readonly Change[]): Promise<number> {
  // One recorder of a kind at a time: the second sees what the first has added.
  await sql`select pg_advisory_xact_lock(hashtextextended(${`version ${place.cluster} ${place.resource}`}, 0))`.execute(
    tx,
  )
  const known = await findKnown(tx, place, changes)
  const versions: (Omit<VersionTable, 'object'> & { uid: string })[] = []
  const changed = new Set<string>()
  for (const change of changes) {
    const before = known.get(change.uid)
    const next = follow(before, change)
    if (!next) continue
    known.set(change.uid, next.object)
    changed.add(change.uid)
    versions.push({ ...next.version, uid: change.uid })
  }
  if (versions.length === 0) return 0
  const ids = await saveObjects(tx, place, changed, known)
  await table(tx)
    .insertInto('object_version')
    .values(versions.map(({ uid, ...version }) => ({ ...version, object: ids.get(uid) ?? '' })))
    .execute()
  return versions.length
}

/** What the change makes of what is known; undefined when it says nothing new. */
function follow(before: Known | undefined, change: Change) {
  const gone = change.change === 'deleted'
  if (gone && (!before || before.deleteTime !== null)) return undefined
  if (!gone && before?.revisions.has(change.revision)) return undefined
  const content = gone ? (before?.content ?? '') : change.content
  const back: Step[] = before ? stepsBetween(JSON.parse(content) as Json, JSON.parse(before.content) as Json) : []
  if (before && !gone && before.deleteTime === null && back.length === 0) return undefined
  const number = (before?.number ?? 0) + 1
  const time = new Date(change.time).toISOString()
  const { generation, revision, manager, managedTime } = change
  return {
    object: {
      number,
      content,
      deleteTime: gone ? time : null,
      revisions: new Set([...(before?.revisions ?? []), revision]),
      last: change,
    },
    version: {
      number,
      time,
      change: change.change,
      generation: String(generation),
      revision,
      manager,
      managedTime: managedTime || null,
      back: JSON.stringify(back),
    },
  }
}

async function findKnown(tx: Db, { cluster, resource }: Place, changes: readonly Change[]) {
  const rows = await table(tx)
    .selectFrom('recorded_object')
    .select(['id', 'uid', 'number', 'content', 'deleteTime'])
    .where('cluster', '=', cluster)
    .where('resource', '=', resource)
    .where('uid', 'in', [...new Set(changes.map(({ uid }) => uid))])
    .execute()
  const recorded = await table(tx)
    .selectFrom('object_version')
    .select(['object', 'revision'])
    .where('object', 'in', rows.length > 0 ? rows.map(({ id }) => id) : ['0'])
    .where('revision', 'in', [...new Set(changes.map(({ revision }) => revision))])
    .execute()
  const revisions = Map.groupBy(recorded, ({ object }) => object)
  const byUid = new Map(changes.map((change) => [change.uid, change]))
  return new Map<string, Known>(
    rows.flatMap((row) => {
      const last = byUid.get(row.uid)
      const known = new Set((revisions.get(row.id) ?? []).map(({ revision }) => revision))
      return last ? [[row.uid, { ...row, revisions: known, last }] as const] : []
    }),
  )
}

/** Answers the objects' ids by uid. */
async function saveObjects(tx: Db, place: Place, changed: ReadonlySet<string>, known: ReadonlyMap<string, Known>) {
  const rows = [...changed].sort().flatMap((uid) => {
    const object = known.get(uid)
    if (!object) return []
    const { namespace, name } = object.last
    return [
      { ...place, namespace, name, uid, number: object.number, content: object.content, deleteTime: object.deleteTime },
    ]
  })
  const saved = await table(tx)
    .insertInto('recorded_object')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['cluster', 'resource', 'uid']).doUpdateSet(({ ref }) => ({
        number: ref('excluded.number'),
        content: ref('excluded.content'),
        deleteTime: ref('excluded.deleteTime'),
      })),
    )
    .returning(['id', 'uid'])
    .execute()
  return new Map(saved.map(({ id, uid }) => [uid, id]))
}

/** Names an object; without `uid` the one of this name that was there last. */
export interface ObjectName {
  cluster: string
  resource: string
  namespace: string
  name: string
  uid?: string | undefined
}

const named = (db: Db, { cluster, resource, namespace, name, uid }: ObjectName) => {
  const all = table(db)
    .selectFrom('recorded_object')
    .where('cluster', '=', cluster)
    .where('resource', '=', resource)
    .where('namespace', '=', namespace)
    .where('name', '=', name)
  return uid === undefined ? all : all.where('uid', '=', uid)
}

/** Recorded objects of this name, the last one first. */
export const findObjects = (db: Db, name: ObjectName) =>
  named(db, name)
    .select(['id', 'cluster', 'resource', 'kind', 'namespace', 'name', 'uid', 'number', 'deleteTime'])
    .orderBy(sql`"deleteTime" is not null`)
    .orderBy('deleteTime', 'desc')
    .orderBy('id', 'desc')
    .limit(100)
    .execute()
export type RecordedObject = Awaited<ReturnType<typeof findObjects>>[number]

const VERSION = ['number', 'time', 'change', 'generation', 'revision', 'manager', 'managedTime'] as const
type VersionRow = Pick<VersionTable, (typeof VERSION)[number]>
export const versionOf = ({ generation, managedTime, ...rest }: VersionRow): ObjectVersion => ({
  ...rest,
  generation: Number(generation),
  ...(managedTime === null ? {} : { managedTime }),
})

/** Newest first. */
export async function listVersionRows(
  db: Db,
  object: string,
  { before, limit }: { before?: number | undefined; limit: number },
): Promise<ObjectVersion[]> {
  const all = table(db).selectFrom('object_version').select(VERSION).where('object', '=', object)
  const rows = await (before === undefined ? all : all.where('number', '<', before))
    .orderBy('number', 'desc')
    .limit(limit)
    .execute()
  return rows.map(versionOf)
}

/** The version that held at `time`; undefined when none did. */
export const findVersionAt = (db: Db, object: string, time: string): Promise<ObjectVersion | undefined> =>
  table(db)
    .selectFrom('object_version')
    .select(VERSION)
    .where('object', '=', object)
    .where('time', '<=', time)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst()
    .then((row) => row && versionOf(row))

/** Contents by number, worked out from the newest one backwards; numbers that are not kept are absent. */
export async function contentsOf(db: Db, object: string, numbers: readonly number[]): Promise<Map<number, Json>> {
  const least = Math.min(...numbers)
  const newest = await table(db)
    .selectFrom('recorded_object')
    .select(['content', 'number'])
    .where('id', '=', object)
    .executeTakeFirst()
  const found = new Map<number, Json>()
  if (!newest) return found
  const rows = await table(db)
    .selectFrom('object_version')
    .select(['number', 'back'])
    .where('object', '=', object)
    .where('number', '>=', least)
    .where('number', '<=', newest.number)
    .orderBy('number', 'desc')
    .execute()
  let content = JSON.parse(newest.content) as Json
  for (const { number, back } of rows) {
    if (numbers.includes(number)) found.set(number, content)
    if (number > least) content = afterSteps(content, JSON.parse(back) as Step[])
  }
  return found
}

// What the parts of Kubernetes itself call themselves as field managers.
const CONTROLLERS = [
  'kube-controller-manager',
  'kube-apiserver',
  'kube-scheduler',
  'kubelet',
  'cloud-controller-manager',
  'clusterrole-aggregation-controller',
]

export interface ChangeFilter {
  cluster?: string | undefined
  namespace?: string | undefined
  resource?: string | undefined
  manager?: string | undefined
  /** False: without what the cluster's own controllers changed. */
  controllers?: boolean
  since?: string | undefined
  until?: string | undefined
  limit: number
}

/** Where objects of a kind are. */
export interface KindPlace {
  cluster: string
  resource: string
  namespace: string
}

/** Places of which something is recorded that the filter lets through. */
export function listPlaces(db: Db, filter: Pick<ChangeFilter, 'cluster' | 'namespace' | 'resource'>) {
  let query = table(db).selectFrom('recorded_object').select(['cluster', 'resource', 'namespace']).distinct()
  for (const column of ['cluster', 'namespace', 'resource'] as const) {
    const value = filter[column]
    if (value !== undefined) query = query.where(column, '=', value)
  }
  return query.execute()
}

/** Changes of all objects (or of those in some places), newest first; what was merely listed is left out. */
export async function listChangeRows(
  db: Db,
  filter: ChangeFilter,
  places?: readonly KindPlace[],
): Promise<ChangedObject[]> {
  let query = table(db)
    .selectFrom('object_version as version')
    .innerJoin('recorded_object as object', 'object.id', 'version.object')
    .select(VERSION.map((column) => `version.${column}` as const))
    .select(['cluster', 'resource', 'kind', 'namespace', 'name', 'uid'])
    .where('change', '<>', 'listed')
  for (const column of ['cluster', 'namespace', 'resource', 'manager'] as const) {
    const value = filter[column]
    if (value !== undefined) query = query.where(column, '=', value)
  }
  if (places) {
    const of = (column: keyof KindPlace) => places.map((place) => place[column])
    query = query.where(
      sql<boolean>`(cluster, resource, namespace) in
        (select * from unnest(${of('cluster')}::text[], ${of('resource')}::text[], ${of('namespace')}::text[]))`,
    )
  }
  if (filter.controllers === false) query = query.where('manager', 'not in', CONTROLLERS)
  if (filter.since !== undefined) query = query.where('time', '>=', filter.since)
  if (filter.until !== undefined) query = query.where('time', '<', filter.until)
  const rows = await query
    .orderBy('time', 'desc')
    .orderBy('version.object')
    .orderBy('version.number', 'desc')
    .limit(filter.limit)
    .execute()
  return rows.map(({ cluster, resource, kind, namespace, name, uid, ...version }) => ({
    ...versionOf(version),
    cluster,
    resource,
    kind,
    namespace,
    name,
    uid,
  }))
}

/**
 * Forgets versions older than `before`, but for the newest of each object, and objects that were deleted, or whose
 * cluster was forgotten, before then. Works in parts, so that nobody waits long; answers whether there may be more.
 */
export async function prune(db: Db, before: string, clusters: readonly string[]): Promise<boolean> {
  const versions = await sql`
    delete from object_version version using (
      select v.object, v.number from object_version v
      join recorded_object o on o.id = v.object
      where v.time < ${before} and v.number < o.number
      limit ${PART}
    ) old where version.object = old.object and version.number = old.number`.execute(db)
  const objects = await sql`
    delete from recorded_object where id in (
      select o.id from recorded_object o
      join object_version v on v.object = o.id and v.number = o.number
      where v.time < ${before} and (o."deleteTime" is not null or not o.cluster = any(${[...clusters]}))
      limit ${PART}
    )`.execute(db)
  return [versions, objects].some(({ numAffectedRows }) => (numAffectedRows ?? 0n) >= BigInt(PART))
}

const PART = 2_000

/** Objects of a cluster that are not known to be deleted, by id, after `after`. */
export const listPresent = (db: Db, cluster: string, after: string, limit: number) =>
  table(db)
    .selectFrom('recorded_object')
    .select(['id', 'resource', 'kind', 'namespace', 'name', 'uid'])
    .where('cluster', '=', cluster)
    .where('deleteTime', 'is', null)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute()
