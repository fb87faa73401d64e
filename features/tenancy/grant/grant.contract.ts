import { endpoint, Name, PageQuery, pageOf, problemType, Time } from '@quarterdeck/kernel'
import { z } from 'zod'
import { exceedsOwn } from '../role/role.contract.ts'

export const UserText = z
  .string()
  .min(1, 'Give the name of a user')
  .max(200)
  .describe('Name of a user or machine account')
export const GroupText = z.string().min(1, 'Give the name of a group').max(200).describe('Name of a group')
const Reason = z.string().max(500, 'At most 500 characters').describe('Kept in the audit trail')

/** Where a grant counts: at exactly one of these, and at every place within it. */
export const BodyPlace = {
  tenant: Name.optional(),
  project: Name.optional(),
  environment: Name.optional(),
  platform: z.literal(true).optional().describe('The whole platform; said expressly, never by leaving out a place'),
}
/** The same for questions, where no place at all is an answer, too. */
export const PlaceQuery = { tenant: Name.optional(), project: Name.optional(), environment: Name.optional() }
const PLACES = ['tenant', 'project', 'environment', 'platform'] as const
/** True when a body names exactly one place. */
export const isOnePlace = (body: { [place in (typeof PLACES)[number]]?: unknown }): boolean =>
  PLACES.filter((place) => body[place] !== undefined).length === 1
export const NOT_ONE_PLACE = {
  path: ['environment'],
  message: 'Name one place: environment, project or tenant, or platform: true',
}

/** A role that somebody has somewhere. */
export const Grant = z.object({
  id: z.uuid(),
  role: Name,
  roleTitle: z.string().optional(),
  user: z.string().optional(),
  group: z.string().optional(),
  ...BodyPlace,
  expireTime: Time.optional().describe('Absent: until it is taken back'),
  grantor: z.string(),
  reason: z.string(),
  createTime: Time,
})
export type Grant = z.infer<typeof Grant>

/** What a grant would open, worked out before it is given. */
export const GrantEffect = z.object({
  kind: z.literal('Effect'),
  people: z.int().describe('Users and machine accounts that it would be for'),
  gaining: z.int().describe('Those of them who would get a permission that they do not have there'),
  permissions: z
    .array(z.object({ permission: z.string(), people: z.int().describe('For how many of them it is new') }))
    .describe('Every permission of the role, those that open most first'),
  environments: z.object({ total: z.int(), names: z.array(z.string()).describe('At most 50') }),
  clusters: z.array(z.string()).describe('Where these environments are'),
  future: z.boolean().describe('Environments that are made there later are opened, too'),
})
export type GrantEffect = z.infer<typeof GrantEffect>

export const grantExists = problemType('grant-exists', 409, 'This is granted already')

const Body = z
  .strictObject({
    role: Name,
    user: UserText.optional(),
    group: GroupText.optional(),
    ...BodyPlace,
    expireTime: Time.optional().describe('Absent: until it is taken back'),
    reason: Reason.default(''),
  })
  .refine(({ user, group }) => (user === undefined) !== (group === undefined), {
    path: ['user'],
    message: 'Name either a user or a group',
  })
  .refine(isOnePlace, NOT_ONE_PLACE)
export type GrantBody = z.infer<typeof Body>

const one = z.object({ grant: z.uuid('The id of a grant, as qd grant list shows it') })
export const listGrants = endpoint({
  id: 'grant.list',
  method: 'GET',
  path: '/grants',
  permission: 'grant.list',
  reach: 'anywhere',
  summary: 'Who has which role where, newest first; those at places where one may see grants',
  query: PageQuery.extend({
    user: UserText.optional(),
    group: GroupText.optional(),
    role: Name.optional(),
    ...PlaceQuery,
    platform: z.literal('true').optional().describe('Those for the whole platform'),
    inherited: z
      .literal('true')
      .optional()
      .describe('Those, too, that count at the named place since they were given further up'),
  }),
  response: pageOf(Grant),
})
export const createGrant = endpoint({
  id: 'grant.create',
  method: 'POST',
  path: '/grants',
  permission: 'grant.create',
  reach: 'anywhere',
  summary: 'Give a user or a group a role somewhere; dryRun=true answers what it would open',
  query: z.object({ dryRun: z.stringbool().default(false) }),
  body: Body,
  response: z.discriminatedUnion('kind', [Grant.extend({ kind: z.literal('Grant') }), GrantEffect]),
  problems: [grantExists, exceedsOwn],
})
export const updateGrant = endpoint({
  id: 'grant.update',
  method: 'PATCH',
  path: '/grants/:grant',
  permission: 'grant.create',
  reach: 'anywhere',
  summary: 'Change until when a grant counts',
  params: one,
  body: z.strictObject({
    expireTime: Time.nullable().describe('null: until it is taken back'),
    reason: Reason.optional(),
  }),
  response: Grant,
  problems: [exceedsOwn],
})
export const deleteGrant = endpoint({
  id: 'grant.delete',
  method: 'DELETE',
  path: '/grants/:grant',
  permission: 'grant.delete',
  reach: 'anywhere',
  summary: 'Take a grant back; what it opened closes within five seconds',
  params: one,
  response: z.null(),
})
