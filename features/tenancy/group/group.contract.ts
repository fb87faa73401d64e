import { endpoint, Name, PageQuery, pageOf, problemType, Time } from '@quarterdeck/kernel'
import { z } from 'zod'
import { lastAdministrator, notLocal, reachesFurther } from '../user/user.contract.ts'

const Title = z
  .string()
  .trim()
  .min(1, 'Give a name as people say it, or leave it out')
  .max(100, 'At most 100 characters')
  .regex(/^[^\p{Cc}\p{Cf}]+$/u, 'No control characters')
  .describe('As people say it: 零售开发组, Night shift')
const GroupRef = z.string().min(1).max(63).describe('Name of a group')

/** Users and machine accounts that are granted roles together. Source of truth: PostgreSQL, or a sign-in provider. */
export const Group = z.object({
  id: z.uuid().describe('Given once and never again'),
  name: z.string(),
  title: z.string().optional(),
  source: z.string().describe('local, or the sign-in provider that says who belongs to it'),
  members: z.int().describe('How many'),
  createTime: Time,
})
export type Group = z.infer<typeof Group>

/** Who belongs to a group. */
export const GroupMember = z.object({
  user: z.string(),
  title: z.string().optional(),
  kind: z.enum(['user', 'machine']),
  disabled: z.boolean(),
})
export type GroupMember = z.infer<typeof GroupMember>

export const groupNameTaken = problemType('group-name-taken', 409, 'There is a group of that name')

const one = { path: '/groups/:group', params: z.object({ group: GroupRef }) }
const member = {
  path: '/groups/:group/members/:user',
  params: z.object({ group: GroupRef, user: z.string().min(1).max(63) }),
  permission: 'user.update' as const,
  response: z.null(),
}

export const listGroups = endpoint({
  id: 'group.list',
  method: 'GET',
  path: '/groups',
  permission: 'user.list',
  reach: 'anywhere',
  summary: 'Groups by name',
  query: PageQuery.extend({
    search: z.string().max(100).optional().describe('Part of name or title'),
    continue: z.string().max(63).optional().describe('Only names after this one'),
  }),
  response: pageOf(Group),
})
export const getGroup = endpoint({
  id: 'group.get',
  method: 'GET',
  ...one,
  permission: 'user.list',
  reach: 'anywhere',
  summary: 'One group',
  response: Group,
})
export const listGroupMembers = endpoint({
  id: 'group.members',
  method: 'GET',
  path: '/groups/:group/members',
  params: one.params,
  permission: 'user.list',
  reach: 'anywhere',
  summary: 'Who belongs to a group, by name',
  query: PageQuery.extend({ continue: z.string().max(63).optional().describe('Only names after this one') }),
  response: pageOf(GroupMember),
})
export const createGroup = endpoint({
  id: 'group.create',
  method: 'POST',
  path: '/groups',
  permission: 'user.update',
  summary: 'Make a group',
  body: z.strictObject({ name: Name, title: Title.optional() }),
  response: Group,
  status: 201,
  problems: [groupNameTaken],
})
export const deleteGroup = endpoint({
  id: 'group.delete',
  method: 'DELETE',
  ...one,
  permission: 'user.delete',
  summary: 'Delete a group and what it has been granted; its members stay',
  response: z.null(),
  problems: [notLocal, lastAdministrator],
})
export const addGroupMember = endpoint({
  id: 'group-member.add',
  method: 'PUT',
  ...member,
  summary: 'Let a user or machine account belong to a group; safe to repeat',
  problems: [notLocal, reachesFurther],
})
export const removeGroupMember = endpoint({
  id: 'group-member.remove',
  method: 'DELETE',
  ...member,
  summary: 'Take a user or machine account out of a group; safe to repeat',
  problems: [notLocal, lastAdministrator],
})
