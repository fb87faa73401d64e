import { endpoint, PageQuery, pageOf, problemType, Time } from '@quarterdeck/kernel'
import { z } from 'zod'

// Written into the audit trail by the platform itself, or for whoever did not say who they are.
const RESERVED = ['anonymous', 'operator', 'quarterdeck', 'system', 'unknown']

/** What a new user or machine account may be called. Lower case alone: no two that look alike. */
export const UserName = z
  .string()
  .min(1, 'Give a name')
  .max(63, 'A name has at most 63 characters')
  .regex(
    /^[a-z0-9]([-._a-z0-9]*[a-z0-9])?$/,
    'Lower-case letters, digits, dots, hyphens and underscores, beginning and ending with a letter or digit',
  )
  .refine((name) => !RESERVED.includes(name), 'The platform uses this name itself; choose another')
  .describe('User name')
/** A user as a path names it: whatever a sign-in provider may have called them. */
export const UserRef = z.string().min(1).max(63).describe('User name')
const Title = z
  .string()
  .trim()
  .min(1, 'Give a name as people say it, or leave it out')
  .max(100, 'At most 100 characters')
  .regex(/^[^\p{Cc}\p{Cf}]+$/u, 'No control characters')
  .describe('As people say it: 王芳, Operations night shift')
const Email = z.email('An e-mail address, as li@example.com').max(254)

/** Somebody who signs in, or a machine account, which has tokens only. Source of truth: PostgreSQL. */
export const User = z.object({
  id: z.uuid().describe('Given once and never again; a name may come again after it was deleted'),
  name: z.string(),
  kind: z.enum(['user', 'machine']).describe('machine: has no password, only tokens'),
  title: z.string().optional(),
  email: z.string().optional(),
  source: z.string().describe('local, or the sign-in provider that the user comes from'),
  groups: z.array(z.string()).describe('Names of the groups that it belongs to'),
  state: z
    .enum(['active', 'invited', 'disabled'])
    .describe('invited: no password has been chosen yet; disabled: cannot sign in, and its tokens do not count'),
  createTime: Time,
  lastSignInTime: Time.optional().describe('Absent: never'),
  linkExpireTime: Time.optional().describe('Until when the link to choose a password is valid; absent: there is none'),
})
export type User = z.infer<typeof User>

/** A link that is shown once. Only a hash of its secret is stored. */
export const PasswordLink = z.object({
  url: z.string().describe('Whoever has it can choose the password: pass it on in private'),
  expireTime: Time,
})
export type PasswordLink = z.infer<typeof PasswordLink>

export const userNameTaken = problemType('user-name-taken', 409, 'There is a user of that name')
export const lastAdministrator = problemType(
  'last-administrator',
  409,
  'Nobody would be left who may do everything for the platform',
)
export const notLocal = problemType('not-local', 409, 'A sign-in provider has this, not Quarterdeck')
export const reachesFurther = problemType('reaches-further', 403, 'This account or group may do more than you')

const one = { path: '/users/:user', params: z.object({ user: UserRef }) }

export const listUsers = endpoint({
  id: 'user.list',
  method: 'GET',
  path: '/users',
  permission: 'user.list',
  reach: 'anywhere',
  summary: 'Users and machine accounts by name',
  query: PageQuery.extend({
    search: z.string().max(100).optional().describe('Part of name, title or e-mail address'),
    kind: z.enum(['user', 'machine']).optional(),
    state: z.enum(['active', 'invited', 'disabled']).optional(),
    source: z.string().max(63).optional(),
    group: z.string().max(63).optional().describe('Members of this group'),
    continue: z.string().max(63).optional().describe('Only names after this one'),
  }),
  response: pageOf(User),
})
export const getUser = endpoint({
  id: 'user.get',
  method: 'GET',
  ...one,
  permission: 'user.list',
  reach: 'anywhere',
  summary: 'One user or machine account',
  response: User,
})
export const createUser = endpoint({
  id: 'user.create',
  method: 'POST',
  path: '/users',
  permission: 'user.create',
  summary: 'Invite a user, or make a machine account; the invitation link is in this answer and nowhere else',
  body: z.strictObject({
    name: UserName,
    kind: z.enum(['user', 'machine']).default('user').describe('machine: for pipelines; has no password, only tokens'),
    title: Title.optional(),
    email: Email.optional(),
  }),
  response: z.object({ user: User, link: PasswordLink.optional().describe('Absent for a machine account') }),
  status: 201,
  problems: [userNameTaken],
})
export const updateUser = endpoint({
  id: 'user.update',
  method: 'PATCH',
  ...one,
  permission: 'user.update',
  summary: 'Change title or e-mail address, disable or enable; disabling ends sessions and all that is open',
  body: z
    .strictObject({
      title: Title.nullable().optional().describe('null: none'),
      email: Email.nullable().optional().describe('null: none'),
      disabled: z.boolean().optional(),
    })
    .refine((body) => Object.keys(body).length > 0, 'Say what to change: title, email or disabled'),
  response: User,
  problems: [lastAdministrator, notLocal],
})
export const deleteUser = endpoint({
  id: 'user.delete',
  method: 'DELETE',
  ...one,
  permission: 'user.delete',
  summary: 'Delete a user with sessions, tokens and grants; whoever gets the name later inherits nothing',
  response: z.null(),
  problems: [lastAdministrator],
})
export const createPasswordLink = endpoint({
  id: 'password-link.create',
  method: 'POST',
  path: '/users/:user/password-link',
  params: one.params,
  permission: 'user.update',
  summary: 'A new link with which a user chooses a password; links before it stop working',
  response: PasswordLink,
  status: 201,
  problems: [notLocal, reachesFurther],
})
