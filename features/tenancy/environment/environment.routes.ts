import { bind, type Context, noSuchPlace, type Server } from '@quarterdeck/http'
import { isProblem, notFound, refOf } from '@quarterdeck/kernel'
import type { Db } from '@quarterdeck/store'
import type { Change } from '../../delivery/operation/operation.contract.ts'
import { amountOf, type QuotaUse, quotaResources } from '../tenant/quota.contract.ts'
import type { Used } from '../tenant/tree.contract.ts'
import { objectsOf, outdated } from './arrangement.rules.ts'
import { change, deletion, type EnvironmentRoutesOptions } from './change-environment.routes.ts'
import {
  createEnvironment,
  deleteEnvironment,
  type Environment,
  type EnvironmentDetail,
  getEnvironment,
  listEnvironments,
  type Stage,
  updateEnvironment,
} from './environment.contract.ts'
import { definition, type EnvironmentRow, find, list } from './environment.store.ts'
import { usageReader } from './usage.routes.ts'

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
  const usedIn = usageReader(options)
  bind(server, listEnvironments, async ({ query, may }) => {
    const [rows, counts] = await Promise.all([list(db), options.countApplications(db)])
    const wanted = rows.filter(
      ({ project, tenant }) => project === (query.project ?? project) && tenant === (query.tenant ?? tenant),
    )
    const seen = wanted.filter(({ name }) => may('environment.list', { environment: name }))
    return { items: seen.map((row) => toEnvironment(row, counts)) }
  })
  bind(server, getEnvironment, async ({ params }) => {
    const row = await get(db, params.environment)
    const [counts, used, seen] = await Promise.all([options.countApplications(db), usedIn(row), observed(options, row)])
    return { ...toEnvironment(row, counts), use: useOf(row, used), ...seen }
  })
  bind(server, createEnvironment, async (context) => {
    const { params, query, body, subject, idempotencyKey, may } = context
    const { environment: name } = params
    await requireForCreation(db, context)
    return told(options, () =>
      makeChange({ endpoint: createEnvironment.id, subject, params, query, body, idempotencyKey }, () =>
        change(
          options,
          { ...body, name, namespace: body.namespace ?? name },
          { mayAdopt: may('environment.create', {}) },
        ),
      ),
    )
  })
  bind(server, updateEnvironment, async (context) => {
    const { params, query, body, subject, idempotencyKey } = context
    const now = await get(db, params.environment)
    if (body.project !== undefined && body.project !== now.project) {
      context.require('environment.create', { project: body.project })
    }
    return told(options, () =>
      makeChange({ endpoint: updateEnvironment.id, subject, params, query, body, idempotencyKey }, async () => {
        const { name, cluster, namespace, stage } = await get(db, params.environment)
        return change(options, { stage, ...body, name, cluster, namespace }, { update: true })
      }),
    )
  })
  bind(server, deleteEnvironment, ({ params, query, body, subject, idempotencyKey }) =>
    makeChange({ endpoint: deleteEnvironment.id, subject, params, query, body, idempotencyKey }, async () =>
      deletion(options, await get(db, params.environment), query.force),
    ),
  )
}

/** Where it is made, or, for one that is there, what changing it takes. */
async function requireForCreation(
  db: Db,
  { params, body, ...asked }: Pick<Context<typeof createEnvironment>, 'params' | 'body' | 'require'>,
): Promise<void> {
  const row = await find(db, params.environment)
  if (row) asked.require('environment.update', { environment: row.name })
  const project = body.project ?? row?.project ?? 'default'
  if (project !== row?.project) asked.require('environment.create', { project })
}

/** Answers once a change that was accepted counts for who may do what. */
async function told({ changed }: EnvironmentRoutesOptions, make: () => Promise<Change>): Promise<Change> {
  const made = await make()
  if (made.kind === 'Operation') await changed()
  return made
}

async function get(db: Db, name: string): Promise<EnvironmentRow> {
  const row = await find(db, name)
  if (!row) throw notFound({ detail: noSuchPlace('environment', name) })
  return row
}

function toEnvironment(row: EnvironmentRow, counts: Record<string, number>): Environment {
  const { adopted: _, ...known } = definition(row)
  return { ...known, state: row.state, message: row.message, applications: counts[row.name] ?? 0 }
}

/** All of an environment's quota is its own; what is free of it is what is not used. */
const useOf = ({ quota }: EnvironmentRow, used: Used): QuotaUse[] =>
  quotaResources.flatMap((resource) => {
    const allowed = amountOf(quota, resource)
    if (allowed === undefined) return []
    const count = used?.[resource]
    const seen = count === undefined ? {} : { used: count, free: Math.max(0, allowed - count) }
    return [{ resource, allowed, reserved: allowed, ...seen }]
  })

/** What the cluster says of the environment, where that is not what it should be. */
async function observed(
  { clusterOf }: EnvironmentRoutesOptions,
  row: EnvironmentRow,
): Promise<Pick<EnvironmentDetail, 'outdated'> & Partial<Environment>> {
  if (row.state !== 'Ready') return { outdated: [] }
  try {
    const cluster = await clusterOf(row.cluster)
    const objects = objectsOf(definition(row))
    const live = await Promise.all(objects.map((object) => cluster.get(refOf(object))))
    const namespace = live[objects.findIndex(({ kind }) => kind === 'Namespace')]
    if (namespace && !namespace.metadata.deletionTimestamp) {
      const old =
        row.isolation === null ? ['It was made before environments had limits, isolation and an executor'] : []
      return { outdated: [...old, ...outdated(objects, live)] }
    }
    const message = `Namespace ${row.namespace} ${namespace ? 'is being deleted' : 'is not'} on cluster ${row.cluster}${namespace ? ' by somebody else' : ' any more'}. Create the environment again to bring it back.`
    return { state: 'Failed', message, outdated: [] }
  } catch (error) {
    if (!isProblem(error)) throw error
    return { state: 'Unknown', message: error.message, outdated: [] }
  }
}
