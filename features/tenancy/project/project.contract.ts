import { endpoint, Name, pageOf, problemType, Time } from '@quarterdeck/kernel'
import { z } from 'zod'
import { Quota, QuotaUse } from '../tenant/quota.contract.ts'
import { Member, quotaExceeded, Title } from '../tenant/tenant.contract.ts'

/** What a team owns together: environments, in a tenant, within a quota. */
export const Project = z.object({
  name: Name,
  tenant: Name,
  title: Title.optional(),
  quota: Quota,
  environments: z.int(),
  use: z.array(QuotaUse).describe('Of what is limited or has been given away'),
})
export type Project = z.infer<typeof Project>

/** A project as its own page has it. */
export const ProjectDetail = Project.extend({
  createTime: Time,
  members: z.array(Member).optional().describe('Absent for whoever may not see grants there'),
})
export type ProjectDetail = z.infer<typeof ProjectDetail>

export const projectTaken = problemType('project-name-taken', 409, 'There is a project of this name')
export const projectInUse = problemType('project-in-use', 409, 'The project still holds environments')

const one = z.object({ project: Name })
export const listProjects = endpoint({
  id: 'project.list',
  method: 'GET',
  path: '/projects',
  permission: 'project.list',
  reach: 'anywhere',
  summary: 'Projects that one may see, with what they have been given',
  query: z.object({ tenant: Name.optional() }),
  response: pageOf(Project),
})
export const getProject = endpoint({
  id: 'project.get',
  method: 'GET',
  path: '/projects/:project',
  permission: 'project.list',
  summary: 'One project with its members and what of its quota is reserved, used and free',
  params: one,
  response: ProjectDetail,
})
export const createProject = endpoint({
  id: 'project.create',
  method: 'POST',
  path: '/projects',
  permission: 'project.create',
  reach: 'anywhere',
  summary: 'Make a project in a tenant. A quota needs quota.update in the tenant',
  body: z.strictObject({ name: Name, tenant: Name, title: Title.optional(), quota: Quota.optional() }),
  response: Project,
  status: 201,
  problems: [projectTaken, quotaExceeded],
})
export const updateProject = endpoint({
  id: 'project.update',
  method: 'PATCH',
  path: '/projects/:project',
  permission: 'project.update',
  summary: 'Change a project. Its quota needs quota.update in the tenant',
  params: one,
  body: z.strictObject({ title: Title, quota: Quota }).partial(),
  response: Project,
  problems: [quotaExceeded],
})
export const deleteProject = endpoint({
  id: 'project.delete',
  method: 'DELETE',
  path: '/projects/:project',
  permission: 'project.delete',
  summary: 'Delete a project that holds no environments, with what was granted in it',
  params: one,
  response: z.null(),
  status: 204,
  problems: [projectInUse],
})
