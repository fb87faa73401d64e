import type { Db } from '@quarterdeck/store'
import { sql } from 'kysely'

/** Names an object by its kind and as paths of the API do. */
export interface AuthoredObject {
  cluster: string
  kind: string
  plural: string
  namespace: string
  name: string
}

/** Somebody who had an object changed. */
export interface Authorship {
  user: string
  /** Absent: past operations, through the cluster's own API. */
  operation?: string
  act: 'write' | 'create' | 'delete'
  /** Between these the object was changed. */
  since: string
  until: string
}

/** A request through the cluster's own API is recorded just after it was carried out. */
const NATIVE_SECONDS = 5
const MOST = 2_000

/** Operations and recorded native requests that may have changed the object in a span of time, the newest first. */
export async function listAuthorships(
  db: Db,
  object: AuthoredObject,
  { since, until }: { since: string; until: string },
): Promise<Authorship[]> {
  const { cluster, kind, plural, namespace, name } = object
  const ref = { kind, name, ...(namespace === '' ? {} : { namespace }) }
  const inPlan = (action?: string) => JSON.stringify([{ ref, ...(action ? { action } : {}) }])
  const operations = await sql<Authorship>`
    select id as operation, actor as user, "acceptTime" as since, coalesce("endTime", now()) as until,
      case when plan->'changes' @> ${inPlan('delete')}::jsonb then 'delete' else 'write' end as act
    from operation
    where cluster = ${cluster} and "acceptTime" < ${until} and coalesce("endTime", now()) > ${since}
      and plan->'changes' @> ${inPlan()}::jsonb
    order by sequence desc limit ${MOST}`.execute(db)
  const native = await sql<Authorship>`
    select actor as user, time - make_interval(secs => ${NATIVE_SECONDS}) as since, time as until,
      case act when 'native.post' then 'create' when 'native.delete' then 'delete' else 'write' end as act
    from audit_event
    where time between ${since} and ${until} and outcome = 'succeeded'
      and what = ${`${cluster}//native`}
      -- What the index of the trail's text finds is looked at again.
      and lower(what || chr(10) || detail) like ${`%/${plural}%`}
      and ((act in ('native.put', 'native.patch', 'native.delete') and detail ~ ${pathOf(object, name)})
        or (act = 'native.post' and detail ~ ${pathOf(object)}))
    order by sequence desc limit ${MOST}`.execute(db)
  return [...operations.rows, ...native.rows]
}

/** A regular expression for the object's path (or its list's) in what the trail says of a native request. */
function pathOf({ namespace, plural }: AuthoredObject, name?: string): string {
  const plain = (text: string) => text.replaceAll('.', '[.]')
  const place = namespace === '' ? '' : `namespaces/${plain(namespace)}/`
  return `^[A-Z]+ [^ ?]*/${place}${plain(plural)}${name === undefined ? '' : `/${plain(name)}`}(\\?[^ ]*)?: [0-9]+$`
}
