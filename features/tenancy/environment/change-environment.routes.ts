import { noSuchPlace } from '@quarterdeck/http'
import { clusterForbidden, conflict, isProblem, type Json, type KubeObject, notFound, refOf } from '@quarterdeck/kernel'
import type { Cluster } from '@quarterdeck/kube'
import type { Db } from '@quarterdeck/store'
import type { ChangeRequest, MakeChange } from '../../delivery/operation/operation.contract.ts'
import { noLonger, objectsOf } from './arrangement.rules.ts'
import {
  createEnvironment,
  environmentInUse,
  namespaceTaken,
  PodSecurity,
  type Stage,
  updateEnvironment,
} from './environment.contract.ts'
import {
  type EnvironmentDefinition,
  isForeign,
  isReserved,
  madeByOthers,
  named,
  namespaceRef,
  released,
} from './environment.rules.ts'
import { definition, type EnvironmentRow, find, findByNamespace, list } from './environment.store.ts'
import type { MirroredQuotas } from './usage.routes.ts'

export interface EnvironmentRoutesOptions {
  db: Db
  makeChange: MakeChange
  /** Throws notFound for a cluster that is not registered. */
  clusterOf: (name: string) => Promise<Cluster>
  /** For what is used; undefined while it is not open yet. */
  mirrored?: () => MirroredQuotas | undefined
  /** How many applications each environment holds. */
  countApplications: (db: Db) => Promise<Record<string, number>>
  /** The tenant that a project is in; undefined when there is no such project. */
  tenantOf: (db: Db, project: string) => Promise<string | undefined>
  /** Resolves once a change that was committed counts for who may do what. */
  changed: () => Promise<void>
}

/** An environment as it is asked for; what is absent stays as it is. */
type Wish = Pick<EnvironmentDefinition, 'name' | 'cluster' | 'namespace' | 'stage'> & {
  [Key in 'title' | 'project' | 'quota' | 'limits' | 'isolation' | 'podSecurity']?:
    | EnvironmentDefinition[Key]
    | undefined
}

type Parts = Pick<EnvironmentRoutesOptions, 'db' | 'clusterOf' | 'tenantOf'>

/** The change that makes an environment, or makes one that is there as it is asked for. */
export async function change(
  { db, clusterOf, tenantOf }: Parts,
  wish: Wish,
  { mayAdopt = false, update = false }: { mayAdopt?: boolean; update?: boolean },
): Promise<ChangeRequest> {
  const { name, cluster, namespace } = wish
  const [row, holder, there] = await Promise.all([
    find(db, name),
    findByNamespace(db, cluster, namespace),
    clusterOf(cluster).then((found) => found.get(namespaceRef(namespace))),
  ])
  refuseElsewhere(wish, row, holder)
  const project = wish.project ?? row?.project ?? 'default'
  const tenant = await tenantOf(db, project)
  if (tenant === undefined) throw notFound({ detail: noSuchPlace('project', project) })
  if (row && row.tenant !== tenant) {
    throw conflict({
      detail: `Environment ${name} belongs to tenant ${row.tenant}, project ${project} to tenant ${tenant}; it moves only within its tenant.`,
    })
  }
  const before = row && definition(row)
  const after = arranged({ ...wish, project }, { tenant, before, there })
  const adopts = there !== undefined && row === undefined
  const moved = row && row.project !== project
  return {
    type: update ? updateEnvironment.id : createEnvironment.id,
    summary: row
      ? `Change environment ${name}, namespace ${namespace} on cluster ${cluster}`
      : `Make environment ${name} with namespace ${namespace} on cluster ${cluster}`,
    target: { cluster, namespace, environment: name, what: 'environment' },
    desired: objectsOf(after),
    removed: before ? noLonger(before, after) : [],
    before: before ? objectsOf(before) : [],
    blockers: [
      ...(isReserved(namespace)
        ? [{ pointer: '/namespace', detail: `Namespace ${namespace} belongs to Kubernetes itself; choose another.` }]
        : []),
      ...(adopts && !mayAdopt
        ? [
            {
              pointer: '/namespace',
              detail: `Namespace ${namespace} is there already on cluster ${cluster}. Choose another, or ask somebody who has environment.create for the platform to take it over.`,
            },
          ]
        : []),
    ],
    warnings: [
      ...(adopts && mayAdopt ? [await adoption(await clusterOf(cluster), namespace)] : []),
      ...(moved
        ? [
            `It leaves project ${row.project}: what was granted there counts in it no more, what is granted in ${project} does.`,
          ]
        : []),
    ],
    definition: {
      owner: 'environment',
      key: name,
      before: (before ?? null) as Json | null,
      after: after as Json,
      basis: row?.operation ?? null,
    },
  }
}

/** Throws when the name or the namespace is taken, or the environment is on its way out. */
function refuseElsewhere(
  { name, cluster, namespace }: Wish,
  row: EnvironmentRow | undefined,
  holder: EnvironmentRow | undefined,
): void {
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
}

/** What was not asked for stays; where nothing was, a new namespace is kept apart and one that is there left alone. */
function arranged(
  wish: Wish & { project: string },
  {
    tenant,
    before,
    there,
  }: { tenant: string; before: EnvironmentDefinition | undefined; there: KubeObject | undefined },
): EnvironmentDefinition {
  const { name, cluster, namespace, stage, project } = wish
  const title = wish.title ?? before?.title
  const limits = wish.limits ?? before?.limits
  const kept = before !== undefined || there !== undefined
  const enforced = PodSecurity.safeParse(there?.metadata.labels?.['pod-security.kubernetes.io/enforce'])
  return {
    ...{ name, cluster, namespace, stage, project, tenant },
    createTime: before?.createTime ?? new Date().toISOString(),
    // What we did not make is not ours to delete. Once it is gone, the next one of this name is.
    adopted: there !== undefined && (before?.adopted ?? true),
    quota: wish.quota ?? before?.quota ?? {},
    isolation: wish.isolation ?? before?.isolation ?? (kept ? 'open' : 'isolated'),
    podSecurity:
      wish.podSecurity ??
      before?.podSecurity ??
      enforced.data ??
      (kept ? ('privileged' as const) : ('baseline' as const)),
    ...(title ? { title } : {}),
    ...(limits && Object.keys(limits).length > 0 ? { limits } : {}),
  }
}

async function adoption(cluster: Cluster, namespace: string): Promise<string> {
  const others = await othersIn(cluster, namespace)
  const what = others.length > 0 ? `${named(others)} in it stay as they are` : 'what is in it stays as it is'
  return `Namespace ${namespace} is there already; ${what}, and deleting the environment will leave it there.`
}

/** The change that deletes an environment, with the namespace where that is ours. Throws environmentInUse. */
export async function deletion(
  { db, clusterOf, countApplications }: Pick<EnvironmentRoutesOptions, 'db' | 'clusterOf' | 'countApplications'>,
  row: EnvironmentRow,
  force: boolean,
): Promise<ChangeRequest> {
  const { name } = row
  const count = (await countApplications(db))[name] ?? 0
  if (count > 0) {
    throw environmentInUse({
      detail: `Environment ${name} still holds ${count === 1 ? 'an application' : `${count} applications`}; delete them first.`,
    })
  }
  const cluster = await clusterOf(row.cluster)
  const request = {
    type: 'environment.delete',
    target: { cluster: row.cluster, namespace: row.namespace, environment: name, what: 'environment' },
    before: objectsOf(definition(row)),
    definition: {
      owner: 'environment',
      key: name,
      before: definition(row) as Json,
      after: null,
      basis: row.operation,
    },
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
    removed: objectsOf(definition(row)).map(refOf),
    blockers: force
      ? []
      : lost.map((what) => ({ pointer: '', detail: `${what}. Delete them first, or repeat with force=true.` })),
    warnings: force ? lost.map((what) => `${what}. They are deleted with it.`) : [],
  }
}

/** A namespace that was there before the environment stays, with everything in it. */
async function release(cluster: Cluster, row: EnvironmentRow, others: KubeObject[]) {
  const { name, namespace } = row
  const live = await Promise.all(objectsOf(definition(row)).map((object) => cluster.get(refOf(object))))
  const ours = live.flatMap((object) => (object && !isForeign(object, name) ? [refOf(object)] : []))
  const there = live.some((object) => object?.kind === 'Namespace')
  const effect = 'The namespace and what others made in it stay; the labels of Quarterdeck are taken off'
  return {
    summary: `Delete environment ${name} and leave namespace ${namespace} on cluster ${cluster.name} as it is`,
    desired: there ? [released(namespace)] : [],
    removed: ours.filter(({ kind }) => kind !== 'Namespace'),
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
  options: Parts & Pick<EnvironmentRoutesOptions, 'makeChange'>,
  { cluster, name = 'dev', stage = 'dev' }: { cluster: string; name?: string; stage?: Stage },
): Promise<{ name: string; operation?: string }> {
  const [first] = await list(options.db)
  if (first) return { name: first.name }
  const namespace = await freeNamespace(await options.clusterOf(cluster), name)
  const made = await options.makeChange(
    {
      endpoint: createEnvironment.id,
      subject: { name: 'quarterdeck', kind: 'user', permissions: ['*'] },
      params: { environment: name },
      query: { dryRun: false, force: false, reason: 'The first environment of this installation' },
      body: { cluster, stage, namespace, isolation: 'open' },
      idempotencyKey: `first-environment-${cluster}-${new Date().toISOString()}`,
    },
    () => change(options, { name, cluster, namespace, stage, isolation: 'open' }, { mayAdopt: true }),
  )
  return made.kind === 'Operation' ? { name, operation: made.id } : { name }
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
