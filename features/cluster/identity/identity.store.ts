import type { Db, JsonColumn } from '@quarterdeck/store'
import { sql } from 'kysely'
import type { ClusterAccess } from './identity.contract.ts'
import type { ProjectedGrant, Wanted } from './identity.rules.ts'

/** As packages/kube has it. */
interface ClusterIdentity {
  user: string
  uid: string
  groups: string[]
}

type Tables = {
  registered_cluster: { name: string }
  installation: { id: string }
  cluster_projection: {
    cluster: string
    state: ClusterAccess['state']
    messages: JsonColumn<string[]>
    observeTime: string
  }
  native_place: { cluster: string; namespace: string }
  cluster_person: ClusterIdentity & { name: string; createTime: string }
  cluster_identity: { kind: 'user' | 'group'; name: string; uid: string }
  native_grant: {
    id: string
    role: string
    roleName: string
    permissions: string[]
    holderKind: 'User' | 'Group'
    holder: string
    expireTime: string | null
    cluster: string | null
    namespace: string | null
  }
}
const tables = (db: Db) => db.withTables<Tables>()

/** Names of the registered clusters. */
export const listClusters = async (db: Db): Promise<string[]> =>
  (await tables(db).selectFrom('registered_cluster').select('name').orderBy('name').execute()).map(({ name }) => name)

/** What a cluster is to be told; undefined when it is not registered. */
export async function readWanted(db: Db, cluster: string): Promise<Wanted | undefined> {
  const clusters = await listClusters(db)
  if (!clusters.includes(cluster)) return undefined
  const [installation, identities, environments, rows] = await Promise.all([
    installationOf(db),
    tables(db).selectFrom('cluster_identity').selectAll().orderBy('name').execute(),
    tables(db)
      .selectFrom('native_place')
      .select('namespace')
      .where('cluster', '=', cluster)
      .orderBy('namespace')
      .execute(),
    tables(db)
      .selectFrom('native_grant')
      .selectAll()
      .where((where) => where.or([where('cluster', '=', cluster), where('cluster', 'is', null)]))
      .where((where) => where.or([where('expireTime', 'is', null), where('expireTime', '>', sql<string>`now()`)]))
      .orderBy('id')
      .orderBy('namespace')
      .execute(),
  ])
  return {
    installation,
    cluster,
    clusters,
    users: identities.filter(({ kind }) => kind === 'user').map(({ name, uid }) => ({ name, uid })),
    groups: identities.filter(({ kind }) => kind === 'group').map(({ name }) => name),
    namespaces: environments.map(({ namespace }) => namespace),
    grants: [...Map.groupBy(rows, ({ id }) => id).values()].flatMap((some): ProjectedGrant[] => {
      const [first] = some
      if (!first) return []
      const { id, role, roleName, permissions, holderKind, holder } = first
      const namespaces = some.flatMap(({ namespace }) => namespace ?? [])
      const places = first.cluster === null ? undefined : namespaces
      return [{ id, role, roleName, permissions, holder: { kind: holderKind, name: holder }, namespaces: places }]
    }),
  }
}

async function installationOf(db: Db): Promise<string> {
  const find = () => tables(db).selectFrom('installation').select('id').executeTakeFirst()
  const found = await find()
  if (found) return found.id
  await sql`insert into installation select gen_random_uuid() where not exists (select from installation)`.execute(db)
  return (await find())?.id ?? installationOf(db)
}

/** How far a cluster has been told; nothing when it is not registered any more. */
export async function saveAccess(db: Db, cluster: string, { state, messages }: Omit<ClusterAccess, 'observeTime'>) {
  await sql`insert into cluster_projection (cluster, state, messages)
    select name, ${state}, ${JSON.stringify(messages)}::jsonb from registered_cluster where name = ${cluster}
    on conflict (cluster) do update
    set state = excluded.state, messages = excluded.messages, "observeTime" = now()`.execute(db)
}

/** Undefined while nobody has looked. */
export const findAccess = (db: Db, cluster: string) =>
  tables(db)
    .selectFrom('cluster_projection')
    .select(['state', 'messages', 'observeTime'])
    .where('cluster', '=', cluster)
    .executeTakeFirst()

/** Who has a name, and had it at that time already; undefined for nobody, or somebody who is disabled. */
export const findPerson = (db: Db, name: string, since: string): Promise<ClusterIdentity | undefined> =>
  tables(db)
    .selectFrom('cluster_person')
    .select(['user', 'uid', 'groups'])
    .where('name', '=', name)
    .where('createTime', '<=', since)
    .executeTakeFirst()
