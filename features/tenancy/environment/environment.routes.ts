import { bind, type Server } from '@quarterdeck/http'
import {
  clusterForbidden,
  clusterUnreachable,
  conflict,
  isProblem,
  type Json,
  type KubeObject,
  notFound,
} from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import type { Db } from '@quarterdeck/store'
import type { ChangeRequest, MakeChange } from '../../delivery/operation/operation.contract.ts'
import {
  createEnvironment,
  deleteEnvironment,
  type Environment,
  environmentInUse,
  getEnvironment,
  listEnvironments,
  namespaceTaken,
  type Stage,
} from './environment.contract.ts'
import { isForeign, isReserved, madeByOthers, named, namespaceOf, namespaceRef, released } from './environment.rules.ts'
import { definition, type EnvironmentRow, find, findByNamespace, list } from './environment.store.ts'

export interface EnvironmentRoutesOptions {
  db: Db
  makeChange: MakeChange
  /** Throws notFound for a cluster that is not registered. */
  clusterOf: (name: string) => Promise<Cluster>
  /** How many applications each environment holds. */
  countApplications: (db: Db) => Promise<Record<string, number>>
}

/** Where an environment's objects go. */
export interface EnvironmentPlace {
  name: string
  cluster: string
  namespace: string
  stage: Stage
  deleting: boolean
}

/** Throws notFound for an environment that does not exist. */
export async function getEnvironmentPlace(db: Db, name: string): Promise<EnvironmentPlace> {
  const { cluster, namespace, stage, state } = await get(db, name)
  return { name, cluster, namespace, stage, deleting: state === 'Deleting' }
}

export function environmentRoutes(server: Server, options: EnvironmentRoutesOptions): void {
  const { db, makeChange } = options
  bind(server, listEnvironments, async () => {
    const [rows, counts] = await Promise.all([list(db), options.countApplications(db)])
    return { items: rows.map((row) => toEnvironment(row, counts)) }
  })
  bind(server, getEnvironment, async ({ params }) => {
    const [row, counts] = await Promise.all([get(db, params.environment), options.countApplications(db)])
    return { ...toEnvironment(row, counts), ...(await observed(options, row)) }
  })
  bind(server, createEnvironment, ({ params, query, body, subject, idempotencyKey }) =>
    makeChange({ endpoint: createEnvironment.id, subject, params, query, body, idempotencyKey }, () =>
      creation(options, { name: params.environment, ...body, namespace: body.namespace ?? params.environment }),
    ),
  )
  bind(server, deleteEnvironment, ({ params, query, body, subject, idempotencyKey }) =>
    makeChange({ endpoint: deleteEnvironment.id, subject, params, query, body, idempotencyKey }, () =>
      deletion(options, params.environment, query.force),
    ),
  )
}

async function get(db: Db, name: string): Promise<EnvironmentRow> {
  const row = await find(db, name)
  if (!row) throw notFound({ detail: `There is no environment ${name}. qd env list shows those that exist.` })
  return row
}

const toEnvironment = (row: EnvironmentRow, counts: Record<string, number>): Environment => ({
  ...definition(row),
  state: row.state,
  message: row.message,
  applications: counts[row.name] ?? 0,
})

/** What the cluster says of the namespace, where that is not what it should be. */
async function observed({ clusterOf }: EnvironmentRoutesOptions, row: EnvironmentRow): Promise<Partial<Environment>> {
  if (row.state !== 'Ready') return {}
  try {
    const namespace = await (await clusterOf(row.cluster)).get(namespaceRef(row.namespace))
    if (namespace && !namespace.metadata.deletionTimestamp) return {}
    const message = `Namespace ${row.namespace} ${namespace ? 'is being deleted' : 'is not'} on cluster ${row.cluster}${namespace ? ' by somebody else' : ' any more'}. Create the environment again to bring it back.`
    return { state: 'Failed', message }
  } catch (error) {
    if (!isProblem(error, clusterUnreachable) && !isProblem(error, notFound)) throw error
    return { state: 'Unknown', message: error.message }
  }
}

interface Wish {
  name: string
  cluster: string
  namespace: string
  stage: Stage
  title?: string | undefined
}

async function creation(
  { db, clusterOf }: Pick<EnvironmentRoutesOptions, 'db' | 'clusterOf'>,
  wish: Wish,
): Promise<ChangeRequest> {
  const { name, cluster, namespace, stage, title } = wish
  const [row, holder, there] = await Promise.all([
    find(db, name),
    findByNamespace(db, cluster, namespace),
    clusterOf(cluster).then((found) => found.get(namespaceRef(namespace))),
  ])
  if (holder && holder.name !== name) {
    throw namespaceTaken({
      detail: `Namespace ${namespace} of cluster ${cluster} belongs to environment ${holder.name}; choose another.`,
    })
  }
  if (row && (row.cluster !== cluster || row.namespace !== namespace)) {
    throw conflict({
      detail: `Environment ${name} is namespace ${row.namespace} of cluster ${row.cluster} and cannot move. Delete it first, or choose another name.`,
    })
  }
  if (row?.state === 'Deleting')
    throw conflict({ detail: `Environment ${name} is being deleted. Create it again when that has ended.` })
  const desired = namespaceOf({ name, namespace, stage })
  const after = {
    name,
    cluster,
    namespace,
    stage,
    createTime: row?.createTime ?? new Date().toISOString(),
    // What we did not make is not ours to delete. Once it is gone, the next one of this name is.
    adopted: there !== undefined && (row?.adopted ?? true),
    ...(title ? { title } : {}),
  }
  return {
    type: 'environment.create',
    summary: `${row ? 'Change' : 'Create'} environment ${name} (${stage}) on cluster ${cluster}`,
    target: { cluster, namespace, environment: name, what: 'environment' },
    desired: [desired],
    removed: [],
    before: row ? [namespaceOf(row)] : [],
    blockers: isReserved(namespace)
      ? [{ pointer: '/namespace', detail: `Namespace ${namespace} belongs to Kubernetes itself; choose another.` }]
      : [],
    warnings: there && !row ? [await adoption(await clusterOf(cluster), namespace)] : [],
    definition: {
      owner: 'environment',
      key: name,
      before: row ? definition(row) : null,
      after: after as Json,
      basis: row?.operation ?? null,
    },
  }
}

async function adoption(cluster: Cluster, namespace: string): Promise<string> {
  const others = await othersIn(cluster, namespace)
  const what = others.length > 0 ? `${named(others)} in it stay as they are` : 'what is in it stays as it is'
  return `Namespace ${namespace} is there already; ${what}, and deleting the environment will leave it there.`
}

async function deletion(
  { db, clusterOf, countApplications }: EnvironmentRoutesOptions,
  name: string,
  force: boolean,
): Promise<ChangeRequest> {
  const [row, counts] = await Promise.all([get(db, name), countApplications(db)])
  const count = counts[name] ?? 0
  if (count > 0) {
    throw environmentInUse({
      detail: `Environment ${name} still holds ${count === 1 ? 'an application' : `${count} applications`}; delete them first.`,
    })
  }
  const cluster = await clusterOf(row.cluster)
  const request = {
    type: 'environment.delete',
    target: { cluster: row.cluster, namespace: row.namespace, environment: name, what: 'environment' },
    before: [namespaceOf(row)],
    definition: { owner: 'environment', key: name, before: definition(row), after: null, basis: row.operation },
  }
  const others = await othersIn(cluster, row.namespace)
  if (row.adopted || isReserved(row.namespace)) return { ...request, ...(await release(cluster, row, others)) }
  const lost =
    others.length === 0
      ? []
      : [`Namespace ${row.namespace} also holds ${named(others)}, which Quarterdeck did not make`]
  return {
    ...request,
    summary: `Delete environment ${name} with namespace ${row.namespace} on cluster ${row.cluster}`,
    desired: [],
    removed: [namespaceRef(row.namespace)],
    blockers: force
      ? []
      : lost.map((what) => ({ pointer: '', detail: `${what}. Delete them first, or repeat with force=true.` })),
    warnings: force ? lost.map((what) => `${what}. They are deleted with it.`) : [],
  }
}

/** A namespace that was there before the environment stays, with everything in it. */
async function release(cluster: Cluster, { name, namespace }: EnvironmentRow, others: KubeObject[]) {
  const there = await cluster.get(namespaceRef(namespace))
  const effect = 'The namespace and everything in it stay; only the labels of Quarterdeck are taken off'
  return {
    summary: `Delete environment ${name} and leave namespace ${namespace} on cluster ${cluster.name} as it is`,
    desired: there ? [released(namespace)] : [],
    removed: [],
    effects: { [`Namespace ${namespace}`]: effect },
    warnings: [
      `Namespace ${namespace} was there before the environment, so it stays${others.length > 0 ? `, with ${named(others)}` : ''}.`,
    ],
  }
}

const KINDS = [
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'StatefulSet'],
  ['apps/v1', 'DaemonSet'],
  ['batch/v1', 'CronJob'],
  ['batch/v1', 'Job'],
  ['v1', 'Pod'],
  ['v1', 'PersistentVolumeClaim'],
] as const

/** What runs or is kept in a namespace and is not ours. What may not be read is left out. */
async function othersIn(cluster: Cluster, namespace: string): Promise<KubeObject[]> {
  const found = await Promise.all(
    KINDS.map(async ([apiVersion, kind]) => {
      const { items } = await cluster.list({ apiVersion, kind, namespace }).catch(nothingWhenForbidden)
      return items.map((object) => ({ ...object, apiVersion, kind }))
    }),
  )
  return madeByOthers(found.flat())
}

const nothingWhenForbidden = (error: unknown): { items: KubeObject[] } => {
  if (isProblem(error, clusterForbidden)) return { items: [] }
  throw error
}

/**
 * Makes the first environment of an installation when there is none, in a namespace that is nobody else's. Safe to repeat. Throws what the cluster answers;
 * try again when it is reachable.
 */
export async function ensureFirstEnvironment(
  options: Pick<EnvironmentRoutesOptions, 'db' | 'clusterOf' | 'makeChange'>,
  { cluster, name = 'dev', stage = 'dev' }: { cluster: string; name?: string; stage?: Stage },
): Promise<{ name: string; operation?: string }> {
  const [first] = await list(options.db)
  if (first) return { name: first.name }
  const namespace = await freeNamespace(await options.clusterOf(cluster), name)
  const change = await options.makeChange(
    {
      endpoint: createEnvironment.id,
      subject: { name: 'quarterdeck', kind: 'user', permissions: ['*'] },
      params: { environment: name },
      query: { dryRun: false, force: false, reason: 'The first environment of this installation' },
      body: { cluster, stage, namespace },
      idempotencyKey: `first-environment-${cluster}-${new Date().toISOString()}`,
    },
    () => creation(options, { name, cluster, namespace, stage }),
  )
  return change.kind === 'Operation' ? { name, operation: change.id } : { name }
}

const NAMES_TRIED = 20

/** The environment's own name, unless a namespace of this name is somebody else's. */
async function freeNamespace(cluster: Cluster, name: string): Promise<string> {
  for (let number = 1; number < NAMES_TRIED; number++) {
    const namespace = [name, `quarterdeck-${name}`][number - 1] ?? `quarterdeck-${name}-${number - 1}`
    if (!isForeign(await cluster.get(namespaceRef(namespace)), name)) return namespace
  }
  throw conflict({ detail: `Every namespace for the first environment, ${name} and quarterdeck-${name}, is taken.` })
}
