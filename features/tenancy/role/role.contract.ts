import { endpoint, Name, problemType, Time } from '@quarterdeck/kernel'
import { z } from 'zod'
import { knownPermissions } from './permission.contract.ts'

/** One of the permissions there are, or `*`: all there are and will be. */
export const PermissionName = z
  .enum([...knownPermissions, '*'], { error: 'There is no such permission; qd role permissions lists them' })
  .describe('As qd role permissions lists them; * stands for all there are and will be')

const Title = z.string().max(200, 'At most 200 characters').describe('What people call it')
const Permissions = z
  .array(PermissionName)
  .min(1, 'Give at least one permission')
  .max(200)
  .refine((all) => new Set(all).size === all.length, 'Name each permission once')

/** Permissions under a name. */
export const Role = z.object({
  name: Name,
  title: Title.optional(),
  permissions: z.array(z.string()).describe('* stands for all there are and will be'),
  builtIn: z.boolean().describe('There from the start; cannot be changed, but cloned'),
  grants: z.int().describe('How often it is granted just now'),
  createTime: Time,
})
export type Role = z.infer<typeof Role>

/** What a permission opens at the Kubernetes API, in the words of RBAC. */
export const NativeOpening = z.object({
  apiGroups: z.array(z.string()),
  resources: z.union([z.array(z.string()), z.literal('everything')]),
  verbs: z.array(z.string()),
})
export const PermissionInfo = z.object({
  permission: z.string(),
  en: z.string(),
  zh: z.string(),
  native: z.array(NativeOpening).describe('What it opens at the Kubernetes API; empty: nothing'),
})
export type PermissionInfo = z.infer<typeof PermissionInfo>

export const roleBuiltIn = problemType('role-built-in', 409, 'A built-in role cannot be changed')
export const roleGranted = problemType('role-granted', 409, 'The role is granted to somebody')
export const roleNameTaken = problemType('role-name-taken', 409, 'There is a role of that name')
/** Carries `permission` and `scope`: what the giver lacks, and where. */
export const exceedsOwn = problemType('exceeds-own-permissions', 403, 'Nobody can give what they do not have')

const one = z.object({ role: Name })
export const listPermissions = endpoint({
  id: 'permission.list',
  method: 'GET',
  path: '/permissions',
  permission: 'self',
  summary: 'Every permission there is, and what it opens at the Kubernetes API',
  response: z.object({ items: z.array(PermissionInfo) }),
})
export const listRoles = endpoint({
  id: 'role.list',
  method: 'GET',
  path: '/roles',
  permission: 'role.list',
  reach: 'anywhere',
  summary: 'Roles with their permissions, built-in ones first',
  response: z.object({ items: z.array(Role) }),
})
export const getRole = endpoint({
  id: 'role.get',
  method: 'GET',
  path: '/roles/:role',
  permission: 'role.list',
  reach: 'anywhere',
  summary: 'One role',
  params: one,
  response: Role,
})
export const createRole = endpoint({
  id: 'role.create',
  method: 'POST',
  path: '/roles',
  permission: 'role.update',
  summary: 'Make a role of permissions that one has oneself, or of those of another role',
  body: z
    .strictObject({
      name: Name,
      title: Title.optional(),
      permissions: Permissions.optional(),
      from: Name.optional().describe('A role whose permissions it gets'),
    })
    .refine(({ permissions, from }) => (permissions === undefined) !== (from === undefined), {
      path: ['permissions'],
      message: 'Give either permissions or from, the role to clone',
    }),
  response: Role,
  status: 201,
  problems: [roleNameTaken, exceedsOwn],
})
export const updateRole = endpoint({
  id: 'role.update',
  method: 'PATCH',
  path: '/roles/:role',
  permission: 'role.update',
  summary: 'Change what a role is called or permits; whoever has it has the change at once',
  params: one,
  body: z.strictObject({ title: Title.optional(), permissions: Permissions.optional() }),
  response: Role,
  problems: [roleBuiltIn, exceedsOwn],
})
export const deleteRole = endpoint({
  id: 'role.delete',
  method: 'DELETE',
  path: '/roles/:role',
  permission: 'role.update',
  summary: 'Delete a role that nobody has',
  params: one,
  response: z.null(),
  problems: [roleBuiltIn, roleGranted],
})
