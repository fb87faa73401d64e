import { bind, type Context, noSuchPlace, type Server } from '@quarterdeck/http'
import { type AuditEntry, conflict, done, notFound } from '@quarterdeck/kernel'
import { type Db, transaction } from '@quarterdeck/store'
import type { Member } from '../tenant/tenant.contract.ts'
import {
  type EnvironmentPart,
  newViolations,
  type ProjectPart,
  quotaUse,
  reservedIn,
  type TenantTree,
  throwViolations,
  type Used,
} from '../tenant/tree.contract.ts'
import {
  createProject,
  deleteProject,
  getProject,
  listProjects,
  type Project,
  projectInUse,
  projectTaken,
  updateProject,
} from './project.contract.ts'
import { createTimeOf, deleteProjectRow, insertProject, updateProjectRow } from './project.store.ts'

type Environment = EnvironmentPart & { cluster: string; namespace: string }
/** A tenant with all that is in it, as the tenant feature keeps it. */
type Tree = Omit<TenantTree, 'projects'> & {
  id: string
  projects: (ProjectPart & { title: string | null; environments: Environment[] })[]
}

export interface ProjectRoutesOptions {
  db: Db
  tenants: {
    list(db: Db): Promise<Tree[]>
    find(db: Db, tenant: string): Promise<Tree | undefined>
    ofProject(db: Db, project: string): Promise<Tree | undefined>
    /** Keeps everybody else from changing quotas in it until the transaction ends. */
    lock(tx: Db, tenant: string): Promise<boolean>
    members(db: Db, place: { tenant: string; project: string }): Promise<Member[]>
  }
  /** What is used in an environment, as its cluster says; undefined where it says nothing. */
  usedIn: (environment: Environment) => Promise<Used>
  /** Adds to the audit trail. */
  record: (db: Db, entry: AuditEntry) => Promise<unknown>
  /** Resolves once a change that was committed counts for who may do what. */
  changed: () => Promise<void>
}

/** The project that is there from the start. */
const DEFAULT = 'default'

/** Projects: what teams own together. */
export function projectRoutes(server: Server, options: ProjectRoutesOptions): void {
  const { db, tenants, usedIn, record, changed } = options
  bind(server, listProjects, async ({ query, may }) => {
    const trees = await tenants.list(db)
    const items = trees
      .filter(({ name }) => query.tenant === undefined || name === query.tenant)
      .flatMap((tree) => tree.projects.map(({ name }) => toProject(tree, name)))
    return { items: items.filter(({ name }) => may('project.list', { project: name })) }
  })
  bind(server, getProject, async ({ params: { project }, may }) => {
    const tree = await get(options, db, project)
    const [used, members, createTime = new Date().toISOString()] = await Promise.all([
      Promise.all(partOf(tree, project).environments.map(usedIn)),
      may('grant.list', { project }) ? tenants.members(db, { tenant: tree.name, project }) : undefined,
      createTimeOf(db, project),
    ])
    return { ...toProject(tree, project, used), createTime, ...(members ? { members } : {}) }
  })
  bind(server, createProject, async (context) => {
    const { body, subject } = context
    context.require('project.create', { tenant: body.tenant })
    if (body.quota) context.require('quota.update', { tenant: body.tenant })
    const { name, title = null, quota = {} } = body
    const tree = await transaction(db, async (tx) => {
      await tenants.lock(tx, body.tenant)
      const before = await tenants.find(tx, body.tenant)
      if (!before) throw notFound({ detail: noSuchPlace('tenant', body.tenant) })
      const wanted = { name, title, quota, environments: [] }
      throwViolations(newViolations(before, { ...before, projects: [...before.projects, wanted] }))
      if (!(await insertProject(tx, { name, title, quota, tenant: before.id }))) {
        throw projectTaken({
          detail: `There is a project ${name} already, perhaps in another tenant; choose another name.`,
        })
      }
      await record(tx, done(createProject, subject.name, `project ${name}`, `In tenant ${body.tenant}`))
      return get(options, tx, name)
    })
    await changed()
    return toProject(tree, name)
  })
  bind(server, updateProject, async (context) => {
    const { params, body, subject } = context
    const { name: tenant } = await get(options, db, params.project)
    requireForQuota(context, tenant)
    const tree = await transaction(db, async (tx) => {
      await tenants.lock(tx, tenant)
      const before = await get(options, tx, params.project)
      const now = partOf(before, params.project)
      const wanted = { ...now, title: body.title ?? now.title, quota: body.quota ?? now.quota }
      const projects = before.projects.map((one) => (one.name === params.project ? wanted : one))
      throwViolations(newViolations(before, { ...before, projects }))
      await updateProjectRow(tx, wanted)
      await record(tx, done(updateProject, subject.name, `project ${params.project}`, JSON.stringify(body)))
      return get(options, tx, params.project)
    })
    return toProject(tree, params.project)
  })
  bind(server, deleteProject, async ({ params: { project }, subject }) => {
    if (project === DEFAULT) {
      throw conflict({ detail: 'The project default is where environments go that name no other; it stays.' })
    }
    const { name: tenant } = await get(options, db, project)
    await transaction(db, async (tx) => {
      await tenants.lock(tx, tenant)
      const { environments } = partOf(await get(options, tx, project), project)
      if (environments.length > 0) {
        const names = environments.map(({ name }) => name).join(', ')
        const what = environments.length === 1 ? 'environment' : 'environments'
        throw projectInUse({
          detail: `Project ${project} still holds ${what} ${names}; delete them or move them to another project first.`,
        })
      }
      await deleteProjectRow(tx, project)
      await record(tx, done(deleteProject, subject.name, `project ${project}`))
    })
    await changed()
    return null
  })
}

/** What a project may use is for whoever gives out what its tenant has. */
function requireForQuota(
  { params, body, may, ...asked }: Pick<Context<typeof updateProject>, 'params' | 'body' | 'may' | 'require'>,
  tenant: string,
): void {
  if (!body.quota) return
  // Said of the project, which is there for who asks, where the tenant is not.
  if (!may('quota.update', { tenant })) asked.require('quota.update', { project: params.project })
  asked.require('quota.update', { tenant })
}

async function get({ tenants }: ProjectRoutesOptions, db: Db, project: string): Promise<Tree> {
  const tree = await tenants.ofProject(db, project)
  if (!tree) throw notFound({ detail: noSuchPlace('project', project) })
  return tree
}

function partOf({ projects }: Pick<Tree, 'projects'>, project: string): Tree['projects'][number] {
  const found = projects.find(({ name }) => name === project)
  if (!found) throw new Error(`Project ${project} is not in the tenant that it was found by`)
  return found
}

function toProject(tree: Tree, project: string, used: Used[] = []): Project {
  const part = partOf(tree, project)
  const { name, title, quota, environments } = part
  return {
    name,
    tenant: tree.name,
    ...(title === null ? {} : { title }),
    quota,
    environments: environments.length,
    use: quotaUse({ quota, factor: tree.overcommit, used }, (resource) => reservedIn(part, resource)),
  }
}
