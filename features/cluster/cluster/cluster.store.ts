import type { Db, JsonColumn } from '@quarterdeck/store'
import { type Generated, sql } from 'kysely'
import { invalidKubeconfig } from './cluster.contract.ts'
import type { Observation } from './observation.rules.ts'
import { heldSentence } from './other-cluster.rules.ts'

interface ClusterTable {
  name: string
  title: string
  origin: 'local' | 'kubeconfig'
  simulated: boolean
  server: string
  context: string | null
  allowPlugin: boolean
  sealedKubeconfig: string
  uid: string | null
  otherUid: string | null
  createTime: Generated<string>
  observeTime: string | null
  observation: JsonColumn<Observation> | null
}
const table = (db: Db) => db.withTables<{ cluster: ClusterTable }>()

/** Seals and opens secrets; packages/kube's key file is one. */
export interface Sealer {
  seal(text: string, owner: string): string
  open(sealed: string, owner: string): string
}

/** What a registration says. */
export interface Registration {
  name: string
  title: string
  origin: 'local' | 'kubeconfig'
  simulated: boolean
  /** Address of the API server, as the kubeconfig has it. */
  server: string
  /** YAML with everything inside. */
  kubeconfig: string
  /** Absent: the kubeconfig's current context. */
  context?: string | undefined
  /** True: its credential plugin may be run here; only for the file that the operator started the server with. */
  allowPlugin?: boolean
  /** Which cluster it is from now on; null: it does not say. Absent: the one that it was. */
  uid?: string | null
}

/** A registered cluster without its kubeconfig, and what was last seen of it. */
export interface ClusterRow {
  name: string
  title: string
  origin: 'local' | 'kubeconfig'
  simulated: boolean
  server: string
  observeTime: string | null
  observation: Observation | null
  /** Uid of its namespace kube-system; null while nobody has been able to read it. */
  uid: string | null
  /** Of another cluster that is behind this registration now: then nothing is done there. */
  otherUid: string | null
}
const COLUMNS = [
  'name',
  'title',
  'origin',
  'simulated',
  'server',
  'observeTime',
  'observation',
  'uid',
  'otherUid',
] as const

/** Owner of the sealed text: a row's kubeconfig cannot be moved to another row. */
const ownerOf = (name: string) => `cluster/${name}`

const SEEN_OF_THE_SAME_SERVER = {
  observeTime: sql<string | null>`case when cluster.server = excluded.server then cluster."observeTime" end`,
  observation: sql<string | null>`case when cluster.server = excluded.server then cluster.observation end`,
}

/**
 * Registers the cluster, or gives it a new kubeconfig when `replace`; what was seen at another address is then
 * forgotten. False when a cluster of this name is there and must not be replaced. Afterwards the registry of
 * connections has to be told.
 */
export async function saveCluster(
  db: Db,
  sealer: Sealer,
  { kubeconfig, context, allowPlugin = false, uid, ...row }: Registration,
  { replace }: { replace: boolean },
): Promise<boolean> {
  const sealedKubeconfig = sealer.seal(kubeconfig, ownerOf(row.name))
  const values = {
    ...row,
    context: context ?? null,
    allowPlugin,
    sealedKubeconfig,
    ...(uid === undefined ? {} : { uid, otherUid: null }),
  }
  const insert = table(db).insertInto('cluster').values(values)
  const saved = await insert
    .onConflict((on) => {
      const name = on.column('name')
      return replace ? name.doUpdateSet({ ...values, ...SEEN_OF_THE_SAME_SERVER }) : name.doNothing()
    })
    .returning('name')
    .executeTakeFirst()
  return saved !== undefined
}

// Sealing the same text again makes another, so every registration is one.
const REVISION = sql<string>`md5("sealedKubeconfig" || coalesce(context, '') || coalesce("otherUid", ''))`.as(
  'revision',
)

/** Another for each registration of this name, as findKubeconfig tells it. Undefined when there is none. */
export const findRevision = async (db: Db, name: string): Promise<string | undefined> =>
  (await table(db).selectFrom('cluster').select(REVISION).where('name', '=', name).executeTakeFirst())?.revision

/** For the registry of connections. Undefined when no cluster has this name; throws invalidKubeconfig with another key. */
export async function findKubeconfig(
  db: Db,
  sealer: Sealer,
  name: string,
): Promise<
  { kubeconfig: string; context?: string; allowPlugin: boolean; revision: string; held?: string } | undefined
> {
  const row = await table(db)
    .selectFrom('cluster')
    .select(['name', 'server', 'sealedKubeconfig', 'context', 'allowPlugin', 'uid', 'otherUid', REVISION])
    .where('name', '=', name)
    .executeTakeFirst()
  if (!row) return undefined
  return {
    allowPlugin: row.allowPlugin,
    revision: row.revision,
    kubeconfig: opened(sealer, row.sealedKubeconfig, name),
    ...(row.context === null ? {} : { context: row.context }),
    ...(row.otherUid === null ? {} : { held: heldSentence(row) }),
  }
}

function opened(sealer: Sealer, sealed: string, name: string): string {
  try {
    return sealer.open(sealed, ownerOf(name))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw invalidKubeconfig({ detail: `${why} Put the right key file back, or register ${name} again with replace.` })
  }
}

/** How many rows the key file has sealed. */
export async function countSealed(db: Db): Promise<number> {
  const row = await table(db)
    .selectFrom('cluster')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return row.count
}

export const findCluster = (db: Db, name: string): Promise<ClusterRow | undefined> =>
  table(db).selectFrom('cluster').select(COLUMNS).where('name', '=', name).executeTakeFirst()

/** By name. */
export const listClusterRows = (db: Db): Promise<ClusterRow[]> =>
  table(db).selectFrom('cluster').select(COLUMNS).orderBy('name').execute()

/**
 * Takes note of which cluster is behind a registration. Once it is another one than it was, nothing is done there until
 * it is the old one again, or somebody has confirmed it. Answers whether that has changed.
 */
export async function saveUid(db: Db, { name, server }: Pick<ClusterRow, 'name' | 'server'>, uid: string) {
  const known = await sql<{ changed: boolean }>`
    update cluster set uid = coalesce(cluster.uid, ${uid}), "otherUid" = nullif(${uid}, coalesce(cluster.uid, ${uid}))
    from (select name, "otherUid" as before from cluster where name = ${name} for update) as old
    where cluster.name = old.name and server = ${server}
    returning old.before is distinct from cluster."otherUid" as changed`.execute(db)
  return known.rows[0]?.changed ?? false
}

/** The same row, which nobody else changes until the transaction ends. */
export const lockCluster = (tx: Db, name: string): Promise<ClusterRow | undefined> =>
  table(tx).selectFrom('cluster').select(COLUMNS).where('name', '=', name).forUpdate().executeTakeFirst()

/** Keeps what was seen, unless the cluster has been given another API server meanwhile. */
export async function saveObservation(db: Db, row: ClusterRow, observation: Observation): Promise<void> {
  await table(db)
    .updateTable('cluster')
    .set({ observation: JSON.stringify(observation), observeTime: sql<string>`now()` })
    .where('name', '=', row.name)
    .where('server', '=', row.server)
    .execute()
}

/** Forgets the cluster and its kubeconfig. False when it was not there. */
export async function deleteCluster(db: Db, name: string): Promise<boolean> {
  const gone = await table(db).deleteFrom('cluster').where('name', '=', name).returning('name').executeTakeFirst()
  return gone !== undefined
}
