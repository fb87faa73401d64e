import { bind, type Context, noSuchPlace, type Server } from '@quarterdeck/http'
import { type AuditEntry, conflict, done, notFound } from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import {
  createTenant,
  deleteTenant,
  getTenant,
  listTenants,
  type Tenant,
  tenantInUse,
  tenantTaken,
  updateTenant,
} from './tenant.contract.ts'
import {
  deleteTenantRow,
  findTenantRow,
  insertTenant,
  listMembers,
  listTenantRows,
  lockTenant,
  type PlacedEnvironment,
  type TenantRow,
  updateTenantRow,
} from './tenant.store.ts'
import { newViolations, quotaUse, reservedOf, throwViolations, type Used, type Violation } from './tree.contract.ts'

export interface TenantRoutesOptions {
  db: Db
  /** What is used in an environment, as its cluster says; undefined where it says nothing. */
  usedIn: (environment: PlacedEnvironment) => Promise<Used>
  /** Adds to the audit trail. */
  record: (db: Db, entry: AuditEntry) => Promise<unknown>
  /** Resolves once a change that was committed counts for who may do what. */
  changed: () => Promise<void>
}

/** The tenant that is there from the start, and the project in it. */
const DEFAULT = 'default'

/** Tenants: who has them, what they may use. */
export function tenantRoutes(server: Server, { db, usedIn, record, changed }: TenantRoutesOptions): void {
  bind(server, listTenants, async ({ may }) => {
    const rows = await listTenantRows(db)
    return { items: rows.filter(({ name }) => may('tenant.list', { tenant: name })).map((row) => toTenant(row)) }
  })
  bind(server, getTenant, async ({ params: { tenant }, may }) => {
    const row = await get(db, tenant)
    const environments = row.projects.flatMap((project) => project.environments)
    const [used, members] = await Promise.all([
      Promise.all(environments.map(usedIn)),
      may('grant.list', { tenant }) ? listMembers(db, { tenant }) : undefined,
    ])
    return { ...toTenant(row, used), ...(members ? { members } : {}) }
  })
  bind(server, createTenant, async ({ body, subject }) => {
    const { name, title = null, clusters = [], quota = {}, overcommit = 1 } = body
    const made = await transaction(db, async (tx) => {
      if (!(await insertTenant(tx, { name, title, clusters, quota, overcommit }))) return undefined
      await record(tx, done(createTenant, subject.name, `tenant ${name}`, title ?? ''))
      return get(tx, name)
    })
    if (!made) throw tenantTaken({ detail: `There is a tenant ${name} already; choose another name.` })
    await changed()
    return toTenant(made)
  })
  bind(server, updateTenant, async (context) => {
    const { params, body, subject } = context
    requireForLimits(context)
    const row = await transaction(db, async (tx) => {
      await lockTenant(tx, params.tenant)
      const before = await get(tx, params.tenant)
      const after = { ...before, ...given(body) }
      refuse(newViolations(before, after), wronglyPlaced(after))
      await updateTenantRow(tx, after)
      await record(tx, done(updateTenant, subject.name, `tenant ${params.tenant}`, JSON.stringify(body)))
      return get(tx, params.tenant)
    })
    return toTenant(row)
  })
  bind(server, deleteTenant, async ({ params: { tenant }, subject }) => {
    if (tenant === DEFAULT)
      throw conflict({ detail: 'The tenant default is where the platform puts what names no other; it stays.' })
    await transaction(db, async (tx) => {
      await lockTenant(tx, tenant)
      const { projects } = await get(tx, tenant)
      if (projects.length > 0) {
        const names = projects.map(({ name }) => name).join(', ')
        throw tenantInUse({
          detail: `Tenant ${tenant} still holds ${projects.length === 1 ? 'project' : 'projects'} ${names}; delete them first.`,
        })
      }
      await deleteTenantRow(tx, tenant)
      await record(tx, done(deleteTenant, subject.name, `tenant ${tenant}`))
    })
    await changed()
    return null
  })
}

/** What a tenant may use is not for the tenant to say. */
function requireForLimits(asked: Pick<Context<typeof updateTenant>, 'body' | 'require'>): void {
  const { clusters, quota, overcommit } = asked.body
  if (clusters || quota || overcommit !== undefined) asked.require('quota.update', {})
}

async function get(db: Db, name: string): Promise<TenantRow> {
  const row = await findTenantRow(db, name)
  if (!row) throw notFound({ detail: noSuchPlace('tenant', name) })
  return row
}

/** The members of an object that were given at all. */
const given = <Body extends object>(body: Body) =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Body]: Exclude<Body[Key], undefined>
  }

function toTenant(row: TenantRow, used: Used[] = []): Tenant {
  const { name, title, clusters, quota, overcommit, createTime, projects } = row
  return {
    name,
    ...(title === null ? {} : { title }),
    clusters,
    quota,
    overcommit,
    createTime,
    projects: projects.length,
    environments: projects.reduce((sum, { environments }) => sum + environments.length, 0),
    use: quotaUse({ quota, factor: overcommit, used }, (resource) => reservedOf(row, resource)),
  }
}

function wronglyPlaced({ name, clusters, projects }: TenantRow): string[] {
  if (clusters.length === 0) return []
  return projects
    .flatMap(({ environments }) => environments)
    .filter(({ cluster }) => !clusters.includes(cluster))
    .map(
      (one) =>
        `Environment ${one.name} of tenant ${name} is on cluster ${one.cluster}; keep that cluster, or delete it first.`,
    )
}

function refuse(violations: Violation[], placed: string[]): void {
  const [first] = placed
  if (first) throw conflict({ detail: first, errors: placed.map((detail) => ({ pointer: '/clusters', detail })) })
  throwViolations(violations)
}
